"""DIP301 to DIP306: where the loader looks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from diptych.rules import conditions
from diptych.rules.companions import fills
from diptych.rules.evidence import Evidence, Item
from diptych.rules.model import Finding, Severity, rule
from diptych.rules.places import PREFIX, SITE, final_place, is_inside, is_relative_to_origin, led_to

# Folders of the system itself: an entry for one of them leads to no stranger, it only reorders.
_SYSTEM_FOLDERS = re.compile(
    r"/(usr/)?(lib|lib32|lib64|libx32)(/[a-z0-9_]+-linux-[a-z0-9]+)?/?$|/usr/lib/|/System/"
)
_PLACEHOLDER = re.compile(r"_placehold|/croot/|_h_env")
SHOWN = 4
_Lines = tuple[bool, tuple[str, ...]]
"""Whether entries are of the system, and the entries."""


def entries(item: Item) -> Iterator[tuple[str, str]]:
    """Yield each entry with the tag it stands in; a path that is empty as a whole has none."""
    name = "LC_RPATH" if item.binary.format == "macho" else "RPATH"
    if item.binary.rpath != ("",):
        yield from ((name, entry) for entry in item.binary.rpath)
    if item.binary.runpath != ("",):
        yield from (("RUNPATH", entry) for entry in item.binary.runpath)


def _grouped(found: Iterable[tuple[Item, str]]) -> Iterator[tuple[str, list[str]]]:
    """Gather the places by line of evidence, so that 50 modules with one fault are one finding."""
    lines: dict[str, list[str]] = {}
    for item, line in found:
        lines.setdefault(line, []).append(item.label)
    yield from lines.items()


def several(places: list[str]) -> tuple[str, ...]:
    """Return the first places as lines of evidence, and how many more there are."""
    more = (f"and {len(places) - SHOWN} more",) if len(places) > SHOWN else ()
    return (*(f"in {place}" for place in places[:SHOWN]), *more)


@rule("DIP301", "absolute run path", Severity.ERROR, conditions.binaries)
def absolute_entry(evidence: Evidence) -> Iterator[Finding]:
    """A run path names a folder of the machine that built the file.

    Why: everything works there, and on other machines the loader looks into whatever stands at that path: a stranger's library,
    or one that somebody put there on purpose (/tmp, /home). Tests on the build machine cannot see it. `auditwheel repair`
    and `--strip` leave it in place when no library is grafted.

    Mend: strip it when packaging (`patchelf --remove-rpath`, `diptych relink --for wheel`), or set INSTALL_RPATH to `$ORIGIN/…`
    (`@loader_path/…`) and leave CMAKE_INSTALL_RPATH_USE_LINK_PATH off.

    Not seen: paths that the program builds at run time, and those in configuration files.

    Source: scikit-learn-intelex#3374; lief-project/LIEF#437; auditwheel src/auditwheel/repair.py; experiment X2.
    """
    lists: dict[tuple[bool, tuple[str, ...]], list[str]] = defaultdict(list)
    for item in evidence.items:
        found = [f"{tag} {entry}" for tag, entry in entries(item) if _absolute(entry, evidence)]
        for system in (False, True):
            lines = tuple(dict.fromkeys(line for line in found if _of_the_system(line) is system))
            if lines:
                lists[system, lines].append(item.label)
    groups = _merged(lists)
    searching = {item.label for item in evidence.items if _searches(item)}
    for (system, lines), places in groups.items():
        hard = evidence.packed and not searching.isdisjoint(places)
        yield Finding(
            given=Severity.NOTE if system else Severity.ERROR if hard else Severity.DRIFT,
            place=places[0],
            message=_absolute_message(lines, system=system),
            evidence=(*(lines[:SHOWN] if len(lines) > 1 else ()), *several(places)),
        )


def _merged(lists: Mapping[_Lines, list[str]]) -> dict[_Lines, list[str]]:
    """Let a path whose entries are all in a longer one's be told with that."""
    found: dict[_Lines, list[str]] = {}
    for (system, lines), places in sorted(lists.items(), key=lambda one: -len(one[0][1])):
        longer = (key for key in found if key[0] is system and set(lines) <= set(key[1]))
        found.setdefault(next(longer, (system, lines)), []).extend(places)
    return found


