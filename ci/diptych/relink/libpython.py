"""Which Python's library a binary names, and what may stand in for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from diptych.binaries import read_file
from diptych.errors import RelinkError

_LIBRARY = re.compile(r"libpython(?P<version>\d+\.\d+)(?P<flags>[a-z]*)\.(?:so|dylib)")
_FRAMEWORK = re.compile(r"Python(?P<threading>T?)\.framework/Versions/(?P<version>\d+\.\d+)t?/Python(?:T)?$")
_STABLE = re.compile(r"libpython3(?P<flags>t?)\.(?:so|dylib)")
_BOOST = re.compile(r"libboost_(?:m?python|numpy)(?P<major>\d)(?P<minor>\d+)")


@dataclass(frozen=True, kw_only=True)
class PythonAbi:
    """What two Pythons must agree on before one's library can stand in for the other's.

    Attributes:
        version: "3.11", or "3" for the stable ABI's ``libpython3.so``.
        flags: "t" free-threaded, "d" debug, both, or none: each has object layouts of its own.
    """

    version: str
    flags: str

    def __str__(self) -> str:
        return f"Python {self.version}{self.flags}"

    def accepts(self, other: PythonAbi) -> bool:
        """Tell whether a binary for this ABI can run with ``other``."""
        same_layout = self.flags == other.flags
        return same_layout and (self.version in {other.version, "3"})


def abi_of(needed: str) -> PythonAbi | None:
    """Read the ABI from the name of a libpython or a Python framework; None when it is neither."""
    if match := _LIBRARY.search(needed):
        return PythonAbi(version=match["version"], flags="".join(sorted(match["flags"].replace("m", ""))))
    if match := _FRAMEWORK.search(needed):
        return PythonAbi(version=match["version"], flags=match["threading"].lower())
    if match := _STABLE.search(needed):
        return PythonAbi(version="3", flags=match["flags"])
    return None


def boost_version(needed: str) -> str | None:
    """Return the Python version in the name of a Boost.Python library: "3.11" for libboost_python311."""
    match = _BOOST.search(needed)
    return f"{match['major']}.{match['minor']}" if match else None


@dataclass(frozen=True, kw_only=True)
class PythonLibrary:
    """The shared library of a Python that a person points at.

    Attributes:
        path: the file.
        name: its SONAME or install name, as others name it.
        abi: what it is.
    """

    path: Path
    name: str
    abi: PythonAbi


def find_library(prefix: Path, wanted: PythonAbi) -> PythonLibrary:
    """Find the shared library of the Python in ``prefix`` that fits ``wanted``.

    Raises:
        RelinkError: there is none there, or only of another ABI: naming those.
    """
    found = {library.path: library for library in map(_read, _candidates(prefix)) if library is not None}
    fitting = [library for library in found.values() if wanted.accepts(library.abi)]
    if fitting:
        return fitting[0]
    if not found:
        raise RelinkError(
            f'"{prefix}" has no shared libpython',
            hint="its interpreter holds the library inside: use --libpython drop instead (ELF)",
        )
    there = ", ".join(sorted({str(library.abi) for library in found.values()}))
    raise RelinkError(
        f'the file is for {wanted}, "{prefix}" has {there}: their ABIs differ',
        hint="point at a Python of the same version and kind, or compile the file for that one",
    )


def _candidates(prefix: Path) -> list[Path]:
    folders = [prefix / "lib", *prefix.glob("lib/*-linux-gnu"), prefix]
    names = ("libpython*.so*", "libpython*.dylib", "Python.framework/Versions/*/Python")
    return sorted(
        path for folder in folders for name in names for path in folder.glob(name) if path.is_file()
    )


def _read(path: Path) -> PythonLibrary | None:
    binary = read_file(path)[0]
    name = binary.soname or path.name
    abi = abi_of(name) or abi_of(str(path))
    return PythonLibrary(path=path, name=name, abi=abi) if abi else None
