"""DIP707: names of well-known libraries that a module gives to the whole process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from diptych.rules import premises
from diptych.rules.evidence import Evidence
from diptych.rules.model import Finding, Severity, rule


@rule("DIP707", "third-party library exported by a module", Severity.DRIFT, premises.modules, premises.elf)
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
