"""Put a cell's packages and their provenance into ``dist/``, and keep the conda folder an indexed channel."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.matrix import Cell
from diptych.packages.channel_folder import index_folder, lists
from diptych.records import PROVENANCE, Artefact
from diptych.store import copy_file, read_json, sha256_file, write_json
from diptych.workspace import Workspace


def publish(
    workspace: Workspace, cell: Cell, *, wheel: Artefact, conda: Artefact, provenance: dict[str, Any]
) -> tuple[Path, ...]:
    """Copy what is not there yet; remove what an earlier build of the same cell and version left beside it.

    The first compiler's packages go to ``dist/wheels`` and ``dist/conda``; every other compiler has a folder of
    its own, since its file names are the same.

    Returns:
        The wheel and the conda package in ``dist/``, and the package of its C++ library if there is one.

    Raises:
        StoreError: the folder cannot be written, or the disk is full.
    """
    places = places_of(cell, workspace.dist)
    channel = places.channel
    packages = conda.together
    with workspace.store.lock("dist"):
        placed = (
            _place(wheel, places.wheels, provenance),
            *(_place(one, channel / cell.platform, provenance) for one in packages),
        )
        (channel / "noarch").mkdir(parents=True, exist_ok=True)
        if any(changed for _, changed in placed) or not all(
            lists(channel, cell.platform, one.path.name, one.sha256) for one in packages
        ):
            index_folder(channel)
    return tuple(path for path, _ in placed)


def withdraw(workspace: Workspace, cell: Cell, *, keep: Collection[Path]) -> None:
    """Remove what an earlier build of a cell left in ``dist/``: another cell's packages serve it now.

    Args:
        workspace: the checkout.
        cell: the one that is served.
        keep: the packages that serve it. The C++ library of both may be one file, which the cell that was built last has placed.

    Raises:
        StoreError: the folder cannot be written.
    """
    places = places_of(cell, workspace.dist)
    with workspace.store.lock("dist"):
        folders = (places.wheels, places.channel / cell.platform)
        gone = [
            beside
            for folder in folders
            for beside in sorted(folder.glob(f"*{PROVENANCE}"))
            if read_json(beside).get("cell") == cell.id
            and beside.with_name(beside.name.removesuffix(PROVENANCE)) not in keep
        ]
        for beside in gone:
            beside.with_name(beside.name.removesuffix(PROVENANCE)).unlink(missing_ok=True)
            beside.unlink()
        if gone:
            index_folder(places.channel)


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where the packages of a cell go: the first compiler's to the top, since the others' have the same names."""

    wheels: Path
    channel: Path


def places_of(cell: Cell, out: Path) -> Places:
    """Return the folder for the wheels of a cell and its conda channel, below ``out``."""
    base = out if cell.first_compiler else out / cell.compiler.name
    return Places(wheels=base / "wheels", channel=base / "conda")


def superseded(target: Path, provenance: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the other packages of that name beside ``target`` whose provenance says the same cell, platform and version."""
    wanted = {name: provenance.get(name) for name in ("cell", "platform", "version")}
    for beside in sorted(target.parent.glob(f"*{PROVENANCE}")):
        package = beside.with_name(beside.name.removesuffix(PROVENANCE))
        found = read_json(beside)
        same = _project(package) == _project(target)
        if package != target and same and all(found.get(name) == value for name, value in wanted.items()):
            yield package


def _project(package: Path) -> str:
    """Return the name of a conda package; a folder of wheels has those of one project."""
    return package.name.rsplit("-", 2)[0] if package.suffix == ".conda" else ""


def _place(artefact: Artefact, folder: Path, provenance: dict[str, Any]) -> tuple[Path, bool]:
    """Copy one package unless the same bytes are there, and say whether anything changed."""
    target = folder / artefact.path.name
    changed = not target.is_file() or sha256_file(target) != artefact.sha256
    if changed:
        copy_file(artefact.path, target)
    others = [other for other in superseded(target, provenance) if other.is_file()]
    for other in others:
        other.unlink()
        other.with_name(other.name + PROVENANCE).unlink()
    beside = target.with_name(target.name + PROVENANCE)
    content = {"file": target.name, "sha256": artefact.sha256, **provenance}
    if read_json(beside) != json.loads(json.dumps(content, default=str)):
        write_json(beside, content)
    return target, changed or bool(others)