def _absolute(entry: str, evidence: Evidence) -> bool:
    return entry.startswith("/") and _foreign(entry, evidence)


def _of_the_system(line: str) -> bool:
    return bool(_SYSTEM_FOLDERS.match(line.partition(" ")[2]))


def _absolute_message(lines: tuple[str, ...], *, system: bool) -> str:
    if len(lines) == 1:
        return f"{lines[0]}: {'a system folder' if system else 'a folder of the build machine'}"
    tag = lines[0].partition(" ")[0]
    return f"{tag} with {len(lines)} {'system folders' if system else 'folders of the build machine'}"


def _searches(item: Item) -> bool:
    """Tell whether the loader looks there at all: ld.so for every needed library, dyld for @rpath names alone."""
    if item.binary.format == "elf":
        return bool(item.binary.needed)
    return any(name.startswith("@rpath/") for name in item.binary.needed)


def _foreign(entry: str, evidence: Evidence) -> bool:
    """Paths into the environment itself, or conda's placeholder that becomes one, are at home."""
    if evidence.inside(f"{entry}/x") is not None:
        return False
    return not (evidence.kind == "conda" and _PLACEHOLDER.search(entry)) and not entry.startswith(
        "/usr/lib/swift"
    )


@rule("DIP302", "run path that depends on the working folder", Severity.ERROR, conditions.binaries)
def working_folder_entry(evidence: Evidence) -> Iterator[Finding]:
    """A run path has an empty entry, or a relative one without $ORIGIN.

    Why: the loader takes both from the folder in which the process was started: whoever can write there decides which library is
    loaded (a doubled or trailing colon is enough).

    Mend: write `$ORIGIN/…` or `@loader_path/…`; look for `-Wl,-rpath,$EMPTY:…` in the build.

    Not seen: a relative path that is given to `dlopen` at run time.

    Source: ld.so(8); scikit-learn-intelex#3374.
    """
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for item in evidence.items:
        bad = [pair for pair in dict.fromkeys(entries(item)) if not pair[1].startswith(("/", "@", "$"))]
        for tag in dict.fromkeys(tag for tag, _ in bad):
            texts = [f'entry "{entry}"' if entry else "an empty entry" for one, entry in bad if one == tag]
            groups[f"{tag} has {' and '.join(texts)}", _whole(item, tag)].append(item.label)
    for (message, path), places in groups.items():
        yield Finding(
            place=places[0],
            message=f"{message}: the working folder decides",
            evidence=(path, *(several(places) if len(places) > 1 else ())),
        )


def _whole(item: Item, tag: str) -> str:
    return f"{tag} {':'.join(item.binary.runpath if tag == 'RUNPATH' else item.binary.rpath)}"


@rule("DIP303", "run path entry twice", Severity.NOTE, conditions.elf)
def duplicate_entry(evidence: Evidence) -> Iterator[Finding]:
    """An ELF run path has the same entry more than once.

    Why: harmless for ld.so, which looks twice; but it shows that compiler flags, CMake and a relinker each added theirs, and the
    same build on macOS does not load (DIP601).

    Mend: let one of them do it; `diptych relink` writes each entry once.

    Not seen: entries that are spelled differently and lead to one folder.

    Source: conda/conda-build#5671.
    """
    for item in evidence.elf:
        listed = [(tag, entry) for tag, entry in entries(item) if entry]  # of empty ones DIP302 speaks
        doubled = sorted({entry for tag, entry in listed if listed.count((tag, entry)) > 1})
        if doubled:
            yield Finding(
                place=item.label,
                message=f"{doubled[0]} stands twice",
                evidence=(":".join(entry for _, entry in listed),),
            )


