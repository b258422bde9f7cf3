"""Plan what cleaning removes, then remove it: only what Diptych made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from diptych.environments import STAMP
from diptych.records import PROVENANCE
from diptych.workspace import Workspace

_INDEX = ("repodata*.json*", "run_exports.json*", "current_repodata.json*", "repodata_shards*", "shards/*")


@dataclass(frozen=True, kw_only=True)
class Removal:
    """One line of the plan.

    Attributes:
        path: what goes.
        why: what it is.
        size: bytes below it.
    """

    path: Path
    why: str
    size: int


def plan_clean(workspace: Workspace, *, channel: bool, dist: bool) -> tuple[Removal, ...]:
    """List what would go; nothing is touched.

    Args:
        workspace: the checkout.
        channel: also the local channel with its downloads, and what compilers have compiled: these take longest to make again.
        dist: also the packages in ``dist/`` that carry our provenance, and their index.
    """
    found = [*_stores(workspace, channel=channel), *_environments(workspace)]
    if dist:
        found += _packages(workspace)
    return tuple(Removal(path=path, why=why, size=_size(path)) for path, why in found)


def apply_clean(plan: tuple[Removal, ...], workspace: Workspace) -> None:
    """Remove what the plan lists, and folders of ``dist/`` that are empty then."""
    for removal in plan:
        if removal.path.is_dir() and not removal.path.is_symlink():
            shutil.rmtree(removal.path)
        else:
            removal.path.unlink(missing_ok=True)
    for folder in sorted(workspace.dist.rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _stores(workspace: Workspace, *, channel: bool) -> Iterator[tuple[Path, str]]:
    kept = set() if channel else {"channel", "compiled", "sources", "wheels"}
    if workspace.store.root.is_dir():
        for path in sorted(workspace.store.root.iterdir()):
            if path.name not in kept:
                yield path, "results of stages"


def _environments(workspace: Workspace) -> Iterator[tuple[Path, str]]:
    for note in sorted((workspace.store.root / "hosts").glob("*.json")):
        try:
            prefix = Path(json.loads(note.read_text(encoding="utf-8"))["prefix"])
        except (OSError, ValueError, KeyError):
            continue
        # Only a prefix that still carries our stamp, in this checkout: somebody may have put another there.
        if (prefix / STAMP).is_file() and prefix.is_relative_to(workspace.root):
            yield prefix, "host environment"


def _packages(workspace: Workspace) -> Iterator[tuple[Path, str]]:
    for beside in sorted(workspace.dist.rglob(f"*{PROVENANCE}")):
        package = beside.with_name(beside.name.removesuffix(PROVENANCE))
        if package.is_file():
            yield package, "package"
        yield beside, "provenance"
    for conda in sorted(workspace.dist.rglob("conda")):
        for glob in ("channeldata.json", *(f"*/{name}" for name in _INDEX)):
            yield from ((path, "channel index") for path in sorted(conda.glob(glob)))


def _size(path: Path) -> int:
    if path.is_file() or path.is_symlink():
        return path.lstat().st_size
    return sum(file.lstat().st_size for file in path.rglob("*") if not file.is_dir())
