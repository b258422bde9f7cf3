"""DIP81x: the same libraries, from where each side keeps them, for the same systems?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from diptych.compare.binary import base_name, version_key
from diptych.compare.model import Found, Severity, rule
from diptych.compare.pairing import Pair
from diptych.compare.providers import LibraryRow, Provider, library_rows
from diptych.compare.side import Side

_SHIPPED = {"grafted", "own", "system"}


@rule("DIP811", "needed libraries differ", Severity.ERROR)
def needed_differ(pair: Pair) -> Iterator[Found]:
    """A binary asks for a library on one side only.

    Why: relinking may drop what nothing uses and rename what was grafted, but on both sides alike; a library on one side only
    changes which code is loaded.

    Mend: let the suite relink both; do not link again in the recipe.

    Source: gABI chapter 5 (DT_NEEDED).
    """
    for one in pair.binaries:
        if one.foreign:
            continue
        left, right = (
            {pair.library(base_name(name)) for name in side.needed} for side in (one.left, one.right)
        )
        if left == right or _only_versions(pair, left ^ right):
            continue
        sides = zip(pair.titles, (sorted(left - right), sorted(right - left)), strict=True)
        yield Found(
            place=one.place,
            severity=None if pair.one_build else Severity.DRIFT,
            message="; ".join(f"only in {title}: {', '.join(names)}" for title, names in sides if names),
        )


def _only_versions(pair: Pair, names: set[str]) -> bool:
    """Tell whether every name is told by DIP813 already."""
    told = {
        provider.name
        for row in library_rows(pair)
        if row.disagreement
        for provider in (row.left, row.right)
        if provider
    }
    return names <= told


@rule("DIP812", "grafted here, depended on there", Severity.EXPECTED)
def grafted(pair: Pair) -> Iterator[Found]:
    """A library is a private copy in the wheel, or one that its tag's policy expects of the system, and a package for conda.

    Why: a wheel can depend on no library, so it brings a copy under a name of its own, or takes what every system has; conda
    shares one between all packages.

    Mend: nothing to mend. Two wheels with a copy each do not share types of that library, though (DIP202).

    Source: PEP 513, PEP 600; auditwheel's repair.
    """
    for row in library_rows(pair):
        copied, asked = _roles(row)
        if copied and asked and not row.disagreement:
            version = f" {copied.version}" if copied.version else ""
            owner = "the system's" if copied.how == "system" else "a copy of"
            yield Found(
                place=row.stem,
                message=f"{owner} {copied.name} | {asked.package}{version} ({asked.range or 'any version'})",
                evidence=(f"{copied.file}, {copied.size} bytes",) if copied.file else (),
            )


def _roles(row: LibraryRow) -> tuple[Provider | None, Provider | None]:
    """Return who brings a copy and who depends, whichever side that is."""
    sides = [side for side in (row.left, row.right) if side]
    copied = next((side for side in sides if side.how in _SHIPPED), None)
    asked = next((side for side in sides if side.how == "dependency"), None)
    return copied, asked


@rule("DIP813", "library versions disagree", Severity.ERROR)
def library_versions(pair: Pair) -> Iterator[Found]:
    """The wheel's copy of a library is not a version that the conda package would get.

    Why: the same binary runs against two versions of the library; what one fixes or breaks, only half of the users see.

    Mend: pin the library in `host` so that both sides are built against the version that conda resolves.

    Source: conda's run_exports.
    """
    for row in library_rows(pair):
        if row.disagreement:
            yield Found(
                place=row.stem,
                severity=None if pair.one_build else Severity.DRIFT,
                message=row.disagreement,
            )


@rule("DIP814", "library from nowhere", Severity.ERROR)
def from_nowhere(pair: Pair) -> Iterator[Found]:
    """A side needs a library that it neither holds nor gets from a dependency, nor from every system.

    Why: the import ends with "cannot open shared object file" unless something else happens to bring the library.

    Mend: graft it (wheel), or name the package that brings it among the run dependencies (conda).

    Source: ld.so(8); PEP 600; conda-build's overlinking check.
    """
    for row in library_rows(pair):
        for title, side, provider in zip(
            pair.titles, (pair.left, pair.right), (row.left, row.right), strict=True
        ):
            if provider and provider.how == "unknown" and side.kind != "folder":
                known = f"; {provider.package} usually brings it" if provider.package else ""
                yield Found(
                    place=row.stem,
                    severity=None if provider.package or side.kind == "wheel" else Severity.DRIFT,
                    message=f"{title} needs {provider.name}, and nothing that it names brings it{known}",
                )


@rule("DIP815", "library on one side only", Severity.ERROR)
def lonely_library(pair: Pair) -> Iterator[Found]:
    """One side brings or asks for a library that the other side does without, or takes from the system.

    Why: either one package is too large, or the other lacks something.

    Mend: relink with `drop unused`; look at who needs it in the dependency picture.

    Source: the overlinking check of conda-build (docs.conda.io).
    """
    for row in library_rows(pair):
        sides = (row.left, row.right)
        if {side.how for side in sides if side} in ({"grafted", "system"}, {"own", "system"}):
            yield Found(
                place=row.stem,
                severity=Severity.DRIFT,
                message="one side brings it, the other takes the system's",
            )
        if None in sides:
            provider = row.left or row.right
            title = pair.titles[0] if row.left else pair.titles[1]
            if provider and provider.how in {"grafted", "dependency"}:
                yield Found(
                    place=row.stem,
                    severity=None if pair.one_build else Severity.DRIFT,
                    message=f"only {title} has {provider.name}",
                )


@rule("DIP809", "oldest system differs", Severity.DRIFT)
def floors_differ(pair: Pair) -> Iterator[Found]:
    """The binaries need a newer system on one side than on the other, or a package does not say what they need.

    Why: pip refuses a wheel on a system that is too old, by its tag. A conda package that says nothing is installed there, and
    its import ends with "version GLIBC_… not found".

    Mend: give the conda package the bound that the wheel's tag gives: `__glibc >=2.34` (`__osx >=11.0`) under run, or let
    `c_stdlib_version` add it.

    Source: PEP 600; conda's virtual packages (CEP 30); ld.so(8).
    """
    family = "macOS" if any(one.format == "macho" for one in pair.left.own) else "GLIBC"
    needed = tuple(highest(side, family) for side in (pair.left, pair.right))
    if needed[0] != needed[1] and all(needed):
        yield Found(message=f"the binaries need {family} {needed[0]} | {needed[1]}")
    for title, side, need in zip(pair.titles, (pair.left, pair.right), needed, strict=True):
        stated = stated_floor(side)
        if (
            not need
            or side.kind == "folder"
            or (stated is not None and version_key(stated) >= version_key(need))
        ):
            continue
        says = "states no bound" if stated is None else f"promises {stated}"
        if side.kind == "wheel" and stated is None:
            says = f"has the tag {side.identity.platform}, which promises nothing"
        yield Found(
            severity=Severity.DRIFT if stated is None else Severity.ERROR,
            place=family,
            message=f"{title} {says}; its binaries need {family} {need}",
        )


def highest(side: Side, family: str) -> str:
    """Return the highest symbol version of a family (or macOS) that any binary of a side needs."""
    found = (one.floors.get(family, "") for one in side.binaries.values())
    return max(found, key=version_key, default="")


def stated_floor(side: Side) -> str | None:
    """Return the oldest glibc or macOS that a package promises to work on; None when it does not say."""
    if side.kind == "conda":
        for text in (*side.depends, *side.identity.constrains):
            if text.startswith(("__glibc", "__osx")) and (found := re.search(r">=?\s*([\d.]+)", text)):
                return found[1].rstrip(".")
        return None
    old = {"manylinux1": "2.5", "manylinux2010": "2.12", "manylinux2014": "2.17"}
    promised = [
        f"{found[1]}.{found[2]}" if found[1] else old[found[3]]
        for tag in side.identity.platform.split(".")
        if (found := re.match(r"(?:manylinux|macosx)_(\d+)_(\d+)_|(manylinux(?:1|2010|2014))_", tag))
    ]
    return min(promised, key=version_key, default=None)