@rule("DIP304", "run path that leaves site-packages", Severity.DRIFT, conditions.wheel)
def escaping_entry(evidence: Evidence) -> Iterator[Finding]:
    """A wheel's run path climbs out of site-packages.

    Why: what lies there is the environment's: in a conda environment its `lib/` with other builds of the same libraries, in a venv
    nothing. The same wheel then loads different code in different environments.

    Mend: graft the library, or reach a sibling package's by `$ORIGIN/../other_package/lib`, which stays inside.

    Not seen: entries that leave by a symbolic link.

    Source: ld.so(8); rapidsai/cudf#13596.
    """
    found: list[tuple[Item, str]] = []
    for item in evidence.items:
        place = final_place("wheel", item.place)
        for tag, entry in entries(item):
            if is_relative_to_origin(entry) and item.binary.kind != "executable":
                folder = led_to(entry, place)
                if is_inside(place, SITE) and not is_inside(folder, SITE):
                    found.append((item, f"{tag} {entry}"))
    for line, places in _grouped(found):
        yield Finding(place=places[0], message=f"{line} leaves site-packages", evidence=several(places))


@rule("DIP305", "run path to a folder that is not there", Severity.NOTE, conditions.packed)
def vanished_entry(evidence: Evidence) -> Iterator[Finding]:
    """A run path leads to a folder inside the package that the package does not have.

    Why: a leftover: the loader looks there in vain each time. It may also be the trace of a mistake: auditwheel leaves such an entry
    when it drops libpython, and a library that was to be copied is missing.

    Mend: remove it, or ship what was meant to be there.

    Not seen: folders that another package, or the first run, makes.

    Source: experiment X1.
    """
    folders = {PREFIX, SITE, f"{PREFIX}/lib"}
    for name in (*evidence.members, *evidence.links):
        folder = final_place(evidence.kind, name).rpartition("/")[0]
        while folder not in folders and folder:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    found: list[tuple[Item, str]] = []
    for item in evidence.items:
        place = final_place(evidence.kind, item.place)
        home = "/".join(place.split("/")[: len(SITE.split("/")) + 1]) if evidence.kind == "wheel" else PREFIX
        for tag, entry in entries(item):
            folder = led_to(entry, place)
            own = is_inside(folder, home) or folder.endswith(".libs")
            missing = folder not in folders and not fills(folder, evidence)
            if is_relative_to_origin(entry) and own and missing:
                found.append((item, f"{tag} {entry}"))
    for line, places in _grouped(found):
        yield Finding(place=places[0], message=f"{line} leads nowhere", evidence=several(places))


@rule("DIP306", "RPATH and RUNPATH mixed", Severity.NOTE, conditions.elf)
def mixed_kinds(evidence: Evidence) -> Iterator[Finding]:
    """A file has both tags, or a conda package has RUNPATH where conda's tools write RPATH.

    Why: RPATH comes before LD_LIBRARY_PATH and counts for what a library needs in turn; RUNPATH comes after it and counts for
    direct needs only. With both in one file, RPATH is ignored. A package whose files differ loads different libraries
    depending on who asks first.

    Mend: one kind for each format: RPATH (`patchelf --force-rpath`, `-Wl,--disable-new-dtags`), as conda-build,
    rattler-build and auditwheel all write.

    Not seen: files that need nothing: both tags are without effect there.

    Source: ld.so(8); conda-forge/ctng-compiler-activation-feedstock#72; pypa/auditwheel#737, #344; experiment X5.
    """
    both = [item for item in evidence.elf if item.binary.rpath and item.binary.runpath]
    for item in both:
        yield Finding(
            given=Severity.DRIFT,
            place=item.label,
            message="RPATH beside RUNPATH: the loader ignores RPATH",
            evidence=(f"RPATH {':'.join(item.binary.rpath)}", f"RUNPATH {':'.join(item.binary.runpath)}"),
        )
    modern = [item.place for item in evidence.elf if item.binary.runpath and item not in both]
    if evidence.kind == "conda" and modern:
        yield Finding(
            place=modern[0],
            message="RUNPATH in a conda package: LD_LIBRARY_PATH wins, and libraries do not inherit it",
            evidence=several(modern),
        )
