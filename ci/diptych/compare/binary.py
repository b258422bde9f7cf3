"""The facts about one binary that can differ between a wheel and a conda package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from diptych.binaries import Binary, Hardening, code_hashes, hardening, read

# auditwheel writes libfoo-1a2b3c4d.so.1 for libfoo.so.1 (auditwheel's repair module).
_HASHED = re.compile(r"-[0-9a-f]{8}(?=\.)")
_SUFFIX = re.compile(
    r"\.(?P<abi>cpython-\d+t?|abi3t?|pypy\d+-pp\d+)(?:-(?P<platform>[\w-]+))?\.so$|\.so$|\.dylib$"
)
_FLOOR = re.compile(r"(GLIBC|GLIBCXX|CXXABI|GCC|GOMP|OPENMP)_(\d+(?:\.\d+)*)$")


@dataclass(frozen=True, kw_only=True)
class SideBinary:
    """A binary of one side.

    Attributes:
        name: its place, see :mod:`diptych.compare.places`.
        format: ``elf`` or ``macho``.
        machine: such as ``x86_64``; several, joined, for a universal file.
        soname: SONAME or install name, hashed names undone.
        needed: needed libraries in order, hashed names undone.
        rpath: run path entries.
        rpath_kind: ``RPATH``, ``RUNPATH``, or empty.
        code: hash of each section that relinking must not change.
        size: bytes.
        grafted: whether a repair tool brought it in.
        exported: names that it defines for others.
        wanted: names that it leaves undefined, with their symbol version.
        floors: highest symbol version needed of each family, and ``macOS``.
        compilers: what made it, as it says itself.
        hardening: flags against exploits.
        debug: whether it holds debug information.
    """

    name: str
    format: str
    machine: str
    soname: str | None
    needed: tuple[str, ...]
    rpath: tuple[str, ...]
    rpath_kind: str
    code: Mapping[str, str]
    size: int
    grafted: bool
    exported: frozenset[str] = field(repr=False)
    wanted: frozenset[str] = field(repr=False)
    floors: Mapping[str, str]
    compilers: tuple[str, ...]
    hardening: Hardening
    debug: bool

    @property
    def abi(self) -> str:
        """The Python ABI in its file name, such as ``cpython-311`` or ``abi3``; empty for a plain library."""
        found = _SUFFIX.search(self.name)
        return (found["abi"] or "") if found else ""

    @property
    def stem(self) -> str:
        """Its place without the extension suffix: the same for every Python."""
        return _SUFFIX.sub("", self.name)


def plain_name(needed: str) -> str:
    """Undo the hash that a repair tool put into a library's name."""
    return _HASHED.sub("", needed)


def base_name(needed: str) -> str:
    """Return a library's name without folder and ``@rpath``, hash undone."""
    return plain_name(needed.rpartition("/")[2])


def read_binary(place: str, content: bytes, *, grafted: bool, placed: bool = True) -> SideBinary:
    """Read the facts of one binary; of a universal one, code of all slices and the rest of the first.

    Args:
        place: what to call it.
        content: its bytes.
        grafted: whether a repair tool brought it in.
        placed: as for :func:`diptych.binaries.code_hashes`.

    Raises:
        FormatError: it is damaged.
    """
    slices = read(content, place, symbols=True)
    first = slices[0]
    symbols = first.symbols or ()
    return SideBinary(
        name=place,
        format=first.format,
        machine="+".join(sorted(one.machine for one in slices)),
        soname=plain_name(first.soname) if first.soname else None,
        needed=tuple(map(plain_name, first.needed)),
        rpath=first.rpath or first.runpath,
        rpath_kind=_rpath_kind(first),
        code=_code(slices, content, placed=placed),
        size=len(content),
        grafted=grafted,
        exported=frozenset(one.name for one in symbols if one.defined and one.binding != "local"),
        wanted=frozenset(
            f"{one.name}@{one.version}" if one.version else one.name for one in symbols if not one.defined
        ),
        floors=_floors(first),
        compilers=tuple(sorted(first.build_tools)),
        hardening=hardening(first, content),
        debug=any(one.has_debug_info for one in slices),
    )


def version_key(text: str) -> tuple[int, ...]:
    """Return a dotted number as something that sorts."""
    return tuple(int(part) for part in re.findall(r"\d+", text))


def _rpath_kind(binary: Binary) -> str:
    if binary.format == "macho":
        return "LC_RPATH" if binary.rpath else ""
    if binary.rpath:
        return "RPATH"
    return "RUNPATH" if binary.runpath else ""


def _code(slices: tuple[Binary, ...], content: bytes, *, placed: bool) -> dict[str, str]:
    if len(slices) == 1:
        return code_hashes(slices[0], content, placed=placed)
    return {
        f"{one.machine}:{name}": value
        for one in slices
        for name, value in code_hashes(one, content, placed=placed).items()
    }


def _floors(binary: Binary) -> dict[str, str]:
    if binary.format == "macho":
        return {"macOS": binary.min_os} if binary.min_os else {}
    found: dict[str, str] = {}
    for need in binary.version_needs:
        if match := _FLOOR.match(need.version):
            family, version = match[1], match[2]
            if version_key(version) > version_key(found.get(family, "")):
                found[family] = version
    return dict(sorted(found.items()))
