"""In whose company a binary is loaded: the closures that bring it in, not the one that it would have alone.

ld.so looks for what a library needs in the DT_RPATH of the objects that caused it to be loaded as well (ld.so(8)), dyld in their
LC_RPATH. So a library is judged where a module or program brings it in, and by itself only where nothing does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from diptych.closure import Loaded
from diptych.rules.evidence import Evidence, Item

Key = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class Need:
    """One need of one binary, as one root's closure meets it.

    Attributes:
        item: the binary that asks.
        entry: what became of it.
        root: the binary that is loaded: a module, a program, or a library that none of these brings.
    """

    item: Item
    entry: Loaded
    root: Item


def roots(evidence: Evidence) -> tuple[Item, ...]:
    """Return what is loaded by itself: modules, programs, and libraries that nothing else of the target brings."""
    closed = [item for item in evidence.items if item.closure is not None]
    first = [item for item in closed if item.module is not None or item.binary.kind == "executable"]
    reached = {key for item in first for key in brought(item, evidence)}
    known = {id(item) for item in first}
    others = [item for item in closed if id(item) not in known and key_of(item) not in reached]
    under: dict[Key, set[Key]] = {key_of(item): brought(item, evidence) - {key_of(item)} for item in others}
    below: set[Key] = set().union(*under.values())
    second = [item for item in others if key_of(item) not in below]
    reached |= below & {key for item in second for key in under[key_of(item)]}
    for item in others:  # what is left needs each other in a circle
        if key_of(item) not in reached and item not in second:
            second.append(item)
            reached |= under[key_of(item)]
    return (*first, *second)


def needs(evidence: Evidence) -> Iterator[Need]:
    """Yield the needs of every binary, in the closure of each root that brings it in."""
    for root in roots(evidence):
        if root.closure is None:
            continue
        askers: dict[str, Item | None] = {root.closure.root: root}
        for entry in root.closure.loaded:
            item = askers.get(entry.wanted_by)
            if item is not None:
                yield Need(item=item, entry=entry, root=root)
            if entry.path is not None and entry.path not in askers:
                askers[entry.path] = own_item(entry, evidence)


def brought(root: Item, evidence: Evidence) -> set[Key]:
    """Return the target's binaries that loading one brings in."""
    entries = root.closure.loaded if root.closure else ()
    return {key_of(own) for entry in entries if (own := own_item(entry, evidence)) is not None}


def own_item(entry: Loaded, evidence: Evidence) -> Item | None:
    """Return the target's binary that a need was met with."""
    if entry.path is None or entry.binary is None:
        return None
    if evidence.packed:
        return evidence.by_place.get((entry.binary.name, entry.binary.offset))
    place = evidence.inside(entry.path)
    if place is None:
        return None
    return evidence.by_place.get((place, entry.binary.offset)) or evidence.own_library(entry.name)


def key_of(item: Item) -> Key:
    """Return what tells a binary from all others: the place, and the slice."""
    return (item.place, item.binary.offset)


def by_name(found: Iterator[Need]) -> Mapping[str, list[Need]]:
    """Gather needs by the name asked for."""
    gathered: dict[str, list[Need]] = {}
    for need in found:
        gathered.setdefault(need.entry.name, []).append(need)
    return gathered
