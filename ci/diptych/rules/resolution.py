"""DIP307 and DIP308: whether the loader finds, and whether what it finds will do."""

from __future__ import annotations

from collections.abc import Iterator

from diptych.closure import Loaded
from diptych.policy import table_of
from diptych.rules import premises
from diptych.rules.evidence import Evidence, Item
from diptych.rules.model import Finding, Severity, rule
from diptych.rules.names import libpython
from diptych.rules.places import SITE, final_place, is_inside, is_relative_to_origin, led_to
from diptych.rules.search_paths import SHOWN, entries, several
from diptych.system import is_system_library


@rule("DIP307", "needed library that cannot be found", Severity.ERROR, premises.resolved)
def not_found(evidence: Evidence) -> Iterator[Finding]:
    """From its final place, a binary's needed library is found neither in the package nor on every system.

    Why: "cannot open shared object file", or "Library not loaded": the build tree had a run path that installation stripped, or the
    library lies on the build machine alone. A conda package may take it from a run dependency; a wheel must bring it, or reach
    a sibling wheel's folder by run path.

    Mend: set INSTALL_RPATH (`$ORIGIN/…`, `@loader_path/…`), graft the library (auditwheel, delocate), or add the dependency.

    Source: pybind/cmake_example#18; scikit-build/scikit-build#503; AcademySoftwareFoundation/OpenColorIO#1846; closure
    semantics: ld.so(8), dyld(1).
    """
    seen: dict[tuple[str, Severity], list[tuple[Item, Loaded]]] = {}
    for item in evidence.items:
        for entry in item.closure.wanted_by(item.closure.root) if item.closure else ():
            if entry.missing and not _excused(entry, item, evidence):
                seen.setdefault((entry.name, _weight(entry, item, evidence)), []).append((item, entry))
    for (name, severity), wanting in seen.items():
        item, entry = wanting[0]
        near = evidence.own_library(name)
        where = f"; {near.place} has that name, but no search leads there" if near else ""
        yield Finding(
            given=severity,
            place=item.label,
            message=f"{name} is not found{where}",
            evidence=(*several([one.label for one, _ in wanting]), *_searched(entry)),
            next_step=_next_step(severity, entry),
        )


def _next_step(severity: Severity, entry: Loaded) -> str:
    if entry.found_by.value == "damaged":
        return "the file that the search ends at is refused by the loader"
    return (
        ""
        if severity is Severity.ERROR
        else "see that what provides it is imported before, or is a dependency"
    )


def _searched(entry: Loaded) -> tuple[str, ...]:
    looked = [tried.path for tried in entry.searched if tried.by.value in {"rpath", "runpath", "path"}]
    return tuple(f"looked at {path}: absent" for path in looked[:SHOWN])


def is_expected(name: str, item: Item, evidence: Evidence) -> bool:
    """Tell whether a needed library is one that every system has, or that another rule reports."""
    if libpython(name) or is_system_library(name, item.binary.format):
        return True
    levels = [tag.level for tag in evidence.platforms if tag.level]
    tables = [table for level in levels if (table := table_of(level.family))]
    return item.binary.format == "elf" and any(table.lowest_for_library(name) for table in tables)


def _excused(entry: Loaded, item: Item, evidence: Evidence) -> bool:
    """What is expected, and what a run dependency provides, are no findings."""
    if is_expected(entry.name, item, evidence):
        return True
    if evidence.kind == "conda":
        return evidence.own_library(entry.name) is None
    return item.binary.kind == "executable" and not evidence.packed


def _weight(entry: Loaded, item: Item, evidence: Evidence) -> Severity:
    """A run path to a sibling package, or a library of that name loaded before, can make it work."""
    if evidence.own_library(entry.name) is not None and item.module is None:
        return Severity.DRIFT
    if evidence.kind != "wheel":
        return Severity.ERROR if evidence.kind == "environment" and item.module else Severity.DRIFT
    place = final_place("wheel", item.place)
    own = "/".join(place.split("/")[: len(SITE.split("/")) + 1])
    siblings = [
        folder
        for _, run_path in entries(item)
        if is_relative_to_origin(run_path) and not is_inside(folder := led_to(run_path, place), own)
    ]
    if any(not folder.endswith(".libs") for folder in siblings):
        return Severity.NOTE
    unrepaired = any(tag.bare for tag in evidence.platforms)
    return Severity.ERROR if item.module and not unrepaired else Severity.DRIFT


@rule(
    "DIP308", "symbol version that the found library lacks", Severity.ERROR, premises.resolved, premises.elf
)
def version_not_provided(evidence: Evidence) -> Iterator[Finding]:
    """The library that the loader takes does not define a symbol version that a binary needs.

    Why: "version `GLIBCXX_3.4.30' not found": an older libstdc++ comes first, from the system, another environment, or a
    LD_LIBRARY_PATH.

    Mend: the environment's own library must be as new as the compiler (`libstdcxx`), and be found first; importing in another
    order only hides it.

    Source: isl-org/Open3D#5531; kvcache-ai/ktransformers#524; pytroll/satpy#2203; ContinuumIO/anaconda-issues#483.
    """
    for item in evidence.elf:
        for entry in item.closure.wanted_by(item.closure.root) if item.closure else ():
            if entry.binary is None or not entry.binary.version_definitions:
                continue
            given = {definition.name for definition in entry.binary.version_definitions}
            wanted = {
                need.version
                for need in item.binary.version_needs
                if need.library == entry.name and need.flags != 2  # noqa: PLR2004
            }
            if missing := sorted(wanted - given):
                yield Finding(
                    place=item.label,
                    message=f"{entry.name} lacks {', '.join(missing[:3])}",
                    evidence=(f"found at {entry.path}, by {entry.found_by.value}",),
                )
