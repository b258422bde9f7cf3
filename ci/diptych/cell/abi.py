"""The C++ ABI of a cell, held against that of the host packages' libraries before anything is compiled.

A C++ library speaks of types of the C++ standard library in its interface, and their names carry the ABI (Itanium C++ ABI, 5.1): those of
libc++ lie in ``std::__1``, the newer strings of libstdc++ in ``std::__cxx11``, and the older ones have short names of their own (``Ss``). A library with a C interface fits every cell.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from diptych.binaries import read_file
from diptych.cell.linked import libraries_of, packages_to_link
from diptych.compilers import Compiler
from diptych.environments import Environment
from diptych.errors import FormatError, HostEnvironmentError
from diptych.matrix import Cell

_OWN = re.compile(r"_ZN?[KVrRO]*\d")  # a name of the library, no instantiation of std::
_STD = re.compile(r"St(\d+)(?=[a-z_])")
# A number is a length unless it is one of a substitution (S1_), a parameter (T0_) or a literal (Li5E).
_LENGTH = re.compile(r"(?<![STL\d])(?<!L[a-z])\d+|(?<=[^S]L)\d+")
_OLD_STRING = re.compile(r"S[sb]")  # std::string and std::basic_string, both in std itself
_RUNTIMES = ("libstdc++.so", "libc++.so")
_EVERYWHERE = {"initializer_list"}  # libc++ keeps it in std itself


def check_abi(cell: Cell, compiler: Compiler, environment: Environment) -> None:
    """Refuse a host environment whose C++ libraries are of another C++ standard library, or another string, than the cell's.

    Args:
        cell: for its ``host``.
        compiler: the cell's, as found.
        environment: the host environment.

    Raises:
        HostEnvironmentError: naming both sides, and a symbol of the library that tells.
    """
    if not cell.platform.startswith("linux"):
        return
    ours = _known(compiler)
    details = [
        f"{package}: {path.name} is for {theirs}: {symbol}"
        for package, path in _to_link(cell, environment)
        if _may_differ(path, compiler)
        for theirs, symbol in _strange(abi_of(path), ours)
    ]
    if details:
        raise HostEnvironmentError(
            f"{cell.id}: {compiler.cxx.name} compiles for {ours}, and host packages were compiled for another C++ library",
            details=details,
            hint="take a compiler with the C++ library of the channel, or packages that are built for this one",
        )


def _strange(found: tuple[tuple[str, str], ...], ours: str) -> tuple[tuple[str, str], ...]:
    """Return the ABIs of a library when none of them is ours; one may speak of both kinds of strings."""
    return () if any(_fits(ours, theirs) for theirs, _ in found) else found


def _may_differ(path: Path, compiler: Compiler) -> bool:
    """Tell whether a library is worth a look at its symbols, of which large ones have a hundred thousand."""
    try:
        (binary, *_) = read_file(path)
        runtimes = [name for name in binary.needed if name.startswith(_RUNTIMES)]
        if any(not name.startswith(f"{compiler.library}.so") for name in runtimes):
            return True
        if compiler.library != "libstdc++":
            return False
        if compiler.abi == "pre-cxx11":
            return True
        # The newer strings leave their name in every binary that has them, and so does a libc++ that is linked statically.
        return not _holds(path, b"__cxx11") if runtimes else _holds(path, b"NSt3__1")
    except (FormatError, OSError, ValueError):
        return False


def _holds(path: Path, word: bytes) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(word) >= 0


def abi_of(path: Path) -> tuple[tuple[str, str], ...]:
    """Return the C++ ABIs that a library's interface speaks of, each with a symbol that tells; none for a C interface.

    Args:
        path: an ELF file; a damaged one says nothing.
    """
    try:
        (binary, *_) = read_file(path, symbols=True)
    except FormatError:
        return ()
    names = (symbol.name for symbol in binary.symbols or () if symbol.defined and symbol.binding != "local")
    return tuple(_told(names))


def _told(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    found: dict[str, str] = {}
    for name in names:
        if _OWN.match(name) and (abi := _abi_in(name)):
            found.setdefault(abi, name)
    # A library with strings also speaks of types that do not depend on them.
    if {"libstdc++ (cxx11)", "libstdc++ (pre-cxx11)"} & found.keys():
        found.pop("libstdc++", None)
    yield from found.items()


def _abi_in(name: str) -> str:
    if "__cxx11" in name or "B5cxx11" in name:
        return "libstdc++ (cxx11)"
    if _OLD_STRING.search(_without_names(name)):
        return "libstdc++ (pre-cxx11)"
    for match in _STD.finditer(name):
        end = match.end() + int(match[1])
        word = name[match.end() : end]
        if re.fullmatch(r"__\d", word):
            return "libc++"
        if name[end : end + 1] == "I" and word not in _EVERYWHERE and not word.startswith("__"):
            return "libstdc++"
    return ""


def _without_names(name: str) -> str:
    """Return a mangled name without the names of source in it, each of which stands after its length."""
    parts, at = [], 0
    while found := _LENGTH.search(name, at):
        parts.append(name[at : found.start()])
        at = found.end() + int(found[0])
    return " ".join([*parts, name[at:]])


def _known(compiler: Compiler) -> str:
    return f"{compiler.library} ({compiler.abi})" if compiler.library == "libstdc++" else compiler.library


def _fits(ours: str, theirs: str) -> bool:
    """Tell whether two fit: libstdc++ alone names no string, and fits both kinds of it."""
    return (
        ours == theirs or (theirs == "libstdc++" and ours.startswith("libstdc++")) or ours == "libstdc++ ()"
    )


def _to_link(cell: Cell, environment: Environment) -> Iterator[tuple[str, Path]]:
    owners = environment.owners
    files = libraries_of(environment, owners)
    for package in packages_to_link(cell, environment, owners):
        yield from ((package, path) for path in files.get(package, ()))
