"""Keep the store below a size: what is old and that no record speaks of goes, the least recently used first."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from diptych.errors import StoreError
from diptych.store import MANIFEST, Store, discard, locked

OLD_SECONDS = 24 * 3600.0
"""What was used within a day may be in use by a run that goes on now."""
_RECORDS = ("cells", "provenance")
_TREES = "build"


@dataclass(frozen=True, kw_only=True)
class Evictable:
    """An entry of the store, or a build tree.

    Attributes:
        path: its folder.
        size: bytes in it.
        used: when a run last found or made it, in seconds since the epoch.
        referenced: whether a record of a cell speaks of it.
    """

    path: Path
    size: int
    used: float
    referenced: bool

    @property
    def lock(self) -> str:
        """The lock under which it is made."""
        return f"{self.path.parent.name}-{self.path.name}"


def holdings(root: Path) -> tuple[Evictable, ...]:
    """Look at every entry and build tree below ``root``, the least recently used first."""
    spoken = _texts(root)
    entries = [
        Evictable(
            path=manifest.parent,
            size=_listed(manifest),
            used=manifest.stat().st_mtime,
            referenced=manifest.parent.name in spoken,
        )
        for manifest in root.glob(f"[!.]*/[!.]*/{MANIFEST}")
    ]
    for entry in entries:
        if entry.referenced:
            with contextlib.suppress(OSError):  # a stage names its build tree
                spoken += (entry.path / "origins.json").read_text(encoding="utf-8")
    trees = [
        Evictable(
            path=tree,
            size=_walked(tree),
            used=tree.stat().st_mtime,
            referenced=f"{_TREES}/{tree.name}" in spoken,
        )
        for tree in (root / _TREES).glob("[!.]*")
    ]
    return tuple(sorted((*entries, *trees), key=lambda one: one.used))


def plan_eviction(held: tuple[Evictable, ...], *, most: int, now: float) -> tuple[Evictable, ...]:
    """Choose what goes so that the rest is no larger than ``most`` bytes; what is referenced or was used lately stays."""
    size = sum(one.size for one in held)
    chosen = []
    for one in held:
        if size <= most:
            break
        if not one.referenced and now - one.used > OLD_SECONDS:
            chosen.append(one)
            size -= one.size
    return tuple(chosen)


def evict(store: Store, *, most: int) -> tuple[Evictable, ...]:
    """Remove what :func:`plan_eviction` chooses, each under its lock; return what went."""
    gone = []
    for one in plan_eviction(holdings(store.root), most=most, now=time.time()):
        with contextlib.suppress(StoreError):  # a run is making it again
            with locked(store.root / "locks" / f"{one.lock}.lock", limit=0):
                discard(one.path)
            gone.append(one)
    return tuple(gone)


def _texts(root: Path) -> str:
    return "".join(_readable(path) for kind in _RECORDS for path in (root / kind).glob("*.json"))


def _readable(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _listed(manifest: Path) -> int:
    """Sum the sizes that a manifest lists."""
    try:
        listed = json.loads(manifest.read_text(encoding="utf-8"))
        return sum(size for size, _ in listed.values() if isinstance(size, int))
    except (OSError, ValueError, AttributeError, TypeError):
        return 0


def _walked(folder: Path) -> int:
    return sum(_sizes(folder))


def _sizes(folder: Path) -> Iterator[int]:
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                yield Path(parent, name).lstat().st_size
