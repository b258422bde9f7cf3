"""What binaries need of their surroundings, as conda requirements: the system's floor and the compiler's runtime.

conda-forge's compilers export such requirements by their own version (``libgcc >=14``, gcc_impl's ``run_exports``). Here they
follow from the symbol versions that the linker recorded, so that they are true for any compiler, and no stricter than that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from diptych.binaries import Binary
from diptych.policy.gcc_releases import release_key, release_with

_GLIBC = re.compile(r"GLIBC_(\d+(?:\.\d+)+)")
_WEAK = 2
_PACKAGES = {"libstdc++.so.6": "libstdcxx", "libgcc_s.so.1": "libgcc"}
"""The libraries of GCC that carry symbol versions, and conda-forge's packages of them (ctng-compilers-feedstock)."""


@dataclass(frozen=True, kw_only=True)
class Need:
    """A requirement and who asks for it.

    Attributes:
        spec: a conda match spec, such as ``libstdcxx >=12.1``.
        source: for a person: ``the recipe's run``, or ``pkg/_core.so (GLIBCXX_3.4.30)``.
    """

    spec: str
    source: str


def needs_of(binaries: Mapping[str, Binary]) -> tuple[Need, ...]:
    """Return what binaries need of C library or macOS, and of GCC's runtime libraries.

    Args:
        binaries: by a name that a person knows.

    Returns:
        At most one requirement for each package, the strictest: ``__glibc >=2.32,<3.0.a0`` (in the form that conda-forge's
        ``c_stdlib`` exports), ``__osx >=11.0`` (virtual packages, CEP 30), ``libgcc >=7.0.0``, ``libstdcxx >=12.1``.
    """
    elf = {name: one for name, one in binaries.items() if one.format == "elf"}
    mac = [(one.min_os, name) for name, one in binaries.items() if one.format == "macho" and one.min_os]
    found = [*_glibc(elf), *_runtimes(elf)]
    if mac:
        oldest, name = max(mac, key=lambda one: release_key(one[0]))
        found.append(Need(spec=f"__osx >={oldest}", source=f"{name} (macOS {oldest})"))
    return tuple(found)


def _glibc(binaries: Mapping[str, Binary]) -> Iterator[Need]:
    versions = [
        (found[1], name)
        for name, binary in binaries.items()
        for version in _versions(binary)
        if (found := _GLIBC.fullmatch(version))
    ]
    if versions:
        version, name = max(versions, key=lambda one: release_key(one[0]))
        yield Need(spec=f"__glibc >={version},<3.0.a0", source=f"{name} (GLIBC_{version})")


def _runtimes(binaries: Mapping[str, Binary]) -> Iterator[Need]:
    for library, package in sorted(_PACKAGES.items(), key=lambda one: one[1]):
        users = {name: one for name, one in binaries.items() if library in one.needed}
        asked = [
            (release_key(release), release, version, name)
            for name, binary in users.items()
            for version in _versions(binary, library)
            if (release := release_with(version))
        ]
        if asked:
            _, release, version, name = max(asked)
            yield Need(spec=f"{package} >={release}", source=f"{name} ({version})")
        elif users:
            yield Need(spec=package, source=f"{next(iter(users))} ({library})")


def _versions(binary: Binary, library: str = "") -> Iterator[str]:
    """Yield the symbol versions that it cannot be loaded without."""
    for need in binary.version_needs:
        if not need.flags & _WEAK and library in {"", need.library}:
            yield need.version
