"""What a package costs in a clean environment of its own: the time to install it with what it needs, and to import it.

Both sides are measured alike: from nothing to an environment in which the package imports, downloads and channels at
hand; then the import, over and above a bare interpreter, as the best of several processes. Kept by the package's bytes.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from diptych import interpreters, process
from diptych.build.toolenv import scrubbed
from diptych.compare import Comparison
from diptych.environments import HostRequest, create
from diptych.errors import MissingToolError
from diptych.flow.record import CellRecord
from diptych.flow.workspace import Workspace
from diptych.matrix import Cell, find
from diptych.packages.channel_folder import index_folder
from diptych.packages.pip import pip_install
from diptych.store import digest

KIND = "cost"
_RUNS = 7
_IMPORT = "import time; start = time.perf_counter(); import {package}; print(time.perf_counter() - start)"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Measured times.

    Attributes:
        install_seconds: from nothing to an environment that has the package and its dependencies.
        import_seconds: of the import alone.
    """

    install_seconds: float
    import_seconds: float


def with_costs(
    workspace: Workspace, records: Sequence[CellRecord], comparisons: Sequence[Comparison]
) -> tuple[Comparison, ...]:
    """Measure both packages of every cell and put the times into the comparisons' facts.

    Raises:
        MissingToolError: this machine has no plain interpreter of a cell's version.
        ProcessError, HostEnvironmentError: a package cannot be installed or imported.
    """
    found = []
    for record, comparison in zip(records, comparisons, strict=True):
        cell = find(workspace.cells, record.cell)
        with workspace.output.step(f"cost {cell.id}") as step:
            wheel, conda = _wheel_cost(workspace, cell, record), _conda_cost(workspace, cell, record)
            step.text = (
                f"import {wheel.import_seconds * 1000:.0f} ms | {conda.import_seconds * 1000:.0f} ms, "
                f"install {wheel.install_seconds:.1f} s | {conda.install_seconds:.1f} s"
            )
        cost = {"left": vars(wheel), "right": vars(conda)}
        found.append(replace(comparison, facts={**comparison.facts, "cost": cost}))
    return tuple(found)


def _wheel_cost(workspace: Workspace, cell: Cell, record: CellRecord) -> Cost:
    plain = interpreters.find(cell.python, env=workspace.env, store=workspace.store)
    if plain is None:
        raise MissingToolError(f"no Python {cell.python} on this machine for a plain virtual environment")
    env, interpreter = scrubbed(workspace.env), plain.executable

    def install(scratch: Path) -> Path:
        prefix = scratch / "venv"
        log = workspace.logs(cell) / "cost-wheel.log"
        process.run(
            [str(interpreter), "-m", "venv", "--without-pip", str(prefix)], env=env, cwd=scratch, log=log
        )
        python = prefix / "bin" / "python"
        process.run([*pip_install(python), record.wheel.path], env=env, cwd=scratch, log=log)
        return python

    return _cost(workspace, record.wheel.sha256, install)


def _conda_cost(workspace: Workspace, cell: Cell, record: CellRecord) -> Cost:
    def install(scratch: Path) -> Path:
        channel = scratch / "channel"
        (channel / cell.platform).mkdir(parents=True)
        (channel / "noarch").mkdir()
        shutil.copy2(record.conda.path, channel / cell.platform)
        index_folder(channel)
        name, version, build = record.conda.path.name.removesuffix(".conda").rsplit("-", 2)
        request = HostRequest(
            python=cell.python,
            specs=(f"{name} =={version} {build}",),
            channels=(channel.as_uri(), *record.channels),
        )
        create(request, scratch / "prefix")
        return scratch / "prefix" / "bin" / "python"

    return _cost(workspace, record.conda.sha256, install)


def _cost(workspace: Workspace, sha256: str, install: Callable[[Path], Path]) -> Cost:
    def make(empty: Path) -> None:
        with _scratch(workspace) as scratch:
            started = time.perf_counter()
            python = install(scratch)
            installed = time.perf_counter() - started
            imported = _import_seconds(python, workspace.config.package, scrubbed(workspace.env), scratch)
        record = {"install_seconds": round(installed, 3), "import_seconds": round(imported, 5)}
        (empty / "cost.json").write_text(json.dumps(record), encoding="utf-8")

    folder, _ = workspace.store.entry(KIND, digest(sha256, workspace.config.package), make)
    return Cost(**json.loads((folder / "cost.json").read_text(encoding="utf-8")))


def _import_seconds(python: Path, package: str, env: Mapping[str, str], cwd: Path) -> float:
    # The first run writes the bytecode that conda's packages bring and pip was told not to make.
    plain = {name: value for name, value in env.items() if name != "PYTHONDONTWRITEBYTECODE"}
    argv = [str(python), "-c", _IMPORT.format(package=package)]
    return min(float(process.run(argv, env=plain, cwd=cwd).output) for _ in range(_RUNS))


@contextmanager
def _scratch(workspace: Workspace) -> Iterator[Path]:
    base = workspace.store.root / "verify"
    base.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="cost-", dir=base))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
