"""Verify: each package into a clean environment of its own, and the tests against what was installed."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from diptych.build.sources import Sources
from diptych.build.toolenv import declared, system_of
from diptych.config import Config
from diptych.inputs import NAME, PLACE, SYSTEM, By, inputs_of, made_once, part
from diptych.interpreters import identity
from diptych.matrix import Cell
from diptych.records import CondaPackages
from diptych.siblings import library_names
from diptych.store import Store, sha256_file
from diptych.testing.clean import conda_prefix, wheel_prefix
from diptych.testing.command import SuiteSettings, TestResult, TestRun, run_tests
from diptych.testing.process_records import Promise, judge
from diptych.testing.sources import copy_tests

KIND = "verified"


def _content(file: Path) -> dict[str, str]:
    return {one.name: sha256_file(one) for one in CondaPackages.kept(file).files}


@dataclass(frozen=True, kw_only=True)
class VerifySettings(SuiteSettings):
    """What the table says of the tests of installed packages."""

    test_requires: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class VerifyJob:
    """The inputs of one verification.

    Attributes:
        cell: the cell's name.
        python: such as ``3.11``.
        platform: conda's name of it.
        package: import name.
        settings: what the table says of the tests.
        file: the wheel or ``.conda`` to install.
        interpreter: for a wheel: whose plain virtual environment it goes into.
        channels: for a conda package: where its dependencies come from.
        sources: the project, for its tests.
        env: what :func:`diptych.build.toolenv.system_of` lets in of the process environment.
        store: where a pass is remembered.
    """

    cell: Annotated[str, NAME]
    python: str
    platform: str
    package: str
    settings: VerifySettings
    file: Annotated[Path, By(_content)]
    interpreter: Annotated[Path, By(identity)]
    channels: tuple[str, ...]
    sources: Annotated[Sources, By(lambda one: one.facts)]
    env: Annotated[Mapping[str, str], SYSTEM]
    store: Annotated[Store, PLACE]


def verify_job(
    cell: Cell,
    config: Config,
    *,
    file: Path,
    interpreter: Path,
    channels: tuple[str, ...],
    store: Store,
    env: Mapping[str, str],
) -> VerifyJob:
    """Return the inputs of verifying a package of the cell, out of the process environment ``env`` and the table."""
    seen = system_of(env)
    return VerifyJob(
        cell=cell.id,
        python=cell.python,
        platform=cell.platform,
        package=config.package,
        settings=part(VerifySettings, cell.settings),
        file=file,
        interpreter=interpreter,
        channels=channels,
        sources=Sources(folder=config.source, env=seen, versioned=False),
        env=seen,
        store=store,
    )


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
    kind = f"{KIND}-{'wheel' if job.file.suffix == '.whl' else 'conda'}"

    def make(empty: Path) -> None:
        with _scratch(job) as scratch:
            is_wheel = job.file.suffix == ".whl"
            prefix = _venv(job, scratch) if is_wheel else _conda_prefix(job, scratch)
            result = _test(job, prefix, empty, scratch)
            libraries = _judge(job, result, prefix, is_wheel=is_wheel)
        record = {
            "tests": result.tests,
            "seconds": result.seconds,
            "libraries": [path.name for path in libraries],
        }
        (empty / "result.json").write_text(json.dumps(record), encoding="utf-8")

    folder, made = made_once(job.store, job.cell, inputs_of(kind, job), make)
    record = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return Verified(
        tests=record["tests"],
        seconds=record["seconds"],
        libraries=tuple(record["libraries"]),
        kept=not made,
    )


@contextmanager
def _scratch(job: VerifyJob) -> Iterator[Path]:
    """Yield a folder whose path is longer than the build's and unlike it: what leaks, breaks here."""
    base = job.store.root / "verify"
    base.mkdir(parents=True, exist_ok=True)
    top = Path(tempfile.mkdtemp(prefix=f"{job.cell}-", dir=base))
    folder = (
        top / "an-environment-whose-path-is-longer-than-the-one-of-the-build" / job.file.suffix.lstrip(".")
    )
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(top, ignore_errors=True)


def _venv(job: VerifyJob, scratch: Path) -> Path:
    log = job.store.root / "logs" / job.cell / "verify-wheel.log"
    log.unlink(missing_ok=True)
    needed = job.settings.test_requires
    return wheel_prefix(job.file, scratch, python=job.interpreter, env=job.env, log=log, also=needed)


def _conda_prefix(job: VerifyJob, scratch: Path) -> Path:
    needed = job.settings.test_requires
    return conda_prefix(
        CondaPackages.kept(job.file),
        scratch,
        python=job.python,
        platform=job.platform,
        channels=job.channels,
        env=job.env,
        also=needed,
    )


def _test(job: VerifyJob, prefix: Path, results: Path, scratch: Path) -> TestResult:
    python = prefix / "bin" / "python"
    copy_tests(job.settings.test_sources, job.sources.folder, scratch)
    return run_tests(
        TestRun(
            argv=job.settings.command(source=job.sources.folder, python=python),
            env=declared(job.env, extra=job.settings.env),
            cwd=scratch,
            package=job.package,
            results=results,
            log=job.store.root / "logs" / job.cell / f"verify-{job.file.suffix.lstrip('.')}-tests.log",
            programs=(prefix / "bin",),
            platform=job.platform,
        )
    )


def _judge(job: VerifyJob, result: TestResult, prefix: Path, *, is_wheel: bool) -> tuple[Path, ...]:
    # A virtual environment borrows the standard library of its base.
    base = job.interpreter.resolve().parent.parent
    return judge(
        result.records,
        Promise(
            package=job.package,
            python=job.python,
            homes=(prefix, base) if is_wheel else (prefix,),
            modules=prefix,
            own=library_names(prefix),
        ),
    )
