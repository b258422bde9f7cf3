from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from select import select
from subprocess import PIPE  # noqa: TID251 -- runs that are ended from outside
from subprocess import Popen as popen  # noqa: N813, TID251 -- as above

import pytest

from diptych import process
from diptych.errors import MissingToolError, ProcessError
from diptych.store import Store

# Each starts a process that holds the FIFO of its first argument open, and waits for the time-out once that does.
_HOLD = (
    "import os, signal, sys; {}\n"
    "fifo = open(sys.argv[1], 'wb', 0); fifo.write(f'ready {{os.getpgid(0)}}\\n'.encode())\n"
    "{}\n"
    "while True: signal.pause()\n"
)
_START = (
    "import os, signal, subprocess, sys\n"
    "code = {!r}\n"
    "child = subprocess.Popen([sys.executable, '-c', code, sys.argv[1]], stdout=subprocess.PIPE, {})\n"
    "child.stdout.readline()\n"
    "signal.pause()"
)
_PAUSE = "signal.pause()"
_TOLD = "print(flush=True)"
_DEAF = "[signal.signal(one, signal.SIG_IGN) for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)]"
_FORK = "os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0); os.setpgid(0, 0)"
POLITE = _START.format(_HOLD.format("", _TOLD), "")
STUBBORN = _START.format(_HOLD.format(_DEAF, _TOLD), "")
AWAY = _START.format(_HOLD.format(_DEAF, _TOLD), "start_new_session=True")
DAEMON = _START.format(_HOLD.format(f"{_DEAF}; {_FORK}", _TOLD), "close_fds=False")


@dataclass(frozen=True, kw_only=True)
class Held:
    """A FIFO that processes hold open: as long as one lives, its end does not come."""

    path: Path
    reader: int

    def wait(self) -> bool:
        return bool(select([self.reader], [], [], 60)[0])

    def read(self) -> tuple[bytes, bool]:
        """Return what was written, and whether somebody still holds it."""
        read = b""
        while True:
            try:
                chunk = os.read(self.reader, 4096)
            except BlockingIOError:
                return read, True
            if not chunk:
                return read, False
            read += chunk


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_output_goes_to_the_log_with_the_command(tmp_path: Path, env: dict[str, str]) -> None:
    log = tmp_path / "logs" / "run.log"
    done = process.run(python("print('hello')"), env=env, cwd=tmp_path, log=log)
    again = process.run(python("print('again')"), env=env, cwd=tmp_path, log=log)
    assert (done.output, again.output) == ("hello\n", "again\n")
    assert log.read_text().count("$ ") == 2


def test_a_failure_shows_the_tail_and_where_the_rest_is(tmp_path: Path, env: dict[str, str]) -> None:
    code = "import sys; [print('line', i) for i in range(100)]; sys.exit(3)"
    with pytest.raises(ProcessError, match="exit code 3") as caught:
        process.run(python(code), env=env, cwd=tmp_path, log=tmp_path / "log")
    assert caught.value.details[0] == "… 75 lines before"
    assert caught.value.details[-2:] == ("line 99", f"whole log: {tmp_path / 'log'}")


def test_a_signal_is_named(tmp_path: Path, env: dict[str, str]) -> None:
    with pytest.raises(ProcessError, match="SIGKILL"):
        process.run(python("import os; os.kill(os.getpid(), 9)"), env=env, cwd=tmp_path)


def test_no_program_no_shell(tmp_path: Path, env: dict[str, str]) -> None:
    with pytest.raises(MissingToolError, match='"no-such-program"'):
        process.run(["no-such-program"], env=env, cwd=tmp_path)
    done = process.run([*python("import sys; print(sys.argv[1])"), "$HOME; *"], env=env, cwd=tmp_path)
    assert done.output == "$HOME; *\n"


def test_a_signal_without_a_name_is_told(tmp_path: Path, env: dict[str, str]) -> None:
    number = getattr(signal, "SIGRTMIN", 34) + 3
    with pytest.raises(ProcessError, match=f"was ended by signal {number}"):
        process.run(python(f"import os; os.kill(os.getpid(), {number})"), env=env, cwd=tmp_path)


def test_a_command_that_cannot_be_started_is_told(tmp_path: Path, env: dict[str, str]) -> None:
    with pytest.raises(ProcessError, match=r"cannot be started in .*gone.*No such file"):
        process.run(python("pass"), env=env, cwd=tmp_path / "gone")


def test_what_breaks_an_interpreter_reaches_the_command_alone(tmp_path: Path, env: dict[str, str]) -> None:
    odd = {**env, "PYTHONHOME": "/nowhere", "WORD": "\udcff\n=x", "MANY": "x" * 100_000}
    program = tmp_path / "program"
    program.write_text('#!/bin/sh\nprintf %s "$PYTHONHOME$WORD${#MANY}"\n')
    program.chmod(0o755)
    done = process.run([program], env=odd, cwd=tmp_path)
    assert done.output == "/nowhere\N{REPLACEMENT CHARACTER}\n=x100000"


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    os.mkfifo(tmp_path / "held")
    reader = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    yield Held(path=tmp_path / "held", reader=reader)
    os.close(reader)


