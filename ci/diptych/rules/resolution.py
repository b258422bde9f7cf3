"""DIP307 to DIP310: whether the loader finds, and whether what it finds will do."""

from __future__ import annotations

from collections.abc import Iterator

from diptych.closure import Loaded
from diptych.policy import table_of
from diptych.rules import premises
from diptych.rules.cxxnames import has_new_string, is_cxx
from diptych.rules.evidence import Evidence, Item, Unbound
from diptych.rules.model import Finding, Severity, rule
from diptych.rules.names import boost_python, libpython
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


@rule("DIP309", "symbol that nothing in the closure defines", Severity.ERROR, premises.bound)
def unbound(evidence: Evidence) -> Iterator[Finding]:
    """All libraries are found, and still a symbol is defined by none of them, nor by the interpreter.

    Why: Python loads modules with all symbols bound at once: "undefined symbol: _ZN…" (dyld: "Symbol not found"). A library was left
    out of the link, has another version than its headers, or hides the symbol. Names of the C API are the interpreter's and not
    asked for; a C name may also be brought by what is loaded before, so it weighs less. Mach-O's names of
    `-undefined dynamic_lookup` belong to no library and cannot be judged from files.

    Mend: link the library that defines it (`target_link_libraries`), with headers and library from one place; link with
    `-Wl,--no-undefined` where the interpreter's names allow it.

    Source: PDAL/python#16; conda/conda#7556; ld.so(8); ld(1), "--no-undefined"; CPython, sys.setdlopenflags.
    """
    for item in evidence.items:
        lost = [one for one in _lost(item, evidence) if not (one.twin or has_new_string(one.symbol))]
        groups: dict[tuple[Severity, str], list[Unbound]] = {}
        for one in lost:
            groups.setdefault((_unbound_weight(one, item, evidence), one.elsewhere), []).append(one)
        for (severity, elsewhere), symbols in groups.items():
            yield _unbound_finding(item, symbols, severity, elsewhere)


@rule("DIP310", "the other std::string", Severity.ERROR, premises.bound, premises.elf)
def other_string(evidence: Evidence) -> Iterator[Finding]:
    """A symbol is missing that speaks of libstdc++'s new std::string, or is there for the other one.

    Why: "undefined symbol: …B5cxx11Ev", or one with `__cxx11` in it. Since GCC 5 libstdc++ has two std::string and std::list, and
    `_GLIBCXX_USE_CXX11_ABI` chooses at compile time (0 in manylinux2014's toolset, 1 elsewhere). One side was compiled with 0, the
    other with 1: to the linker these are different functions.

    Mend: one `_GLIBCXX_USE_CXX11_ABI` for the module and all C++ libraries that it links: take the libraries from where the compiler
    comes from, or define it as the library was built (`torch.compiled_with_cxx11_abi()`, `strings lib | grep cxx11`).

    Source: libstdc++ manual, "Dual ABI"; PDAL/python#16; conda/conda#7556.
    """
    for item in evidence.elf:
        lost = [one for one in _lost(item, evidence) if one.twin or has_new_string(one.symbol)]
        groups: dict[tuple[Severity, str], list[Unbound]] = {}
        for one in lost:
            severity = Severity.DRIFT if one.elsewhere else Severity.ERROR
            groups.setdefault((severity, one.elsewhere), []).append(one)
        for (severity, elsewhere), symbols in groups.items():
            yield _unbound_finding(item, symbols, severity, elsewhere)


def _lost(item: Item, evidence: Evidence) -> Iterator[Unbound]:
    """Yield what is unbound and is not DIP206's business: symbols that the package's own Boost.Python lacks."""
    boost = any(
        (own := evidence.own_library(name)) is not None and own.deep.boost_given
        for name in item.binary.needed
        if boost_python(name) is not None
    )
    for one in item.deep.unbound or ():
        if not (boost and one.symbol in item.deep.boost_wanted):
            yield one


def _unbound_weight(one: Unbound, item: Item, evidence: Evidence) -> Severity:
    """A C name, and one that a sibling has, can be there when that was loaded before with RTLD_GLOBAL."""
    if one.elsewhere:
        return Severity.DRIFT
    if one.library or one.version:
        return Severity.ERROR
    if is_cxx(one.symbol):
        return Severity.ERROR if item.module or evidence.kind != "environment" else Severity.DRIFT
    return Severity.DRIFT if evidence.kind == "environment" and item.module else Severity.NOTE


def _unbound_finding(item: Item, symbols: list[Unbound], severity: Severity, elsewhere: str) -> Finding:
    first = symbols[0]
    more = f" and {len(symbols) - 1} more" if symbols[1:] else ""
    whose = f"{first.library} does not define" if first.library else "nothing in the closure defines"
    lines = [f"undefined: {_versioned(one)}" for one in symbols[:SHOWN]]
    lines += [f"{one.twin_in} has {one.twin}" for one in symbols[:SHOWN] if one.twin]
    if first.root != item.label:
        lines.append(f"seen from {first.root}, which brings it")
    if elsewhere:
        lines.append(f"{elsewhere} defines it, but is not in the closure")
    return Finding(
        given=severity,
        place=item.label,
        message=f"{whose} {_versioned(first)}{more}",
        evidence=tuple(lines),
        next_step=_bind_step(severity, elsewhere),
    )


def _bind_step(severity: Severity, elsewhere: str) -> str:
    if elsewhere:
        return f"link {elsewhere}, or see that it is loaded before with RTLD_GLOBAL"
    if severity is Severity.NOTE:
        return "nothing, where the interpreter brings it (it links libm, for one); else link its library"
    return ""


def _versioned(one: Unbound) -> str:
    return f"{one.symbol}@{one.version}" if one.version else one.symbol
