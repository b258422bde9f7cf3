"""Put a cell's packages and their provenance into ``dist/``, and keep the conda folder an indexed channel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diptych.flow.record import Artefact
from diptych.flow.workspace import Workspace
from diptych.matrix import Cell
from diptych.packages.channel_folder import index_folder
from diptych.store import copy_file, sha256_file, write_json

_SUFFIX = ".provenance.json"


def publish(
    workspace: Workspace, cell: Cell, *, wheel: Artefact, conda: Artefact, provenance: dict[str, Any]
) -> tuple[Path, Path]:
    """Copy what is not there yet; remove what an earlier build of the same cell and version left beside it.

    The first compiler's packages go to ``dist/wheels`` and ``dist/conda``; every other compiler has a folder of
    its own, since its file names are the same.

    Returns:
        The wheel and the conda package in ``dist/``.

    Raises:
        StoreError: the folder cannot be written, or the disk is full.
    """
    base = workspace.dist if cell.first_compiler else workspace.dist / cell.compiler.name
    channel = base / "conda"
    with workspace.store.lock("dist"):
        placed = (
            _place(wheel, base / "wheels", provenance, cell),
            _place(conda, channel / cell.platform, provenance, cell),
        )
        (channel / "noarch").mkdir(parents=True, exist_ok=True)
        if any(changed for _, changed in placed) or not _indexed(channel, cell.platform, conda.path.name):
            index_folder(channel)
    return placed[0][0], placed[1][0]


def _place(artefact: Artefact, folder: Path, provenance: dict[str, Any], cell: Cell) -> tuple[Path, bool]:
    """Copy one package unless the same bytes are there, and say whether anything changed."""
    target = folder / artefact.path.name
    changed = not target.is_file() or sha256_file(target) != artefact.sha256
    if changed:
        copy_file(artefact.path, target)
    superseded = [other for other in _of_cell(folder, cell.id, provenance) if other != target]
    for other in superseded:
        other.unlink()
        other.with_name(other.name + _SUFFIX).unlink()
    beside = target.with_name(target.name + _SUFFIX)
    content = {"file": target.name, "sha256": artefact.sha256, **provenance}
    if _read(beside) != json.loads(json.dumps(content, default=str)):
        write_json(beside, content)
    return target, changed or bool(superseded)


def _of_cell(folder: Path, cell: str, provenance: dict[str, Any]) -> Iterator[Path]:
    """Yield the packages in a folder whose provenance says that this cell made them, for this version."""
    for beside in sorted(folder.glob(f"*{_SUFFIX}")):
        found = _read(beside)
        wanted = {"cell": cell, **{name: provenance.get(name) for name in ("platform", "version")}}
        same = all(found.get(name) == value for name, value in wanted.items())
        package = beside.with_name(beside.name.removesuffix(_SUFFIX))
        if same and package.is_file():
            yield package


def _indexed(channel: Path, platform: str, name: str) -> bool:
    """Tell whether the channel's index is whole and lists the package."""
    index = _read(channel / platform / "repodata.json")
    names = [f"{subdir}/repodata.json{suffix}" for subdir in (platform, "noarch") for suffix in ("", ".zst")]
    return name in index.get("packages.conda", {}) and all((channel / one).is_file() for one in names)


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
