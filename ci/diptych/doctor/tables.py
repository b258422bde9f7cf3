"""The names that the binaries of a target define and want: read once, while their bytes are there."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from diptych.binaries import Binary, Symbol, read_file
from diptych.errors import FormatError


@dataclass(frozen=True, kw_only=True)
class Names:
    """The names of one binary, as C names: without Mach-O's underscore.

    Attributes:
        exports: what it defines for others.
        common: the version that most of these have; empty for none.
        versions: the others of these, with their versions; an empty one for a name without.
        imports: what it wants without naming a version.
        weak: of the imports, those that may stay undefined.
        versioned: what it wants of a version, as (name, version, library), and cannot do without.
        bound: what it wants by two-level namespace: name → the library that must have it (Mach-O).
    """

    exports: frozenset[str] = frozenset()
    common: str = ""
    versions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    imports: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()
    versioned: frozenset[tuple[str, str, str]] = frozenset()
    bound: Mapping[str, str] = field(default_factory=dict)

    def has(self, name: str, version: str = "") -> bool:
        """Tell whether a reference can be bound here: to that version, or to a definition without any (check_match)."""
        if name not in self.exports:
            return False
        given = self.versions.get(name, (self.common,))
        return not version or version in given or "" in given


def names_of(binary: Binary, symbols: Sequence[Symbol]) -> Names:
    """Sort a symbol table into the names that matter between binaries."""
    cut = 1 if binary.format == "macho" else 0
    common, versions = _versions(symbols) if binary.version_definitions else ("", {})
    undefined = [symbol for symbol in symbols if not symbol.defined]
    return Names(
        exports=frozenset(one.name[cut:] for one in symbols if one.defined and one.binding != "local"),
        common=common,
        versions=versions,
        imports=frozenset(one.name[cut:] for one in undefined if one.version is None),
        weak=frozenset(one.name[cut:] for one in undefined if one.binding == "weak"),
        versioned=frozenset(
            (one.name, one.version, one.library or "")
            for one in undefined
            if one.version is not None and one.binding != "weak"
        ),
        bound={one.name[cut:]: one.library for one in undefined if one.library and binary.format == "macho"},
    )


def _versions(symbols: Sequence[Symbol]) -> tuple[str, dict[str, tuple[str, ...]]]:
    """Return the version of most names, and the names that differ: large libraries have one for 100,000 symbols."""
    found: dict[str, tuple[str, ...]] = {}
    for symbol in symbols:
        if symbol.defined and symbol.binding != "local":
            found[symbol.name] = (*found.get(symbol.name, ()), symbol.version or "")
    counts = Counter(found.values())
    common = next((given[0] for given, _ in counts.most_common(1) if len(given) == 1), "")
    return common, {name: given for name, given in found.items() if given != (common,)}


@dataclass(kw_only=True)
class Tables:
    """Names by binary: a file, or a slice of one."""

    names: dict[tuple[str, int], Names] = field(default_factory=dict)

    def add(self, binary: Binary, names: Names) -> None:
        """Keep the names of one binary."""
        self.names[binary.name, binary.offset] = names

    def find(self, binary: Binary) -> Names | None:
        """Return the names of a binary of the target; None when it is none of it."""
        return self.names.get((binary.name, binary.offset))

    def of(self, binary: Binary) -> Names:
        """Return the names of a binary of the target; empty when it is none of it."""
        return self.find(binary) or Names()


@dataclass(frozen=True, kw_only=True)
class Outsider:
    """A library that is not the target's own.

    Attributes:
        binary: its headers.
        names: its names.
    """

    binary: Binary
    names: Names


Outside = Callable[[str], Outsider | None]
"""Reads a library outside the target, by path; None when it cannot be read."""


def outside_on_disk() -> Outside:
    """Return a reader of the machine's libraries that looks at each once."""

    @functools.cache
    def look(path: str) -> Outsider | None:
        try:
            binary = read_file(path, symbols=True)[0]
        except FormatError:
            return None
        names = names_of(binary, binary.symbols or ())
        return Outsider(binary=replace(binary, symbols=None), names=names)

    return look
