"""Where each side gets a library from: its own copy, a grafted one, a conda package, or the system."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from diptych.compare.binary import base_name
from diptych.compare.dependencies import version_of_spec
from diptych.compare.names import package_of_library, version_in_name
from diptych.compare.pairing import Pair
from diptych.compare.side import Side
from diptych.policy import manylinux
from diptych.siblings import INNER_PREFIX
from diptych.system import is_system_library

_DULL: tuple[set[str | None], ...] = ({"own"}, {"system"})
_ORIGIN = re.compile(r"\$ORIGIN|\$\{ORIGIN\}|@loader_path")
_STEM = re.compile(r"(.+?)(?:\.so(?:\.[\w.]+)?|(?:\.\d+)*\.dylib)$")


@dataclass(frozen=True, kw_only=True)
class Provider:
    """How one side gets a library.

    Attributes:
        name: SONAME, hash undone.
        how: ``grafted``, ``own``, ``dependency`` (a wheel's: a distribution that it requires), ``system`` (the policy of the wheel's tag promises it) or ``unknown``.
        file: member of the package that holds it.
        package: conda package that brings it, or that distribution.
        range: versions of that package which are admitted.
        version: its version: as built against (of the lock), or as the file name tells.
        size: bytes of the file, if it is in the package.
    """

    name: str
    how: str
    file: str = ""
    package: str = ""
    range: str = ""
    version: str = ""
    size: int = 0


@dataclass(frozen=True, kw_only=True)
class LibraryRow:
    """One library on both sides.

    Attributes:
        stem: its name without version, such as ``libboost_python311``.
        left: how the left side gets it, likewise ``right``.
    """

    stem: str
    left: Provider | None
    right: Provider | None

    @property
    def disagreement(self) -> str:
        """Say how the versions disagree, or nothing."""
        if self.left is None or self.right is None:
            return ""
        if self.left.name != self.right.name:
            return f"{self.left.name} on one side, {self.right.name} on the other"
        copied, asked = (self.left, self.right) if self.right.how == "dependency" else (self.right, self.left)
        if asked.range and copied.version and not _admits(asked.range, copied.version):
            return f"version {copied.version} is not in {asked.package} {asked.range}"
        return ""


def library_rows(pair: Pair) -> tuple[LibraryRow, ...]:
    """Return every library that is neither the project's own on both sides nor the system's."""
    sides = [{stem_of(one.name): one for one in _providers(side, pair)} for side in (pair.left, pair.right)]
    rows = (
        LibraryRow(stem=stem, left=sides[0].get(stem), right=sides[1].get(stem))
        for stem in sorted({*sides[0], *sides[1]})
    )
    return tuple(row for row in rows if {row.left and row.left.how, row.right and row.right.how} not in _DULL)


def stem_of(name: str) -> str:
    """Return a library's name without version and suffix."""
    found = _STEM.match(name)
    return found[1] if found else name


def _providers(side: Side, pair: Pair) -> Iterator[Provider]:
    inside = {base_name(place): place for place in side.binaries}
    inside |= {base_name(one.soname): place for place, one in side.binaries.items() if one.soname}
    seen: set[str] = set()
    for place, binary in side.binaries.items():
        names = [base_name(place)] if binary.grafted else []
        for raw in (*binary.needed, *names):
            name = pair.library(base_name(raw))
            if name in seen or (is_system_library(raw, binary.format) and name not in inside):
                continue
            seen.add(name)
            yield _provider(name, side, pair, inside.get(name))


def _provider(name: str, side: Side, pair: Pair, place: str | None) -> Provider:
    package = provider(name, side, pair)
    built = pair.lock.get(package, "") if pair.one_build else ""
    version = built or version_in_name(name)
    if place is not None:
        binary = side.binaries[place]
        staged = pair.stage is not None and place in pair.stage.binaries
        how = "grafted" if binary.grafted and not staged else "own"
        return Provider(
            name=name,
            how=how,
            file=side.files[place].member,
            package=package if how == "grafted" else "",
            version=version if how == "grafted" else "",
            size=binary.size,
        )
    if found := _beside(name, side, pair):
        return Provider(name=name, how="dependency", package=found[0], range=found[1], version=version)
    specs = [version_of_spec(text) for text in side.depends if text.split()[0] == package]
    if package and specs and side.kind == "conda":
        return Provider(
            name=name, how="dependency", package=package, range=",".join(filter(None, specs)), version=version
        )
    if side.kind == "wheel" and "linux" in side.identity.platform and manylinux().lowest_for_library(name):
        return Provider(name=name, how="system", package=package)
    return Provider(name=name, how="unknown", package=package, version=version)


def _beside(name: str, side: Side, pair: Pair) -> tuple[str, str] | None:
    """Return the required distribution that keeps a library beside this one below site-packages, and which versions are admitted.

    A run path that leads into another distribution's folder says so, such as ``$ORIGIN/../pyarrow``; in ``cmeel.prefix``, which all wheels
    of cmeel share, the library's name has to say whose it is.
    """
    asked = dict(_required(side))
    library = canonicalize_name(stem_of(name))
    for folder in _folders(name, side, pair):
        top = folder.split("/")[0]
        for distribution, versions in asked.items():
            if top == INNER_PREFIX and distribution.removeprefix("cmeel-") in library:
                return distribution, versions
            if canonicalize_name(top) == distribution:
                return distribution, versions
    return None


def _folders(name: str, side: Side, pair: Pair) -> Iterator[str]:
    """Yield the folders below site-packages that the run paths of those who need a library lead to."""
    for place, binary in side.binaries.items():
        if name in {pair.library(base_name(raw)) for raw in binary.needed}:
            here = posixpath.dirname(place)
            paths = (_ORIGIN.sub(here or ".", entry) for entry in binary.rpath if _ORIGIN.match(entry))
            folders = (posixpath.normpath(path) for path in paths)
            yield from (path for path in folders if not path.startswith(("..", "/", "$")))


def _required(side: Side) -> Iterator[tuple[str, str]]:
    for text in side.depends:
        if side.kind == "conda":
            yield canonicalize_name(text.split()[0]), version_of_spec(text)
            continue
        try:
            one = Requirement(text)
        except InvalidRequirement:
            continue
        yield canonicalize_name(one.name), str(one.specifier)


def sibling_projects(pair: Pair) -> tuple[str, ...]:
    """Return the distributions that a wheel requires for their libraries, where it has no copy of them."""
    sides = [
        (side, one)
        for row in library_rows(pair)
        for side, one in ((pair.left, row.left), (pair.right, row.right))
    ]
    return tuple(
        sorted(
            {one.package for side, one in sides if one and one.how == "dependency" and side.kind == "wheel"}
        )
    )


def provider(name: str, side: Side, pair: Pair) -> str:
    """Return the conda package that brings a library: of those depended on or locked before any other."""
    known = package_of_library(name)
    if known:
        return known
    stem = canonicalize_name(stem_of(name))
    candidates = [
        text.split()[0]
        for one in (side, pair.left, pair.right)
        for text in one.depends
        if one.kind == "conda"
    ]
    for candidate in (*candidates, *pair.lock):
        if canonicalize_name(candidate) in {stem, stem.removeprefix("lib")}:
            return candidate
    return ""


def _admits(spec: str, version: str) -> bool:
    from rattler import Version, VersionSpec  # noqa: PLC0415 -- not for listings

    try:
        return bool(VersionSpec(spec).matches(Version(version)))
    except Exception:  # noqa: BLE001 -- a spec that rattler does not take says nothing about the version
        return True
