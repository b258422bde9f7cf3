"""The policies as data: symbol version → lowest policy, library → lowest policy.

The numbers stand in ``data/policies.json`` with date and source; ``python -m diptych.policy.generate`` takes them from the
installed auditwheel, and a test fails when the two disagree.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources

# Names of :attr:`diptych.binaries.Binary.machine` → names in tags.
_TAG_MACHINES = {"i386": "i686", "arm": "armv7l", "riscv64": "riscv64", "loongarch64": "loongarch64"}
_LOADER = re.compile(r"ld-linux|ld64\.so|ld-musl|linux-vdso")


@dataclass(frozen=True, kw_only=True, order=True, slots=True)
class Level:
    """One policy: the version of the C library that it promises to do with.

    Attributes:
        version: like ``(2, 28)``.
        family: ``manylinux`` or ``musllinux``.
    """

    version: tuple[int, int]
    family: str = "manylinux"

    def __str__(self) -> str:
        return f"{self.family}_{self.version[0]}_{self.version[1]}"

    @classmethod
    def parse(cls, text: str) -> Level:
        """Return the level of ``manylinux_2_28``."""
        family, major, minor = text.split("_")
        return cls(family=family, version=(int(major), int(minor)))


@dataclass(frozen=True, kw_only=True)
class Family:
    """All policies of one C library.

    Attributes:
        name: ``manylinux`` or ``musllinux``.
        date: of the data.
        source: where they were taken from.
        levels: lowest first.
        aliases: older names, like ``manylinux2014``.
        machines: tag's machine name → the first level that knows it.
        versions: machine → symbol version → the first level that admits it.
        libraries: library → the first level that expects it on every system.
        withheld: library → symbol → the first level that admits it; None: none does.
    """

    name: str
    date: str
    source: str
    levels: tuple[Level, ...]
    aliases: Mapping[str, Level]
    machines: Mapping[str, Level]
    versions: Mapping[str, Mapping[str, Level]] = field(repr=False)
    libraries: Mapping[str, Level] = field(repr=False)
    withheld: Mapping[str, Mapping[str, Level | None]] = field(repr=False)

    def regulated(self, version: str, machine: str) -> bool:
        """Tell whether the policies say anything about a symbol version: GLIBC_… yes, OPENSSL_… no."""
        return version.partition("_")[0] in self._prefixes.get(tag_machine(machine), ())

    def lowest(self, version: str, machine: str) -> Level | None:
        """Return the lowest policy that admits a symbol version, or None when none does.

        Args:
            version: like ``GLIBC_2.34``; regulated.
            machine: as in a tag, or as in :attr:`diptych.binaries.Binary.machine`.
        """
        return self.versions.get(tag_machine(machine), {}).get(version)

    def lowest_for_library(self, library: str) -> Level | None:
        """Return the lowest policy that expects a library on every system; None: it must be in the wheel."""
        if _LOADER.match(library):
            return self.levels[0]
        return self.libraries.get("libc.so" if library.startswith("libc.musl-") else library)

    def ceiling(self, prefix: str, machine: str) -> str:
        """Return the newest version of ``GLIBCXX``, … that any policy admits."""
        known = [
            name for name in self.versions.get(tag_machine(machine), {}) if name.startswith(f"{prefix}_")
        ]
        return max(known, key=version_key, default="")

    @cached_property
    def _prefixes(self) -> dict[str, frozenset[str]]:
        return {
            machine: frozenset(name.partition("_")[0] for name in table)
            for machine, table in self.versions.items()
        }


def tag_machine(machine: str) -> str:
    """Return the machine's name in platform tags."""
    return _TAG_MACHINES.get(machine, machine)


def version_key(version: str) -> tuple[str, tuple[int, ...]]:
    """Return a key by which symbol versions sort: GLIBC_2.4 before GLIBC_2.17."""
    prefix, _, number = version.partition("_")
    return prefix, tuple(int(part) for part in re.findall(r"\d+", number))


def manylinux() -> Family:
    """Return the policies of glibc."""
    return _families()["manylinux"]


def musllinux() -> Family:
    """Return the policies of musl."""
    return _families()["musllinux"]


def table_of(family: str) -> Family | None:
    """Return the policies of a tag's family, or None for ``linux``, ``macosx``, …."""
    return _families().get(family)


@functools.cache
def _families() -> dict[str, Family]:
    text = resources.files("diptych").joinpath("data/policies.json").read_text(encoding="utf-8")
    data = json.loads(text)
    return {name: _family(name, one, data) for name, one in data["families"].items()}


def _family(name: str, one: Mapping[str, Mapping[str, str]], data: Mapping[str, str]) -> Family:
    def level(short: str) -> Level:
        return Level.parse(f"{name}_{short}")

    def levels(table: Mapping[str, str]) -> dict[str, Level]:
        return {key: level(short) for key, short in table.items()}

    withheld: Mapping[str, Mapping[str, str | None]] = one["withheld"]  # type: ignore[assignment]
    versions: Mapping[str, Mapping[str, str]] = one["versions"]  # type: ignore[assignment]
    return Family(
        name=name,
        date=data["date"],
        source=data["source"],
        levels=tuple(level(short) for short in one["levels"]),
        aliases=levels(one["aliases"]),
        machines=levels(one["machines"]),
        versions={machine: levels(table) for machine, table in versions.items()},
        libraries=levels(one["libraries"]),
        withheld={
            library: {symbol: level(short) if short else None for symbol, short in symbols.items()}
            for library, symbols in withheld.items()
        },
    )
