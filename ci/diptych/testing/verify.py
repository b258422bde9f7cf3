"""Verify: each package into a clean environment of its own, and the tests against what was installed."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from diptych.build.sources import source_hashes
from diptych.build.toolenv import declared
from diptych.config import Config
from diptych.inputs import Inputs, made_once
from diptych.matrix import Cell
from diptych.store import Store, sha256_file
from diptych.testing.clean import conda_prefix, wheel_prefix
from diptych.testing.command import TestResult, TestRun, run_tests
from diptych.testing.sources import copy_tests
from diptych.testing.witnesses import Promise, judge

KIND = "verified"


@dataclass(frozen=True, kw_only=True)
class VerifyJob:
    """The inputs of one verification.

    Attributes:
        cell: for the test command and what it needs.
        config: the table.
        package: the wheel or ``.conda`` to install.
        python: for a wheel: the interpreter whose plain virtual environment it goes into.
        channels: for a conda package: where its dependencies come from.
        store: where a pass is remembered.
        env: the process environment.
    """

    cell: Cell
    config: Config
    package: Path
    python: Path
    channels: tuple[str, ...]
    store: Store
    env: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Verified:
    """A package that works where it was installed.

    Attributes:
        tests: how many cases ran, if known.
        seconds: wall time of the tests.
        libraries: what was really loaded, by name only: the environment is gone.
        kept: whether an earlier run had verified the same bytes.
    """

    tests: int | None
    seconds: float
    libraries: tuple[str, ...]
    kept: bool


def verify(job: VerifyJob) -> Verified:
    """Install the package and run the project's tests against it, once for these bytes.

    Raises:
        PackageError: it cannot be installed.
        TestsFailedError: the tests fail against it.
        LinkageError: they pass with something that the environment does not hold.
    """
    inputs = _inputs(job)

    def make(empty: Path) -> None:
        with _scratch(job) as scratch:
            is_wheel = job.package.suffix == ".whl"
            prefix = _venv(job, scratch) if is_wheel else _conda_prefix(job, scratch)
            result = _test(job, prefix, empty, scratch)
            libraries = _judge(job, result, prefix, is_wheel=is_wheel)
        record = {
            "tests": result.tests,
            "seconds": result.seconds,
            "libraries": [path.name for path in libraries],
        }
        (empty / "result.json").write_text(json.dumps(record), encoding="utf-8")

    folder, made = made_once(job.store, job.cell.id, inputs, make)
    record = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return Verified(
        tests=record["tests"],
        seconds=record["seconds"],
        libraries=tuple(record["libraries"]),
        kept=not made,
    )


def _inputs(job: VerifyJob) -> Inputs:
    settings = job.cell.settings
    values = {
        "file": {job.package.name: sha256_file(job.package)},
        "package": job.config.package,
        "python": str(job.python),
        "channels": job.channels,
        "test": settings.test,
        "test-sources": settings.test_sources,
        "test-requires": sorted(settings.test_requires),
        "env": dict(settings.env),
        "sources": source_hashes(job.config.source, env=job.env),
    }
    return Inputs(stage=f"{KIND}-{'wheel' if job.package.suffix == '.whl' else 'conda'}", values=values)


@contextmanager
def _scratch(job: VerifyJob) -> Iterator[Path]:
    """Yield a folder whose path is longer than the build's and unlike it: what leaks, breaks here."""
    base = job.store.root / "verify"
    base.mkdir(parents=True, exist_ok=True)
    top = Path(tempfile.mkdtemp(prefix=f"{job.cell.id}-", dir=base))
    folder = (
        top / "an-environment-whose-path-is-longer-than-the-one-of-the-build" / job.package.suffix.lstrip(".")
    )
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(top, ignore_errors=True)


def _venv(job: VerifyJob, scratch: Path) -> Path:
    log = job.store.root / "logs" / job.cell.id / "verify-wheel.log"
    log.unlink(missing_ok=True)
    needed = job.cell.settings.test_requires
    return wheel_prefix(job.package, scratch, python=job.python, env=job.env, log=log, also=needed)


def _conda_prefix(job: VerifyJob, scratch: Path) -> Path:
    needed = job.cell.settings.test_requires
    return conda_prefix(job.package, scratch, cell=job.cell, channels=job.channels, env=job.env, also=needed)


def _test(job: VerifyJob, prefix: Path, results: Path, scratch: Path) -> TestResult:
    python = prefix / "bin" / "python"
    copy_tests(job.cell.settings.test_sources, job.config.source, scratch)
    return run_tests(
        TestRun(
            argv=job.cell.settings.test_command(source=job.config.source, python=python),
            env=declared(job.env, extra=job.cell.settings.env),
            cwd=scratch,
            package=job.config.package,
            results=results,
            log=job.store.root / "logs" / job.cell.id / f"verify-{job.package.suffix.lstrip('.')}-tests.log",
            programs=(prefix / "bin",),
            platform=job.cell.platform,
        )
    )


def _judge(job: VerifyJob, result: TestResult, prefix: Path, *, is_wheel: bool) -> tuple[Path, ...]:
    # A virtual environment borrows the standard library of its base.
    base = job.python.resolve().parent.parent
    return judge(
        result.witnesses,
        Promise(
            package=job.config.package,
            python=job.cell.python,
            homes=(prefix, base) if is_wheel else (prefix,),
            modules=prefix,
            own=frozenset(path.name for path in (prefix / "lib").glob("*.so*")),
        ),
    )
