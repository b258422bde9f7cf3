"""Measure both packages of a cell: each in a clean environment of its own, in turns.

Installing is timed from nothing to a finished environment, downloads and channels at hand: the better of two, of which
the first fetches what is missing. Everything else is timed in fresh processes, one of the wheel's environment, then one
of the conda package's, and again: so a machine that slows down meanwhile slows both. The least of several times is
kept, as noise only adds. Kept by the bytes of both packages and by all that the benchmark reads.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych import process
from diptych.build.sources import source_hash
from diptych.build.toolenv import declared
from diptych.config import Config
from diptych.cost.benchmark import of_several, run_benchmark
from diptych.cost.model import Benchmark, Cost, Costs
from diptych.cost.sizes import sizes_in_conda, sizes_in_venv
from diptych.errors import PackageError, ProcessError
from diptych.matrix import Cell
from diptych.records import CondaPackages
from diptych.store import Store, digest, sha256_file
from diptych.testing.clean import conda_prefix, wheel_prefix

KIND = "cost"
_INSTALLS = 2
_STARTS = 7
_BENCHMARKS = 3
_PROBE = Path(__file__).with_name("probe.py")


@dataclass(frozen=True, kw_only=True)
class CostJob:
    """The inputs of one measurement.

    Attributes:
        cell: for its Python and what the table says about it.
        config: the table.
        wheel: the wheel.
        conda: the conda packages.
        channels: where the conda package's dependencies come from.
        store: where the figures are kept.
        env: the process environment.
    """

    cell: Cell
    config: Config
    wheel: Path
    conda: CondaPackages
    channels: tuple[str, ...]
    store: Store
    env: Mapping[str, str]

    @property
    def key(self) -> str:
        """Name the figures by all that went into them."""
        settings, sources = self.cell.settings, ""
        if settings.benchmark:
            sources = source_hash(self.config.source, env=self.env)
        packages = [sha256_file(one) for one in (self.wheel, *self.conda.files)]
        told = [settings.benchmark, dict(settings.env) if settings.benchmark else {}]
        return digest("2", packages, self.config.package, self.channels, told, sources)


def kept(job: CostJob) -> Costs | None:
    """Return the figures of an earlier run over the same bytes, if there are any."""
    folder = job.store.find(KIND, job.key)
    return _read(folder) if folder else None


def measured(job: CostJob, python: Path) -> tuple[Costs, bool]:
    """Return the figures, and whether they are of an earlier run.

    Args:
        job: what to measure.
        python: the interpreter whose plain virtual environment the wheel goes into.

    Raises:
        PackageError, HostEnvironmentError: a package cannot be installed or imported.
        TestsFailedError: the benchmark failed.
    """

    def make(empty: Path) -> None:
        with _scratch(job) as scratch:
            costs = _measure(job, python, scratch)
        (empty / "cost.json").write_text(json.dumps(costs.to_json()), encoding="utf-8")

    folder, made = job.store.entry(KIND, job.key, make)
    return _read(folder), not made


def _read(folder: Path) -> Costs:
    return Costs.from_json(json.loads((folder / "cost.json").read_text(encoding="utf-8")))


def _measure(job: CostJob, python: Path, scratch: Path) -> Costs:
    log = job.store.root / "logs" / job.cell.id / "cost-wheel.log"
    log.unlink(missing_ok=True)
    installed = [
        _installed(
            scratch / "wheel", lambda to: wheel_prefix(job.wheel, to, python=python, env=job.env, log=log)
        ),
        _installed(
            scratch / "conda",
            lambda to: conda_prefix(
                job.conda,
                to,
                python=job.cell.python,
                platform=job.cell.platform,
                channels=job.channels,
                env=job.env,
            ),
        ),
    ]
    prefixes = [prefix for prefix, _ in installed]
    ours = [file.name.rsplit("-", 2)[0] for file in job.conda.files]
    # Before anything is imported: an import writes bytecode that is nobody's.
    sizes = [sizes_in_venv(prefixes[0], job.config.project.name), sizes_in_conda(prefixes[1], *ours)]
    imports, loads, benchmarks = _by_turns(job, prefixes, scratch)
    left, right = (
        Cost(
            install_seconds=round(installed[side][1], 3),
            import_seconds=_least(imports[side]) or 0.0,
            load_seconds=_least(loads[side]),
            loaded=loads[side][-1]["libraries"],
            own=sizes[side][0],
            shared=sizes[side][1],
            benchmark=of_several(benchmarks[side]) if benchmarks[side] else None,
        )
        for side in range(2)
    )
    return Costs(left=left, right=right, command=job.cell.settings.benchmark or "")


def _installed(folder: Path, install: Callable[[Path], Path]) -> tuple[Path, float]:
    """Install several times, the last of which stays; return its prefix and the least of the times."""
    prefix, times = folder, []
    for _ in range(_INSTALLS):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        started = time.perf_counter()
        prefix = install(folder)
        times.append(time.perf_counter() - started)
    return prefix, min(times)


def _by_turns(
    job: CostJob, prefixes: list[Path], scratch: Path
) -> tuple[list[list[dict[str, Any]]], list[list[dict[str, Any]]], list[list[Benchmark]]]:
    imports: list[list[dict[str, Any]]] = [[], []]
    loads: list[list[dict[str, Any]]] = [[], []]
    benchmarks: list[list[Benchmark]] = [[], []]
    for _ in range(_STARTS):
        for side, prefix in enumerate(prefixes):
            imports[side].append(_probe(job, prefix, "import", scratch))
            loads[side].append(_probe(job, prefix, "load", scratch))
    if job.cell.settings.benchmark:
        for _ in range(_BENCHMARKS):
            for side, prefix in enumerate(prefixes):
                benchmarks[side].append(_benchmark(job, prefix, scratch))
    return imports, loads, benchmarks


def _probe(job: CostJob, prefix: Path, what: str, cwd: Path) -> dict[str, Any]:
    python = prefix / "bin" / "python"
    try:
        # -I: no variable and no folder of the user's; bytecode is written, as conda brings it and pip was told not to.
        done = process.run([python, "-I", _PROBE, what, job.config.package], env=declared(job.env), cwd=cwd)
    except ProcessError as error:
        raise PackageError(
            f'{job.config.package} cannot be imported in a clean environment ("{prefix.name}")',
            details=error.details,
        ) from error
    said: dict[str, Any] = json.loads(done.output.splitlines()[-1])
    return said


def _benchmark(job: CostJob, prefix: Path, cwd: Path) -> Benchmark:
    settings, programs = job.cell.settings, prefix / "bin"
    env = declared(job.env, programs, extra=settings.env)
    argv = settings.benchmark_command(source=job.config.source, python=programs / "python")
    return run_benchmark(argv, env=env, cwd=cwd)


def _least(runs: list[dict[str, Any]]) -> float | None:
    times = [run["seconds"] for run in runs]
    return None if None in times else round(min(times), 6)


@contextmanager
def _scratch(job: CostJob) -> Iterator[Path]:
    base = job.store.root / "verify"
    base.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"cost-{job.cell.id}-", dir=base))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
