"""The in-source tests: source tree and build tree, before anything is installed or relinked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diptych.build.stage import Stage
from diptych.build.toolenv import declared
from diptych.config import Config
from diptych.environments import Environment
from diptych.inputs import Inputs, made_once
from diptych.matrix import Cell
from diptych.store import Store
from diptych.testing.command import TestResult, TestRun, library_variable, run_tests
from diptych.testing.layout import Layout, LayoutJob, lay_out
from diptych.testing.sources import copy_tests
from diptych.testing.witnesses import Promise, judge

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
class InSourceJob:
    """The inputs of in-source tests; ``environment`` is the one that the stage was compiled against."""

    cell: Cell
    config: Config
    environment: Environment
    stage: Stage
    store: Store
    env: Mapping[str, str]


def test_in_source(job: InSourceJob) -> InSource:
    """Run the tests once for these inputs; a pass is remembered.

    Raises:
        TestsFailedError: they failed.
        LinkageError: they passed with something that is not of this cell.
    """
    settings = job.cell.settings
    inputs = Inputs(
        stage=KIND,
        values={
            "stage": job.stage.key,
            "host": job.environment.lock_hashes,
            "test": settings.test,
            "test-sources": settings.test_sources,
            "env": dict(settings.env),
            "in-source": settings.in_source,
            "package": job.config.package,
        },
    )

    def make(empty: Path) -> None:
        _write(empty, *_run(job, empty, posargs=(), stream=False))

    folder, made = made_once(job.store, job.cell.id, inputs, make)
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
    if any(witness.imported for witness in result.witnesses):
        judge(result.witnesses, _promise(job, _layout(job).folder))
    return result


def shell_environment(job: InSourceJob) -> dict[str, str]:
    """Return what a shell needs so that ``import`` works from source, in the same way as for the tests."""
    layout = _layout(job)
    libraries = {library_variable(job.cell.platform): ":".join(map(str, layout.libraries))}
    return {
        "PYTHONPATH": str(layout.folder),
        **(libraries if layout.libraries else {}),
        "PATH": f"{layout.programs}:{job.environment.prefix / 'bin'}:{job.env.get('PATH', '')}",
        "CONDA_PREFIX": str(job.environment.prefix),
    }


def _layout(job: InSourceJob) -> Layout:
    parts = LayoutJob(stage=job.stage, environment=job.environment, store=job.store, env=job.env)
    return lay_out(parts, job.cell.settings.in_source)


def _run(
    job: InSourceJob, empty: Path, *, posargs: Sequence[str], stream: bool
) -> tuple[TestResult, tuple[Path, ...]]:
    run = _test_run(job, empty, posargs=posargs, stream=stream)
    result = run_tests(run)
    return result, judge(result.witnesses, _promise(job, run.paths[0]))


def _test_run(job: InSourceJob, results: Path, *, posargs: Sequence[str], stream: bool) -> TestRun:
    layout = _layout(job)
    cwd = job.config.source
    if names := job.cell.settings.test_sources:
        cwd = results / "tests"
        copy_tests(names, job.config.source, cwd)
    return TestRun(
        argv=(
            *job.cell.settings.test_command(source=job.config.source, python=job.environment.python),
            *posargs,
        ),
        env=declared(job.env, extra=job.cell.settings.env),
        cwd=cwd,
        package=job.config.package,
        results=results,
        log=job.store.root / "logs" / job.cell.id / "test-in-source.log",
        paths=(layout.folder,),
        libraries=layout.libraries,
        programs=(layout.programs, job.environment.prefix / "bin"),
        platform=job.cell.platform,
        stream=stream,
    )


def _promise(job: InSourceJob, overlay: Path) -> Promise:
    prefix = job.environment.prefix
    return Promise(
        package=job.config.package,
        python=job.cell.python,
        homes=(prefix, job.stage.tree, job.stage.root, job.config.source, overlay),
        modules=overlay,
        own=frozenset(path.name for path in (prefix / "lib").glob("*.so*")),
    )


def _write(folder: Path, result: TestResult, libraries: tuple[Path, ...]) -> None:
    record = {
        "tests": result.tests,
        "seconds": result.seconds,
        "libraries": [str(path) for path in libraries],
    }
    (folder / "result.json").write_text(json.dumps(record), encoding="utf-8")
