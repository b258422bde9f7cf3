"""Verify both packages of a built cell in clean environments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from diptych import channel as channels
from diptych import interpreters, libraries
from diptych.archives import open_package
from diptych.channel.local import wanted_before
from diptych.errors import ConfigError, MissingToolError
from diptych.matrix import Cell
from diptych.records import CellRecord, read_record
from diptych.testing.verify import Verified, verify, verify_job
from diptych.workspace import Workspace


def built(workspace: Workspace, cell: Cell) -> CellRecord:
    """Return the record of a cell.

    Raises:
        ConfigError: the cell is not built.
    """
    record = read_record(workspace.store, cell.id)
    if record is None:
        session = f"build-{cell.python}({cell.compiler.name})"
        raise ConfigError(f"{cell.id} is not built", hint=f'run: nox -s "{session}"')
    return record


def verify_cell(workspace: Workspace, cell: Cell) -> tuple[Verified, Verified]:
    """Install wheel and conda package, each into a clean environment, and run the tests against them.

    Raises:
        ConfigError: the cell is not built.
        PackageError, TestsFailedError, LinkageError: as :func:`diptych.testing.verify.verify` says.
    """
    record = built(workspace, cell)
    done = []
    for name, package in (("verify wheel", record.wheel.path), ("verify conda", record.conda.path)):
        with workspace.output.step(name) as step:
            if name == "verify conda":
                _bring_dependencies(workspace, cell, record, step.progress)
            job = verify_job(
                cell,
                workspace.config,
                file=package,
                interpreter=plain_python(workspace, cell),
                channels=record.channels,
                store=workspace.store,
                env=workspace.env,
            )
            result = verify(job)
            count = "passed" if result.tests is None else f"{result.tests} tests passed"
            whose = f", which is {record.served_by}'s" if record.served_by else ""
            step.text, step.kept = f"{count} against the installed package{whose}", result.kept
        done.append(result)
    return done[0], done[1]


def _bring_dependencies(
    workspace: Workspace, cell: Cell, record: CellRecord, say: Callable[[str], None]
) -> None:
    """Let the local channel, where it stands in, have what the package depends on.

    A dependency that setup.py or a backend makes up is known only now: the host environment was made before the build.
    """
    root = workspace.store.root / "channel"
    if root.as_uri() not in record.channels:
        return
    packages = record.conda_packages.files
    there = {package.name.rsplit("-", 2)[0] for package in packages}
    there |= libraries.names_in(record.channels, store=workspace.store)
    depends = [spec for package in packages for spec in _depends(package) if spec.split()[0] not in there]
    # With the tests' own: a channel of an older Diptych is made anew, and keeps what is asked for now.
    wanted = [*depends, *cell.settings.test_requires]
    if not set(wanted) <= set(wanted_before(root).get(cell.python, ())):
        channels.ensure(
            wanted, python=cell.python, root=root, store=workspace.store, env=workspace.env, say=say
        )


def _depends(conda: Path) -> list[str]:
    with open_package(conda) as package:
        return [str(spec) for spec in package.metadata.index.get("depends", ())]


def plain_python(workspace: Workspace, cell: Cell) -> Path:
    """Find a Python that is not the cell's own, for a plain virtual environment: what a pip user has.

    Raises:
        MissingToolError: this machine has none of that version.
    """
    found = interpreters.find(cell.python, env=workspace.env, store=workspace.store)
    if found is not None:
        return found.executable
    raise MissingToolError(
        f"no Python {cell.python} on this machine for a plain virtual environment",
        hint=f"install it: pyenv install {cell.python}, uv python install {cell.python}, or your system's packages",
    )
