from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from diptych import process
from diptych.errors import MissingToolError, ProcessError


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


def test_a_time_out_ends_the_whole_group(tmp_path: Path, env: dict[str, str]) -> None:
    grandchild = tmp_path / "pid"
    code = (
        "import subprocess, sys, pathlib;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        f"pathlib.Path({str(grandchild)!r}).write_text(str(child.pid)); child.wait()"
    )
    with pytest.raises(ProcessError, match="longer than 2 s"):
        process.run(python(code), env=env, cwd=tmp_path, timeout=2)
    number = int(grandchild.read_text())
    for _ in range(50):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.kill(number, signal.SIGKILL)
    pytest.fail("the grandchild lives on")


def test_standard_input_is_closed(tmp_path: Path, env: dict[str, str]) -> None:
    assert (
        process.run(python("print(repr(input() if False else open(0).read()))"), env=env, cwd=tmp_path).output
        == "''\n"
    )
