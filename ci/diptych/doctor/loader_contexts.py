"""In which world each kind of target is loaded, and what loading it brings in."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

from diptych.binaries import Binary
from diptych.closure import RealFiles, SearchContext, closure, this_machine
from diptych.closure.dyld import pick_slice
from diptych.doctor.beside import Beside
from diptych.doctor.installed import InstalledFiles
from diptych.errors import FormatError
from diptych.rules import Evidence, Item
from diptych.rules.places import PREFIX, final_place

World = Callable[[Binary], SearchContext]


def packed_world(evidence: Evidence, beside: Beside) -> World:
    """Return the world of a package and what lies beside it: the system's libraries are not looked up.

    A conda package for macOS is loaded by the environment's own ``bin/python``, which ``@executable_path`` starts from.
    """
    kind = evidence.kind
    binaries: dict[str, tuple[Binary, ...]] = {}
    for item in evidence.items:
        place = final_place(kind, item.place)
        binaries[place] = (*binaries.get(place, ()), item.binary)
    binaries = {**beside.binaries, **binaries}
    python = f"{PREFIX}/bin/python"
    if kind == "conda" and python not in binaries:
        binaries[python] = tuple(_mac_python(python, machine) for machine in ("arm64", "x86_64"))
    files = InstalledFiles(
        binaries,
        {**beside.links, **{final_place(kind, name): target for name, target in evidence.links.items()}},
        (*beside.others, *(final_place(kind, name) for name in evidence.members)),
    )
    world = SearchContext(files=files, default_folders=(), musl=evidence.families == {"musllinux"})
    imported = replace(world, executable=python)

    def of(binary: Binary) -> SearchContext:
        mac = kind == "conda" and binary.format == "macho" and binary.kind != "executable"
        return imported if mac and pick_slice(binaries[python], binary.machine) else world

    return of


def _mac_python(path: str, machine: str) -> Binary:
    return Binary(
        name=path, format="macho", machine=machine, bits=64, endianness="little", kind="executable", size=0
    )


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
