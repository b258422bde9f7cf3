"""Which needed libraries are not used, from names alone.

:func:`diptych.symbols.unused_needed` answers exactly, with whole symbol tables of everything in memory. Over a package
of hundreds of binaries this asks less: a library counts as used when it defines any name that the binary wants without a version,
or when its versions are referred to. So it rather keeps too much.
"""

from __future__ import annotations

from diptych.doctor.tables import Outside, Tables
from diptych.rules import Evidence, Item
from diptych.rules.names import libpython
from diptych.system import is_system_library

_NO_API = 2  # _init and _fini


def unused_of(item: Item, evidence: Evidence, tables: Tables, reader: Outside | None) -> tuple[str, ...]:
    """Return the needed libraries of an ELF binary to which nothing is bound.

    Args:
        item: with its closure.
        evidence: the target.
        tables: the names.
        reader: reads a library outside the target; None: such libraries count as used.
    """
    if item.binary.format != "elf" or item.closure is None or item.binary.kind == "executable":
        return ()
    if _only_gathers(item, tables):
        return ()
    versioned = {need.library for need in item.binary.version_needs}
    wanted = tables.of(item.binary).imports
    unused = []
    for name in dict.fromkeys(item.binary.needed):
        if name in versioned or is_system_library(name, "elf") or libpython(name):
            continue
        exports, needed = _library(name, item, evidence, tables, reader)
        if exports is not None and not exports & wanted and not _umbrella(exports, needed, item):
            unused.append(name)
    return tuple(unused)


def _only_gathers(item: Item, tables: Tables) -> bool:
    """A library with next to no code of its own is linked for what it brings (libtorch.so)."""
    return (
        item.binary.kind == "shared"
        and item.module is None
        and len(tables.of(item.binary).exports) <= _NO_API
    )


def _library(
    name: str, item: Item, evidence: Evidence, tables: Tables, reader: Outside | None
) -> tuple[frozenset[str] | None, tuple[str, ...]]:
    """Return what a needed library defines (None: unknown), and what it needs in turn."""
    own = evidence.own_library(name)
    if own is not None:
        names = tables.find(own.binary)
        return (names.exports if names else None), own.binary.needed
    entry = next((one for one in item.closure.loaded if one.name == name), None) if item.closure else None
    if reader is None or entry is None or entry.path is None:
        return None, ()
    library = reader(entry.path)
    return (library.names.exports, library.binary.needed) if library else (None, ())


def _umbrella(exports: frozenset[str], needed: tuple[str, ...], item: Item) -> bool:
    """A library without names of its own, which brings others that the binary does not name, is there for these."""
    brought = [
        name for name in needed if name not in item.binary.needed and not is_system_library(name, "elf")
    ]
    return bool(brought) and len(exports) <= _NO_API
