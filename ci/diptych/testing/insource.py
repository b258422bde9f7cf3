"""The in-source tests: source tree and build tree, before anything is installed or relinked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from diptych.build.stage import Stage
from diptych.build.toolenv import declared, system_of
from diptych.config import Config, InSourceWay
from diptych.environments import Environment
from diptych.inputs import NAME, PLACE, SYSTEM, By, Unkeyed, inputs_of, made_once, part
from diptych.matrix import Cell
from diptych.pythons import is_free_threaded
from diptych.siblings import library_names
from diptych.store import Store, read_json
from diptych.testing.command import (
    SuiteSettings,
    TestResult,
    TestRun,
    findings_file,
    library_variable,
    run_tests,
)
from diptych.testing.layout import Layout, LayoutJob, lay_out
from diptych.testing.process_records import Promise, judge
from diptych.testing.sanitized import Finding, Supervision
from diptych.testing.sources import copy_tests

KIND = "insource"


@dataclass(frozen=True, kw_only=True)
class InSource:
    """In-source tests that passed.

    Attributes:
        tests: how many cases ran, if known.
        seconds: wall time.
        libraries: the shared libraries that were really loaded.
        results: folder with JUnit XML and log.
        kept: whether an earlier run had passed with the same inputs.
    """

    tests: int | None
    seconds: float
    libraries: tuple[Path, ...]
    results: Path
    kept: bool


@dataclass(frozen=True, kw_only=True)
class InSourceSettings(SuiteSettings):
    """What the table says of the tests in source."""

    in_source: InSourceWay


@dataclass(frozen=True, kw_only=True)
class InSourceJob:
    """The inputs of in-source tests.

    Attributes:
        cell: the cell's name.
        python: such as ``3.11``.
        platform: conda's name of it.
        package: import name.
        settings: what the table says of the tests.
        source: the project.
        environment: the one that the stage was compiled against.
        stage: what was compiled.
        env: what :func:`diptych.build.toolenv.system_of` lets in of the process environment.
        store: where results go.
    """

    cell: Annotated[str, NAME]
    python: str
    platform: str
    package: str
    settings: InSourceSettings
    source: Annotated[Path, Unkeyed("its files are in the key of the stage")]
    environment: Annotated[Environment, By(lambda one: one.lock_hashes)]
    stage: Annotated[Stage, By(lambda one: one.key)]
    env: Annotated[Mapping[str, str], SYSTEM]
    store: Annotated[Store, PLACE]


def in_source_job(
    cell: Cell,
    config: Config,
    *,
    environment: Environment,
    stage: Stage,
    store: Store,
    env: Mapping[str, str],
) -> InSourceJob:
    """Return the inputs of a cell's tests in source, out of the process environment ``env`` and the table."""
    return InSourceJob(
        cell=cell.id,
        python=cell.python,
        platform=cell.platform,
        package=config.package,
        settings=part(InSourceSettings, cell.settings),
        source=config.source,
        environment=environment,
        stage=stage,
        env=system_of(env),
        store=store,
    )


def test_in_source(job: InSourceJob) -> InSource:
    """Run the tests once for these inputs; a pass is remembered.

    Raises:
        TestsFailedError: they failed.
        LinkageError: they passed with something that is not of this cell.
    """

    def make(empty: Path) -> None:
        _write(empty, *_run(job, empty, posargs=(), stream=False))

    folder, made = made_once(job.store, job.cell, inputs_of(KIND, job), make)
    record = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return InSource(
        tests=record["tests"],
        seconds=record["seconds"],
        libraries=tuple(map(Path, record["libraries"])),
        results=folder,
        kept=not made,
    )


