"""In which world each kind of target is loaded, and what loading it brings in."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from diptych.binaries import Binary
from diptych.closure import RealFiles, SearchContext, closure, this_machine
from diptych.doctor.installed import InstalledFiles
from diptych.errors import FormatError
from diptych.rules import Item
from diptych.rules.places import final_place

World = Callable[[Binary], SearchContext]


def packed_world(kind: str, items: Iterable[Item], members: Iterable[str], links: Mapping[str, str]) -> World:
    """Return the world of a package alone: nothing else is installed, and the system's libraries are not looked up."""
    binaries: dict[str, tuple[Binary, ...]] = {}
    for item in items:
        place = final_place(kind, item.place)
        binaries[place] = (*binaries.get(place, ()), item.binary)
    files = InstalledFiles(
        binaries,
        {final_place(kind, name): target for name, target in links.items()},
        (final_place(kind, name) for name in members),
    )
    world = SearchContext(files=files, default_folders=())
    return lambda _: world


def real_world(*, host: str | None, executable: str | None = None) -> World:
    """Return the world of files on disk.

    Args:
        host: machine of this Linux system, whose own libraries then count; None: not Linux, they cannot be known.
        executable: the interpreter that imports.
    """
    own = functools.cache(
        lambda: this_machine(environment={}, cwd="/", machine=host or "", executable=executable)
    )
    other = SearchContext(files=RealFiles(), default_folders=())

    def world(binary: Binary) -> SearchContext:
        if binary.format == "elf" and host == binary.machine:
            return replace(own(), executable=None) if binary.kind == "executable" else own()
        return other

    return world


def resolved(item: Item, path: str, world: World) -> Item:
    """Return the item with its closure; without one, where its kind of file is not loaded or cannot be resolved.

    Args:
        item: the binary.
        path: its final place, absolute.
        world: where it is loaded.
    """
    if item.binary.kind not in {"shared", "bundle", "executable"}:
        return item
    try:
        found = closure(path, where=world(item.binary), binary=item.binary)
    except FormatError:  # the interpreter of the environment is damaged: its own finding says so
        return item
    return replace(item, closure=found)
