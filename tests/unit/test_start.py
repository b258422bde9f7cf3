"""What a command imports before it does anything: by the list of modules, not by a clock."""

from __future__ import annotations

import subprocess  # noqa: TID251 -- a fresh interpreter
import sys
from pathlib import Path

import pytest

from diptych.tasks import NAMES, namespace, wanted
from helpers.archive_makers import make_wheel, wheel_files
from helpers.elf_builder import elf

CI = str(Path(__file__).parents[2] / "ci")
HEAVY = {
    "invoke", "rich", "yaml", "rattler", "rattler_build", "nox", "packaging", "build", "asyncio",
    "unittest", "email", "http", "ssl", "socket", "tomllib", "urllib.request", "multiprocessing", "concurrent",
}  # fmt: skip


def imported(*words: str, cwd: Path) -> set[str]:
    """Return which heavy packages a command line imports; its output goes into a pipe."""
    code = (
        f"import sys; sys.path.insert(0, {CI!r}); sys.argv = ['diptych', *{list(words)!r}]\n"
        "from diptych.tasks import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sorted({*sys.modules, *(name.partition('.')[0] for name in sys.modules)}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines()[-1].split()) & HEAVY


def test_the_version_needs_nothing(tmp_path: Path) -> None:
    assert imported("--version", cwd=tmp_path) == set()


def test_the_doctor_of_a_wheel_needs_no_tool_that_builds(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, wheel_files({"pair/__init__.py": b""}), name="pair-1.2-py3-none-any.whl")
    assert imported("doctor", str(wheel), cwd=tmp_path) <= {"packaging"}


def test_the_reason_of_a_tag_needs_no_tool_that_builds(tmp_path: Path) -> None:
    files = wheel_files({"pair/_core.so": elf(needed=["libc.so.6"])})
    wheel = make_wheel(tmp_path, files, name="pair-1.2-cp311-cp311-linux_x86_64.whl")
    assert imported("why-tag", str(wheel), "--json", cwd=tmp_path) <= {"packaging"}


@pytest.mark.parametrize(
    ("words", "tasks"),
    [
        (["doctor", "a.whl"], ("doctor",)),
        (["--help", "why-tag"], ("why-tag",)),
        (["plan", "--json", "cell"], ("plan", "cell")),
        (["docter", "doctor"], NAMES),
        (["--list"], NAMES),
        ([], NAMES),
    ],
)
def test_the_tasks_that_a_command_line_names(words: list[str], tasks: tuple[str, ...]) -> None:
    assert wanted(words) == tasks


def test_each_name_is_a_task() -> None:
    assert sorted(namespace.task_names) == sorted(NAMES)
