"""The oldest system that binaries work on, as a conda requirement: a solver then keeps a package off an older one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from diptych.binaries import Binary

_GLIBC = re.compile(r"GLIBC_(\d+(?:\.\d+)+)")
_VIRTUAL = ("__glibc", "__osx")


def system_floor(binaries: Iterable[Binary]) -> str:
    """Return the requirement that the binaries' own needs amount to (virtual packages, CEP 30).

    Returns:
        Such as ``__glibc >=2.32,<3.0.a0``, in the form that conda-forge's ``c_stdlib`` exports, or ``__osx >=11.0``;
        empty when they need nothing that has a version.
    """
    elf: list[str] = []
    mach_o: list[str] = []
    for binary in binaries:
        if binary.format == "elf":
            elf += _glibc(binary)
        elif binary.min_os:
            mach_o.append(binary.min_os)
    if elf:
        return f"__glibc >={max(elf, key=_key)},<3.0.a0"
    return f"__osx >={max(mach_o, key=_key)}" if mach_o else ""


def with_floor(depends: Iterable[str], floor: str) -> list[str]:
    """Add the requirement unless the package has a word of its own about the system, in its recipe or by run exports."""
    found = list(depends)
    stated = any(one.split()[:1] == [name] for one in found for name in _VIRTUAL)
    return found if stated or not floor else [*found, floor]


def _glibc(binary: Binary) -> Iterator[str]:
    for need in binary.version_needs:
        if found := _GLIBC.fullmatch(need.version):
            yield found[1]


def _key(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
