"""Run a project's test command and read the verdict: exit status, JUnit counts, records."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from diptych import process
from diptych.annotations import Place
from diptych.config import forms
from diptych.config.known import SanitizerKind
from diptych.errors import TestsFailedError
from diptych.output import many
from diptych.sanitizers import NAMES
from diptych.store import discard, write_json
from diptych.testing.process_records import FOLDER, ProcessRecord, read_process_records
from diptych.testing.sanitized import PLUGIN, Finding, Supervision

_HINTS: dict[SanitizerKind, str] = {
    "asan": "it ends the process at its first fault, so mend that one and run the tests again",
    "ubsan": "mend them; what is meant can be named in a file of suppressions: UBSAN_OPTIONS in [tool.diptych.env]",
    "tsan": "mend them; what is meant can be named in a file of suppressions: TSAN_OPTIONS in [tool.diptych.env]",
}


@dataclass(frozen=True, kw_only=True)
class SuiteSettings:
    """What the table says of the tests, wherever they run; see :class:`diptych.config.CellSettings`."""

    test: str
    test_sources: tuple[str, ...]
    env: Mapping[str, str]

    def command(self, *, source: Path, python: Path) -> tuple[str, ...]:
        """Return the words of ``test`` with the source folder and the interpreter put in."""
        return forms.filled(self.test, source=str(source), python=str(python))


@dataclass(frozen=True, kw_only=True)
class TestRun:
    """A test command about to run.

    Attributes:
        argv: the command with its posargs.
        env: the process environment before the paths below are added.
        cwd: where it runs.
        package: import name of what is tested.
        results: an existing folder for the records and, after a pass, the JUnit XML.
        log: where the output goes; JUnit XML lies beside it, also after a failure.
        paths: folders put first on PYTHONPATH.
        libraries: folders for LD_LIBRARY_PATH or DYLD_LIBRARY_PATH of this process alone; empty for none.
        programs: folders put first on PATH.
        platform: conda's name of it: which variable the loader reads.
        stream: let the output through to the terminal.
        supervision: the sanitizer that it runs under.
    """

    __test__ = False

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    package: str
    results: Path
    log: Path
    paths: tuple[Path, ...] = ()
    libraries: tuple[Path, ...] = ()
    programs: tuple[Path, ...]
    platform: str
    stream: bool = False
    supervision: Supervision | None = None


@dataclass(frozen=True, kw_only=True)
class TestResult:
    """A test command that passed.

    Attributes:
        tests: how many cases ran, or None when the command wrote no JUnit XML.
        seconds: wall time.
        records: its Python processes.
    """

    __test__ = False

    tests: int | None
    seconds: float
    records: tuple[ProcessRecord, ...]


def test_environment(run: TestRun) -> dict[str, str]:
    """Return the environment of the test process: the only one that gets library paths."""
    env = dict(run.env)
    env["PATH"] = _joined([*run.programs], env.get("PATH", os.defpath))
    env["PYTHONPATH"] = _joined([FOLDER, *run.paths])
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    env["DIPTYCH_PROCESS_RECORDS"] = str(run.results / "records")
    env["DIPTYCH_PACKAGE"] = run.package
    # Reaches pytest however deep in the command it is called.
    cache = [] if run.stream else ["-p", "no:cacheprovider"]  # a person may want --last-failed
    marks = ["-p", PLUGIN] if run.supervision else []
    own = shlex.join([*cache, *marks, f"--junit-xml={_junit(run)}"])
    env["PYTEST_ADDOPTS"] = f"{env.get('PYTEST_ADDOPTS', '')} {own}".strip()
    if run.libraries:
        # dyld strips DYLD_* when a protected binary is spawned: the command must start the
        # environment's own program, which the PATH above sees to.
        env[library_variable(run.platform)] = _joined(run.libraries)
    if run.supervision:
        env.update(run.supervision.variables(env))
    return env


def library_variable(platform: str) -> str:
    """Return the variable that the loader of a platform (conda's name) reads for library folders."""
    return "DYLD_LIBRARY_PATH" if platform.startswith("osx") else "LD_LIBRARY_PATH"


def run_tests(run: TestRun) -> TestResult:
    """Run the tests to their end.

    Raises:
        TestsFailedError: the command did not end with success.
        MissingToolError: its program is not in the environment.
    """
    (run.results / "records").mkdir(parents=True)
    run.log.parent.mkdir(parents=True, exist_ok=True)
    for old in (run.log, _junit(run), findings_file(run.log)):
        old.unlink(missing_ok=True)
    if run.supervision:
        discard(run.supervision.folder)
        run.supervision.folder.mkdir(parents=True)
    done = process.run(
        run.argv,
        env=test_environment(run),
        cwd=run.cwd,
        log=None if run.stream else run.log,
        stream=run.stream,
        check=False,
    )
    if run.supervision:
        _require_none_found(run, run.supervision, done.returncode)
    if done.returncode != 0:
        lines = done.output.rstrip().splitlines()
        raise TestsFailedError(
            f"the tests failed: `{shlex.join(run.argv)}` ended with exit code {done.returncode}",
            details=[*lines[-40:], *([f"whole log: {run.log}"] if not run.stream else [])],
            hint=hint_of(done.output),
        )
    if _junit(run).is_file():
        shutil.copy2(_junit(run), run.results / "junit.xml")
    return TestResult(
        tests=_count(_junit(run)),
        seconds=done.seconds,
        records=read_process_records(run.results / "records"),
    )


def findings_file(log: Path) -> Path:
    """Return where the findings of a sanitizer are kept, beside the log of a run."""
    return log.with_suffix(".sanitizer.json")


def _require_none_found(run: TestRun, supervision: Supervision, returncode: int) -> None:
    """Keep what the sanitizer has found, whatever the command's exit code was.

    Raises:
        TestsFailedError: there is something, or the command has ended in the middle of a test.
    """
    findings = supervision.findings()
    write_json(findings_file(run.log), {"findings": [asdict(one) for one in findings]})
    name, last = NAMES[supervision.sanitizer.kind], supervision.last_test()
    ended = [f"the test command ended with exit code {returncode}{f', in {last}' if last else ''}"]
    if findings:
        first = findings[0]
        raise TestsFailedError(
            f"{name} found {many(len(findings), 'fault')} in the tests",
            details=[
                *map(Finding.describe, findings),
                *(ended if returncode else []),
                f"whole reports: {supervision.folder}",
                *([] if run.stream else [f"whole log: {run.log}"]),
            ],
            hint=_HINTS[supervision.sanitizer.kind],
            place=Place(file=supervision.source / first.file, line=first.line) if first.file else None,
        )
    if returncode and last:
        raise TestsFailedError(
            f"the tests ended in the middle, under {name} but without a report of it",
            details=[*ended, f"whole log: {run.log}"],
        )


def _junit(run: TestRun) -> Path:
    return run.log.with_suffix(".junit.xml")


def hint_of(output: str) -> str:
    """Return the next step after a test command that failed, as far as its output tells one."""
    if re.search(r"PytestRemovedIn\d+Warning|config option '\w+' expects", output):
        return 'its tests or settings are for an older pytest; name one in the table: test-requires = ["pytest <9", …]'
    if "cannot open shared object file" in output or "Library not loaded" in output:
        return "a library was not found: is its package in tool.diptych.host?"
    if "ModuleNotFoundError" in output:
        return "does an install() rule of CMakeLists.txt cover that module?"
    return ""


def _count(junit: Path) -> int | None:
    try:
        root = ET.parse(junit).getroot()  # noqa: S314 -- written by our own child a moment ago
    except (OSError, ET.ParseError):
        return None
    return sum(int(suite.get("tests", 0)) - int(suite.get("skipped", 0)) for suite in root.iter("testsuite"))


def _joined(folders: Sequence[Path], *more: str) -> str:
    return os.pathsep.join([*map(str, folders), *more])