@pytest.mark.parametrize(
    "way", [POLITE, STUBBORN, AWAY, DAEMON], ids=["polite", "stubborn", "setsid", "daemon"]
)
def test_a_time_out_ends_whatever_was_started(
    tmp_path: Path, env: dict[str, str], held: Held, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(process, "_GRACE_SECONDS", 0.2)
    seconds, ready = 1, b""
    while not ready:  # on a slow machine the time was over before it began
        with pytest.raises(ProcessError, match=f"longer than {seconds} s"):
            process.run([*python(way), held.path], env=env, cwd=tmp_path, timeout=seconds)
        ready, running = held.read()
        assert not running
        seconds *= 2


def test_what_a_command_leaves_in_its_own_group_ends_with_it(
    tmp_path: Path, env: dict[str, str], held: Held
) -> None:
    process.run([*python(STUBBORN.removesuffix(_PAUSE)), held.path], env=env, cwd=tmp_path)
    ready, running = held.read()
    assert (bool(ready), running) == (True, False)


def test_a_daemon_of_a_command_that_ended_well_lives_and_holds_no_lock(
    tmp_path: Path, env: dict[str, str], held: Held
) -> None:
    """As sccache's server: other builds on the machine may use it."""
    store = Store(root=tmp_path / "store", waiting=lambda name: pytest.fail(f"waited for {name}"))
    with store.lock("one"):
        process.run([*python(DAEMON.removesuffix(_PAUSE)), held.path], env=env, cwd=tmp_path)
    ready, running = held.read()
    assert running
    with store.lock("one"):
        os.killpg(int(ready.split()[-1]), signal.SIGKILL)


def test_nothing_of_a_killed_run_lives_when_the_next_gets_its_lock(
    tmp_path: Path, env: dict[str, str], held: Held
) -> None:
    run = (
        "import pathlib, sys; from diptych import process; from diptych.store import Store\n"
        "process._GRACE_SECONDS = 0.2\n"
        "env, words = dict(__import__('os').environ), sys.argv[1:]\n"
        "with Store(root=pathlib.Path('store')).lock('one'): process.run(words, env=env, cwd=pathlib.Path('.'))"
    )
    words: list[str | Path] = [*python(run), *python(DAEMON), held.path]
    first = popen(words, env=env, cwd=tmp_path)
    assert held.wait()
    first.kill()
    first.wait()
    with Store(root=tmp_path / "store").lock("one"):
        assert held.read()[1] is False


def test_after_ctrl_c_a_streamed_command_has_its_last_words(
    tmp_path: Path, env: dict[str, str], held: Held
) -> None:
    """More than the grace of a time-out: pytest prints its summary."""
    run = (
        "import os, pathlib, sys; from diptych import process\n"
        "process._GRACE_SECONDS = 0.0\n"
        "process.run(sys.argv[1:], env=dict(os.environ), cwd=pathlib.Path('.'), stream=True)"
    )
    last = (
        "import pathlib, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "try:\n"
        " pathlib.Path(sys.argv[1]).write_text('ready')\n"
        " signal.pause()\n"
        "except KeyboardInterrupt:\n"
        " signal.sigtimedwait([signal.SIGUSR1], 0.5)\n"
        " print('summary')"
    )
    start = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    words: list[str | Path] = [*python(start + run), *python(last), held.path]
    first = popen(words, env=env, cwd=tmp_path, stdout=PIPE, stderr=PIPE)
    assert held.wait()
    first.send_signal(signal.SIGINT)
    out, _ = first.communicate()
    assert out == b"summary\n"


def test_standard_input_is_closed(tmp_path: Path, env: dict[str, str]) -> None:
    assert (
        process.run(python("print(repr(input() if False else open(0).read()))"), env=env, cwd=tmp_path).output
        == "''\n"
    )


def test_a_traceback_of_a_program_keeps_its_last_frame_and_what_was_raised(
    tmp_path: Path, env: dict[str, str]
) -> None:
    script = tmp_path / "tool.py"
    script.write_text(
        "def inner():\n    raise ValueError('no libc')\n\ndef outer():\n    inner()\n\nprint('begins')\nouter()\n"
    )
    with pytest.raises(ProcessError) as caught:
        process.run([sys.executable, script], env=env, cwd=tmp_path)
    details = caught.value.details
    assert (details[0], details[-1]) == ("begins", "ValueError: no libc")
    assert f'  File "{script}", line 2, in inner' in details
    assert not any("Traceback" in line or "in outer" in line for line in details)
