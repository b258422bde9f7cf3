"""Plans for ``diptych relink``: what a person wants of single files, turned into one plan each."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from diptych.binaries import Binary, read_file
from diptych.closure import closure, this_machine
from diptych.errors import RelinkError
from diptych.relink.libpython import abi_of, boost_version, find_library
from diptych.relink.plan import FilePlan
from diptych.symbols import unused_needed

Paths = Literal["relative", "absolute"]


@dataclass(frozen=True, kw_only=True)
class RelinkRequest:
    """What to do with each file.

    Attributes:
        prefix: look for needed libraries in this prefix's ``lib``, and point the file there.
        paths: how: relative survives a move of file and prefix together, absolute lets the file lie anywhere.
        drop_unused: remove needed libraries that nothing uses (ELF).
        drop_libpython: remove every libpython (ELF): an extension module takes its symbols from the interpreter.
        python: a Python's prefix, whose library shall stand in for the libpython that the file names.
    """

    prefix: Path | None = None
    paths: Paths = "relative"
    drop_unused: bool = False
    drop_libpython: bool = False
    python: Path | None = None


@dataclass(kw_only=True)
class _Draft:
    """A plan in the making."""

    drop: list[str] = field(default_factory=list)
    rename: list[tuple[str, str]] = field(default_factory=list)
    rpath: list[str] | None = None
    reasons: list[str] = field(default_factory=list)


def plan_by_hand(path: Path, request: RelinkRequest, *, home: Path) -> FilePlan:
    """Turn a request into the plan of one file; nothing is touched.

    Args:
        path: the file.
        request: what to do.
        home: the folder that it will lie in, which relative paths start from.

    Raises:
        RelinkError: this cannot be done to the file: another ABI, no such library, not with this format.
        FormatError: the file is no binary, or damaged.
    """
    binary = read_file(path, symbols=request.drop_unused)[0]
    draft = _Draft()
    if request.drop_libpython:
        _drop_libpython(binary, draft)
    if request.python is not None:
        _point_at_python(path, binary, request, home, draft)
    if request.drop_unused:
        _drop_unused(path, binary, request.prefix, draft)
    if request.prefix is not None:
        _point_at_prefix(path, binary, request, home, draft)
    return FilePlan(
        name=path.name,
        drop=tuple(dict.fromkeys(draft.drop)),
        rename=tuple(draft.rename),
        rpath=None if draft.rpath is None or tuple(draft.rpath) == _present(binary) else tuple(draft.rpath),
        reasons=tuple(draft.reasons),
    )


def _drop_libpython(binary: Binary, draft: _Draft) -> None:
    _require_elf(binary, "--libpython drop")
    for name in binary.needed:
        if abi_of(name):
            draft.drop.append(name)
            draft.reasons.append(
                f"{name}: an extension module takes Python's symbols from the interpreter (PEP 513)"
            )


def _point_at_python(path: Path, binary: Binary, request: RelinkRequest, home: Path, draft: _Draft) -> None:
    if request.python is None:
        return
    named = {name: abi for name in binary.needed if (abi := abi_of(name))}
    if not named:
        raise RelinkError(f'"{path}" names no libpython', hint="there is nothing to point elsewhere")
    for name, abi in named.items():
        library = find_library(request.python, abi)
        _require_same_boost(path, binary, library.abi.version)
        draft.reasons.append(f"{name}: {library.path} stands in for it")
        if binary.format == "macho":
            relative = f"@loader_path/{_relpath(library.path, home)}"
            draft.rename.append((name, relative if request.paths == "relative" else str(library.path)))
            continue
        if name != library.name:
            draft.rename.append((name, library.name))
        _add_folder(binary, library.path.parent, request.paths, home, draft)


def _require_same_boost(path: Path, binary: Binary, version: str) -> None:
    """Refuse a module or library of Boost.Python whose digits say another Python."""
    for name in (binary.soname or path.name, *binary.needed):
        found = boost_version(name)
        if found is not None and found != version:
            raise RelinkError(
                f'"{path}" is for Boost.Python of Python {found} ({name}), not of {version}',
                hint="use the libboost_python that was built for that Python",
            )


def _drop_unused(path: Path, binary: Binary, prefix: Path | None, draft: _Draft) -> None:
    _require_elf(binary, "--drop-unused")
    environment = {"LD_LIBRARY_PATH": str(prefix / "lib")} if prefix else {}
    context = this_machine(environment=environment, cwd=str(path.parent), machine=binary.machine)
    found = {one.name: one.path for one in closure(path, where=context).loaded if one.path}
    providers: Mapping[str, Binary] = {
        name: read_file(place, symbols=True)[0] for name, place in found.items()
    }
    for name in (one for one in unused_needed(binary, providers) if one not in draft.drop):
        draft.drop.append(name)
        draft.reasons.append(f"{name}: needed, but none of its symbols is used")


def _point_at_prefix(path: Path, binary: Binary, request: RelinkRequest, home: Path, draft: _Draft) -> None:
    if request.prefix is None:
        return
    library_folder = request.prefix / "lib"
    gone = {*draft.drop, *(old for old, _ in draft.rename)}
    found = [
        name
        for name in binary.needed
        if name not in gone and (library_folder / posixpath.basename(name)).is_file()
    ]
    if not found and (draft.drop or draft.rename):
        return  # what it had from there is dealt with
    if not found:
        raise RelinkError(
            f'"{library_folder}" has none of the libraries that "{path}" needs',
            details=[f"needed: {', '.join(binary.needed) or 'nothing'}"],
            hint="is that the right prefix?",
        )
    if binary.format == "macho":
        draft.rename += [
            (name, f"@rpath/{posixpath.basename(name)}") for name in found if not name.startswith("@rpath/")
        ]
    draft.reasons.append(f"{', '.join(found)}: found in {library_folder}")
    _add_folder(binary, library_folder, request.paths, home, draft)


def _add_folder(binary: Binary, folder: Path, paths: Paths, home: Path, draft: _Draft) -> None:
    """Put a folder first in the run path, and keep of the old one what is relative to the file."""
    origin = "$ORIGIN" if binary.format == "elf" else "@loader_path"
    relative = _relpath(folder, home)
    entry = str(folder) if paths == "absolute" else origin if relative == "." else f"{origin}/{relative}"
    kept = draft.rpath if draft.rpath is not None else list(_kept(binary, origin))
    draft.rpath = list(dict.fromkeys([entry, *kept]))


def _kept(binary: Binary, origin: str) -> Iterator[str]:
    yield from (entry for entry in _present(binary) if entry.startswith((origin, "${ORIGIN}")))


def _present(binary: Binary) -> tuple[str, ...]:
    return binary.rpath or binary.runpath


def _relpath(path: Path, start: Path) -> str:
    return os.path.relpath(path.resolve(), start.resolve())


def _require_elf(binary: Binary, option: str) -> None:
    if binary.format != "elf":
        raise RelinkError(
            f'{option}: "{binary.name}" is Mach-O, and install_name_tool cannot drop a load command',
            hint="link again with -Wl,-dead_strip_dylibs, or without libpython and with -undefined dynamic_lookup",
        )
