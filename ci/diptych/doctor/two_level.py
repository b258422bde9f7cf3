"""Mach-O's two-level namespace: each name belongs to one library, which has to define it."""

from __future__ import annotations

from collections.abc import Iterator

from diptych.binaries import Binary
from diptych.doctor.tables import Names, Tables
from diptych.rules import Item, Unbound


def two_level(item: Item, tables: Tables) -> Iterator[Unbound]:
    """Hold the names of an image against the libraries that it names for them."""
    if "TWOLEVEL" not in item.binary.dynamic_flags or item.closure is None:
        return
    mine = tables.of(item.binary)
    given = {name: _images(name, item.closure.root, item, tables) for name in set(mine.bound.values())}
    for name, library in sorted(mine.bound.items()):
        images = given[library]
        if name in mine.weak or images is None or any(names.has(name) for names in images):
            continue
        yield Unbound(symbol=name, root=item.label, library=library)


def _images(name: str, wanted_by: str, item: Item, tables: Tables, depth: int = 0) -> list[Names] | None:
    """Return the names of a library and of those that it re-exports; None where one of them is unknown."""
    entries = item.closure.wanted_by(wanted_by) if item.closure else ()
    entry = next((one for one in entries if one.name == name), None)
    if entry is None or entry.path is None or entry.binary is None or depth > len(entries) + 8:
        return None
    own = _own_slice(entry.binary, tables)
    if own is None:
        return None
    images = [own]
    for again in entry.binary.reexported:
        more = _images(again, entry.path, item, tables, depth + 1)
        if more is None:
            return None
        images += more
    return images


def _own_slice(binary: Binary, tables: Tables) -> Names | None:
    names = tables.find(binary)
    return names if names is not None and names.exports else None