def test_by_hand(job: InSourceJob, posargs: Sequence[str], results: Path) -> TestResult:
    """Run the tests with a person's own arguments, the output on the terminal, nothing remembered.

    The libraries are judged only when the package was imported: ``--collect-only`` or ``-k`` may not need it.

    Raises:
        TestsFailedError, LinkageError: as :func:`test_in_source`.
    """
    result = run_tests(_test_run(job, results, posargs=posargs, stream=True))
    if any(record.imported for record in result.records):
        judge(result.records, _promise(job, _layout(job).folder))
    return result


def shell_environment(job: InSourceJob, *, path: str) -> dict[str, str]:
    """Return what a shell needs so that ``import`` works from source, in the same way as for the tests."""
    layout = _layout(job)
    libraries = {library_variable(job.platform): ":".join(map(str, layout.libraries))}
    return {
        "PYTHONPATH": str(layout.folder),
        **(libraries if layout.libraries else {}),
        "PATH": f"{layout.programs}:{job.environment.prefix / 'bin'}:{path}",
        "CONDA_PREFIX": str(job.environment.prefix),
    }


def _layout(job: InSourceJob) -> Layout:
    parts = LayoutJob(stage=job.stage, environment=job.environment, store=job.store, env=job.env)
    return lay_out(parts, job.settings.in_source)


def _run(
    job: InSourceJob, empty: Path, *, posargs: Sequence[str], stream: bool
) -> tuple[TestResult, tuple[Path, ...]]:
    run = _test_run(job, empty, posargs=posargs, stream=stream)
    result = run_tests(run)
    return result, judge(result.records, _promise(job, run.paths[0]))


def _test_run(job: InSourceJob, results: Path, *, posargs: Sequence[str], stream: bool) -> TestRun:
    layout = _layout(job)
    cwd = job.source
    if names := job.settings.test_sources:
        cwd = results / "tests"
        copy_tests(names, job.source, cwd)
    return TestRun(
        argv=(
            *job.settings.command(source=job.source, python=job.environment.python),
            *posargs,
        ),
        env=declared(job.env, extra=job.settings.env),
        cwd=cwd,
        package=job.package,
        results=results,
        log=_log(job),
        paths=(layout.folder,),
        libraries=layout.libraries,
        programs=(layout.programs, job.environment.prefix / "bin"),
        platform=job.platform,
        stream=stream,
        supervision=_supervision(job),
    )


def _supervision(job: InSourceJob) -> Supervision | None:
    sanitizer = job.stage.compiler.sanitizer
    if sanitizer is None:
        return None
    library = job.environment.prefix / "lib" / "libstdc++.so.6"
    return Supervision(
        sanitizer=sanitizer,
        standard_library=library if library.exists() else None,
        own_malloc=not is_free_threaded(job.python),
        folder=_log(job).with_suffix(".reports"),
        source=job.source,
    )


def _log(job: InSourceJob) -> Path:
    return _log_of(job.store, job.cell)


def _log_of(store: Store, cell: str) -> Path:
    return store.root / "logs" / cell / "test-in-source.log"


def findings_of(store: Store, cell: str) -> tuple[Finding, ...] | None:
    """Return what the sanitizer of a cell has found in its last tests in source; None where they were not run to their end."""
    found = read_json(findings_file(_log_of(store, cell))).get("findings")
    return None if found is None else tuple(Finding(**one) for one in found)


def _promise(job: InSourceJob, overlay: Path) -> Promise:
    prefix, sanitizer = job.environment.prefix, job.stage.compiler.sanitizer
    runtime = [sanitizer.runtime.parent] if sanitizer else []
    return Promise(
        package=job.package,
        python=job.python,
        homes=(prefix, job.stage.tree, job.stage.root, job.source, overlay, *runtime),
        modules=overlay,
        own=library_names(prefix),
    )


def _write(folder: Path, result: TestResult, libraries: tuple[Path, ...]) -> None:
    record = {
        "tests": result.tests,
        "seconds": result.seconds,
        "libraries": [str(path) for path in libraries],
    }
    (folder / "result.json").write_text(json.dumps(record), encoding="utf-8")
