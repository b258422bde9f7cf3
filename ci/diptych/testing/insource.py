"""The in-source tests: source tree and build tree, before anything is installed or relinked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diptych.build.stage import Stage
from diptych.build.toolenv import scrubbed
from diptych.config import Config
from diptych.environments import Environment
from diptych.matrix import Cell
from diptych.store import Store, digest
from diptych.testing.command import TestResult, TestRun, library_variable, run_tests
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
    key = digest(
        job.stage.key, job.environment.lock_hash, job.cell.settings.test, dict(job.cell.settings.env)
    )

    def make(empty: Path) -> None:
        _write(empty, *_run(job, empty, posargs=(), stream=False))

    folder, made = job.store.entry(KIND, key, make)
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
        judge(result.witnesses, _promise(job, overlay_folder(job)))
    return result


def make_overlay(stage: Stage, folder: Path) -> None:
    """Lay out the package as if installed, in links: Python files to the source tree, binaries to the build tree.

    So the tests see an edit at once, and what they load was never installed. A file that CMake generated at
    install time has no origin; its link goes to the stage.
    """
    for name in stage.files:
        link = folder / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(stage.origins.get(name, stage.folder / name))


def overlay_folder(job: InSourceJob) -> Path:
    """Return the cell's overlay, made when it is not there: a folder of links, named by the stage and where they lead."""
    key = digest(job.stage.key, job.stage.origins)
    folder, _ = job.store.entry("overlay", key, lambda empty: make_overlay(job.stage, empty))
    return folder


def library_folders(job: InSourceJob) -> tuple[Path, ...]:
    """Return where the loader must look in source: the build tree's libraries first, then the environment's."""
    built = {
        origin.parent
        for name, origin in job.stage.origins.items()
        if origin.is_relative_to(job.stage.tree) and Path(name).suffix in {".so", ".dylib"}
    }
    return (*sorted(built), job.environment.prefix / "lib")


def shell_environment(job: InSourceJob) -> dict[str, str]:
    """Return what a shell needs so that ``import`` works from source, with all paths set."""
    overlay = overlay_folder(job)
    return {
        "PYTHONPATH": str(overlay),
        library_variable(job.cell.platform): ":".join(map(str, library_folders(job))),
        "PATH": f"{job.environment.prefix / 'bin'}:{job.env.get('PATH', '')}",
        "CONDA_PREFIX": str(job.environment.prefix),
    }


def _run(
    job: InSourceJob, empty: Path, *, posargs: Sequence[str], stream: bool
) -> tuple[TestResult, tuple[Path, ...]]:
    run = _test_run(job, empty, posargs=posargs, stream=stream)
    result = run_tests(run)
    return result, judge(result.witnesses, _promise(job, run.paths[0]))


def _test_run(job: InSourceJob, results: Path, *, posargs: Sequence[str], stream: bool) -> TestRun:
    return TestRun(
        argv=(
            *job.cell.settings.test_command(source=job.config.source, python=job.environment.python),
            *posargs,
        ),
        env={**scrubbed(job.env), **job.cell.settings.env},
        cwd=job.config.source,
        package=job.config.package,
        results=results,
        log=job.store.root / "logs" / job.cell.id / "test-in-source.log",
        paths=(overlay_folder(job),),
        libraries=library_folders(job),
        programs=(job.environment.prefix / "bin",),
        platform=job.cell.platform,
        stream=stream,
    )


def _promise(job: InSourceJob, overlay: Path) -> Promise:
    prefix = job.environment.prefix
    return Promise(
        package=job.config.package,
        python=job.cell.python,
        homes=(prefix, job.stage.tree, job.config.source, overlay),
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
