"""DIP707 and DIP708: names that modules give to the whole process."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from diptych.rules import conditions
from diptych.rules.evidence import Evidence, Item
from diptych.rules.model import Finding, Severity, rule

# Helpers that g++, libstdc++'s static part and Cython put into every module: alike on purpose.
_OF_COMPILERS = re.compile(r"_ZSt|_ZNK?St|_Z(?:dl|da|nw|na)|__cxa_|__gxx_|_Unwind_|__Pyx_|__pyx_")


@rule(
    "DIP707", "third-party library exported by a module", Severity.DRIFT, conditions.modules, conditions.elf
)
def exported_library(evidence: Evidence) -> Iterator[Finding]:
    """An extension module exports the functions of a library that was linked into it statically: zlib, OpenSSL, SQLite, ….

    Why: on Linux the first definition in a process answers. A program that has its own zlib then serves the module's calls with another
    version than it was compiled for, and two modules of a package share or swap theirs by order of loading.

    Mend: `-Wl,--exclude-libs,ALL`, or a version script that leaves PyInit_ alone global; compile static libraries with
    `-fvisibility=hidden`.

    Not seen: libraries that are not in the list of `diptych.policy.bundled`; Mach-O, where two-level names keep libraries apart; shared
    libraries, whose business exporting is.

    Source: System V gABI, "Shared Object Dependencies"; ld(1), "--exclude-libs"; python/cpython#65821.
    """
    found: dict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
    for item in evidence.elf:
        if item.module is not None:
            for library, names in item.deep.bundled.items():
                found[library].append((item.label, names))
    for library, users in found.items():
        place, names = users[0]
        count = f"{len(users)} modules export" if len(users) > 1 else "exports"
        yield Finding(
            place=place,
            message=f"{count} the functions of {library}",
            evidence=(f"defines {', '.join(names[:4])}", *(f"in {label}" for label, _ in users[:4])),
        )


@rule("DIP708", "one name exported by two modules", Severity.NOTE, conditions.modules, conditions.elf)
def exported_twice(evidence: Evidence) -> Iterator[Finding]:
    """Two extension modules of a package export a function or object of one name, and neither definition is weak.

    Why: most often one source file was compiled into both. `import` keeps modules apart (RTLD_LOCAL), so each has its own copy, with a
    state of its own. With `sys.setdlopenflags(RTLD_GLOBAL)`, as MPI and some plug-in hosts set it, the module that was imported first
    answers for both.

    Mend: compile with `-fvisibility=hidden`, or put what is shared into a library that both need.

    Not seen: weak definitions (templates, inline functions), of which one copy may stand for all; Mach-O; modules of other packages; names
    of modules that share a library which DIP203 or DIP707 tells of; helpers of the compilers.

    Source: dlopen(3), RTLD_GLOBAL; System V gABI, "Shared Object Dependencies"; Python, sys.setdlopenflags.
    """
    owners: dict[str, list[Item]] = defaultdict(list)
    for item in evidence.elf:
        for name in item.deep.strong:
            if not _OF_COMPILERS.match(name):
                owners[name].append(item)
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, items in owners.items():
        if len({item.place for item in items}) > 1 and _one_python(items) and not _told_of(items):
            groups[tuple(item.label for item in items)].append(name)
    if not groups:
        return
    count = sum(map(len, groups.values()))
    modules = {label for labels in groups for label in labels}
    largest = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    yield Finding(
        place=largest[0][0][0],
        message=f"{len(modules)} modules export {count} {'name' if count == 1 else 'names'} alike",
        evidence=tuple(
            f"{', '.join(sorted(names)[:3])}{' …' if len(names) > 3 else ''}: in {' and '.join(labels[:3])}"  # noqa: PLR2004 -- shown
            for labels, names in largest[:4]
        ),
    )


def _told_of(items: list[Item]) -> bool:
    """Tell whether another rule has the reason: one library inside of all of them (DIP707), or Boost.Python (DIP203)."""
    libraries = [
        {*item.deep.bundled, *(["Boost.Python"] if item.deep.boost_registry else [])} for item in items
    ]
    return bool(set.intersection(*libraries))


def _one_python(items: list[Item]) -> bool:
    """Tell whether one interpreter can import them all: a wheel may have a module for each."""
    tags = {item.module.tag for item in items if item.module}
    return len(tags) == 1
