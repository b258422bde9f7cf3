"""``diptych environment``: the lock of a cell's host environment, and the same environment again."""

from __future__ import annotations

import json as json_module
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from diptych.errors import ConfigError
from diptych.matrix import find
from diptych.tasks.surface import process_workspace, surface

if TYPE_CHECKING:
    from invoke.context import Context


@surface(
    builds=True,
    positional=["cell"],
    help={
        "cell": "the cell, such as 3.11-gcc",
        "rebuild": "make the same environment in this folder: the same packages by URL and hash, nothing solved",
        "json": "print the lock as JSON",
    },
)
def environment(_context: Context, cell: str, rebuild: str = "", json: bool = False) -> None:  # noqa: FBT001, FBT002 -- an invoke flag
    """Show what a cell was built against, package by package, or make it again elsewhere."""
    workspace = process_workspace()
    found = find(workspace.cells, cell)
    name = found.id
    path = workspace.store.root / "environment-locks" / f"{name}.json"
    if not path.is_file():
        raise ConfigError(
            f"{name} has no environment yet", hint=f"build it first: nox -s build-{found.python}"
        )
    lock = json_module.loads(path.read_text(encoding="utf-8"))
    if rebuild:
        _rebuild(Path(rebuild).absolute(), lock["packages"], env=workspace.env)
        workspace.output.line(f"{len(lock['packages'])} packages in {rebuild}")
    elif json:
        workspace.output.json(lock)
    else:
        for package in lock["packages"]:
            workspace.output.line(
                f"{package['name']:<24} {package['version']:<12} {package['build']:<28} {package['sha256'][:12]}"
            )


def _rebuild(prefix: Path, packages: list[dict[str, str]], *, env: Mapping[str, str]) -> None:
    from diptych.environments import LockedPackage, rebuild  # noqa: PLC0415 -- heavy, and not for --list

    if prefix.exists() and any(prefix.iterdir()):
        raise ConfigError(f'"{prefix}" is there and not empty', hint="name a new folder")
    rebuild([LockedPackage(**package) for package in packages], prefix, env=env)
