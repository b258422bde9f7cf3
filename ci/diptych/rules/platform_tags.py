"""DIP4xx: what a platform tag promises, and what the symbols ask for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from diptych.policy import Level, manylinux, table_of
from diptych.policy.tables import version_key
from diptych.rules import conditions
from diptych.rules.evidence import Evidence, Item, VersionUse
from diptych.rules.model import Finding, Severity, rule
from diptych.rules.resolution import NOT_EVERYWHERE
from diptych.rules.search_paths import several

_SHOWN = 3
PRIVATE = "GLIBC_PRIVATE"
"""What glibc keeps for its own parts: no image, old or new, makes that right (DIP418)."""
_VERSIONS_SHOWN = 3
_GLIBC = re.compile(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?")
_OLDEST_IMAGE = Level(version=(2, 17))  # nobody runs, or builds for, anything older


def uses(evidence: Evidence, item: Item) -> Iterator[VersionUse]:
    """Yield the regulated symbol versions that a binary wants of libraries outside the package."""
    looked_up = {(use.library, use.version): use for use in item.deep.version_uses}
    for need in item.binary.version_needs:
        regulated = manylinux().regulated(need.version, item.binary.machine)
        loader = need.library.startswith(("ld-linux", "ld64.so"))
        if regulated and not loader and evidence.own_library(need.library) is None:
            key = (need.library, need.version)
            yield looked_up.get(key) or VersionUse(library=need.library, version=need.version)


def _lines(use: VersionUse) -> tuple[str, ...]:
    more = f" and {len(use.symbols) - _SHOWN} more" if len(use.symbols) > _SHOWN else ""
    symbols = f": {', '.join(use.symbols[:_SHOWN])}{more}" if use.symbols else ""
    return (f"{use.version} of {use.library}{symbols}",)


@rule("DIP401", "symbols newer than the platform tag", Severity.ERROR, conditions.packed, conditions.elf)
def above_tag(evidence: Evidence) -> Iterator[Finding]:
    """A binary needs symbol versions that the wheel's platform tag, or the conda package's `__glibc`, does not promise.

    Why: pip installs the wheel on every system that the tag names, conda on every one that `__glibc` admits; on the older ones of these the import ends with "version
    `GLIBC_2.34' not found". auditwheel says only that there are "too-recent versioned symbols", not which and where.

    Mend: compile in the image of the tag (or with the sysroot of its glibc), or take the tag that the symbols ask for:
    `diptych why-tag WHEEL` shows what it would be without each of them.

    Not seen: Kernel features; symbols without a version; musl, which has no versions. For tags between two policies (`_2_25`),
    glibc is held against the tag's number, and libstdc++ against the next older policy.

    Source: PEP 600; pypa/auditwheel#36 (open since 2016), #354, #516; CadQuery/ocp-build-system#1.
    """
    if evidence.conda is not None:
        yield from _above_stated(evidence, evidence.conda.floor("__glibc"))
        return
    levels = [tag.level for tag in evidence.platforms if tag.level and tag.level.family == "manylinux"]
    if not levels:
        return
    promised = min(levels)
    wanting = [
        (item, use)
        for item in evidence.elf
        for use in uses(evidence, item)
        if use.version != PRIVATE and not promises(promised, use.version, item.binary.machine)
    ]
    for newest, found in _by_library(wanting):
        lowest = manylinux().lowest(newest, found[0][0].binary.machine)
        yield _too_new(
            f"{newest} needs {lowest or 'more than any policy has'}, the tag says {promised}", found
        )


def promises(level: Level, version: str, machine: str) -> bool:
    """Tell whether a tag promises a symbol version: glibc's by the tag's own number (PEP 600), others by the policies."""
    number = _GLIBC.fullmatch(version)
    if number is not None:
        return (int(number[1]), int(number[2])) <= level.version
    lowest = manylinux().lowest(version, machine)
    return lowest is not None and lowest <= level


def _by_library(
    wanting: list[tuple[Item, VersionUse]],
) -> Iterator[tuple[str, list[tuple[Item, VersionUse]]]]:
    """Gather by the library that the versions are of: the newest is the fact, and the others follow from it."""
    families: dict[str, list[tuple[Item, VersionUse]]] = {}
    for item, use in wanting:
        family = use.version.partition("_")[0]
        families.setdefault("GLIBCXX" if family == "CXXABI" else family, []).append((item, use))
    for found in families.values():
        found.sort(key=lambda one: version_key(one[1].version), reverse=True)
        yield found[0][1].version, found


def _too_new(message: str, found: list[tuple[Item, VersionUse]], *, given: Severity | None = None) -> Finding:
    places = list(dict.fromkeys(item.label for item, _ in found))
    versions = {use.version: use for _, use in reversed(found)}
    lines = [
        line
        for use in sorted(versions.values(), key=lambda one: version_key(one.version))
        for line in _lines(use)
    ]
    return Finding(
        given=given,
        place=places[0],
        message=message,
        evidence=(
            *lines[-_VERSIONS_SHOWN:][::-1],
            *([f"and {len(lines) - _VERSIONS_SHOWN} older versions"] if len(lines) > _VERSIONS_SHOWN else []),
            *several(places),
        ),
    )


def _above_stated(evidence: Evidence, floor: tuple[int, int] | None) -> Iterator[Finding]:
    """Hold the glibc versions against what a conda package states; libstdc++ comes with the environment."""
    if floor is None:
        return
    level = Level(version=floor)
    wanting = [
        (item, use)
        for item in evidence.elf
        for use in uses(evidence, item)
        if _GLIBC.fullmatch(use.version) and not promises(level, use.version, item.binary.machine)
    ]
    for newest, found in _by_library(wanting):
        one = _too_new(f"{newest} is needed, the package says __glibc {floor[0]}.{floor[1]}", found)
        number = newest.partition("_")[2]
        yield replace(
            one,
            next_step=f"compile with the sysroot of glibc {floor[0]}.{floor[1]}, or state what is needed: "
            f"c_stdlib_version {number}, which gives __glibc >={number}",
        )


@rule("DIP402", "symbols beyond every policy", Severity.ERROR, conditions.elf)
def beyond_all(evidence: Evidence) -> Iterator[Finding]:
    """A binary needs symbol versions that no manylinux policy admits.

    Why: `auditwheel repair` gives such a wheel no tag at all, and PyPI takes none without. It is usually the C++ library:
    conda's and new distributions' gcc are ahead of the policies, while glibc is old enough.

    Mend: compile with an older gcc (the forecast `diptych why-tag --gcc N` says before compiling), with a toolset that links the
    newer parts statically, or leave out what needs the symbol.

    Not seen: As for DIP401; newer policies than the table has.

    Source: auditwheel src/auditwheel/policy; conda/conda-lock#847; experiment X6.
    """
    promised = any(tag.level for tag in evidence.platforms)
    wanting = [
        (item, use)
        for item in evidence.elf
        for use in uses(evidence, item)
        if use.version != PRIVATE and manylinux().lowest(use.version, item.binary.machine) is None
    ]
    for newest, found in _by_library(wanting) if not promised else ():
        first = found[0][0]
        known = first.binary.machine in manylinux().machines or first.binary.machine in {"i386", "arm"}
        one = _too_new(
            f"no manylinux policy admits {newest}", found, given=_beyond_severity(evidence, known=known)
        )
        yield replace(
            one,
            evidence=(*one.evidence, _ceiling(newest, first), f"policies of {manylinux().date}"),
        )


def _beyond_severity(evidence: Evidence, *, known: bool) -> Severity:
    if not known or evidence.kind in {"conda", "environment"}:
        return Severity.NOTE
    return Severity.ERROR if evidence.kind == "wheel" else Severity.DRIFT


def _ceiling(version: str, item: Item) -> str:
    prefix = version.partition("_")[0]
    return f"the newest that one admits: {manylinux().ceiling(prefix, item.binary.machine)}"


@rule("DIP403", "wheel for this machine alone", Severity.DRIFT, conditions.wheel, conditions.binaries)
def bare_tag(evidence: Evidence) -> Iterator[Finding]:
    """The wheel has a plain `linux_…` tag.

    Why: it promises nothing about other machines, and PyPI refuses the upload.

    Mend: `auditwheel repair`; if that finds no policy, DIP402 and `diptych why-tag` say why.

    Not seen: whether the wheel would get a better tag: DIP401, DIP402 and `why-tag` say that.

    Source: PEP 513; natcap/invest#2713; pypi/warehouse#6545.
    """
    for tag in evidence.platforms:
        if tag.bare:
            yield Finding(
                message=f"tagged {tag.text}", evidence=("PyPI takes manylinux and musllinux tags only",)
            )


@rule(
    "DIP404", "binary for another machine than the tag", Severity.ERROR, conditions.wheel, conditions.binaries
)
def machine_against_tag(evidence: Evidence) -> Iterator[Finding]:
    """A binary is made for a machine or system that the wheel's tag does not name.

    Why: it cannot be loaded where the wheel is installed: "wrong ELF class", "incompatible architecture", or simply not found. It
    gets there by a stale build folder, or by cross-compiling with half of the flags.

    Mend: build the file for the tag's machine, or leave it out.

    Not seen: binaries in a conda package, and Windows binaries.

    Source: PEP 425, PEP 600; sogno-platform/dpsim#649.
    """
    systems = {tag.system for tag in evidence.platforms}
    machines = {machine for tag in evidence.platforms for machine in tag.machines}
    if not machines or not systems <= {"linux", "macosx"}:
        return
    wanted = {"linux": "elf", "macosx": "macho"}
    formats = {wanted[system] for system in systems}
    wanted_machines = _also(machines)
    none_fits = not any(
        item.binary.format in formats and item.binary.machine in wanted_machines for item in evidence.items
    )
    for _, slices in evidence.by_file():
        have = {item.binary.machine for item in slices}
        item = slices[0]
        fits = item.binary.format in formats and bool(have & wanted_machines)
        if not fits:
            # A lone library is what ctypes opens; beside others it may be data, or meant for a device.
            lone = none_fits and item.binary.kind in {"shared", "bundle"}
            loose = not lone and (item.module is None or item.binary.kind in {"object", "executable"})
            yield Finding(
                given=Severity.DRIFT if loose else Severity.ERROR,
                place=item.place,
                message=f"{item.binary.format} for {', '.join(sorted(have))}, in a wheel for "
                f"{', '.join(tag.text for tag in evidence.platforms)}",
                evidence=(f"kind: {item.binary.kind}",),
            )


def _also(machines: set[str]) -> set[str]:
    return machines | {f"{machine}h" for machine in machines}


@rule("DIP405", "tag newer than the symbols need", Severity.NOTE, conditions.wheel, conditions.elf)
def tag_too_new(evidence: Evidence) -> Iterator[Finding]:
    """All symbols would do with an older policy than the tag names.

    Why: pip does not install the wheel on systems where it would work. It may be meant so (the libraries need a newer kernel or
    were tested there only).

    Mend: `auditwheel repair --plat` with the older tag, or leave it.

    Not seen: what the authors tested, and the kernel that the code asks for.

    Source: PEP 600, "works on glibc ≥ x.y".
    """
    tags = [tag.level for tag in evidence.platforms if tag.level and tag.level.family == "manylinux"]
    lowest = lowest_level(evidence)
    dropped = any(name in NOT_EVERYWHERE for item in evidence.elf for name in item.binary.needed)
    if tags and lowest is not None and not dropped and max(lowest, _OLDEST_IMAGE) < min(tags):
        yield Finding(
            message=f"tagged {min(tags)}, while {lowest} would do for every symbol",
            evidence=(f"{sum(1 for _ in evidence.elf)} binaries looked at",),
        )


def lowest_level(evidence: Evidence) -> Level | None:
    """Return the lowest manylinux policy that admits all symbol versions and libraries; None: no policy does."""
    levels = [manylinux().machines.get(_machine(item)) for item in evidence.elf]
    for item in evidence.elf:
        levels += [manylinux().lowest(use.version, item.binary.machine) for use in uses(evidence, item)]
    found = [level for level in levels if level is not None]
    return max(found) if found and len(found) == len(levels) else None


def _machine(item: Item) -> str:
    return {"i386": "i686", "arm": "armv7l"}.get(item.binary.machine, item.binary.machine)


@rule("DIP406", "needs a newer processor than the tag says", Severity.ERROR, conditions.elf)
def isa_level(evidence: Evidence) -> Iterator[Finding]:
    """A binary is marked as needing an x86-64 level above the baseline.

    Why: since glibc 2.33 the loader refuses it on older processors ("CPU ISA level is lower than required"). A tag such as
    `manylinux_2_28_x86_64` promises the baseline; it was compiled with `-march=native` or `-march=x86-64-v3`.

    Mend: compile for the baseline, and choose faster code at run time.

    Not seen: Code above the baseline that carries no mark: instructions are not looked at.

    Source: x86-64 psABI, "GNU property"; auditwheel 6, ISA check.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for item in evidence.elf:
        levels = [mark for mark in item.binary.features if mark.startswith("x86-64-")]
        if levels:
            groups[max(levels)].append(item.label)
    for level, places in groups.items():
        yield Finding(
            given=Severity.ERROR if evidence.kind == "wheel" else Severity.NOTE,
            place=places[0],
            message=f"needs {level}",
            evidence=(
                "from .note.gnu.property, which the loader obeys",
                *(several(places) if len(places) > 1 else ()),
            ),
        )


@rule(
    "DIP407",
    "library that the policy does not expect on every system",
    Severity.DRIFT,
    conditions.tagged,
    conditions.elf,
)
def withheld_library(evidence: Evidence) -> Iterator[Finding]:
    """A needed library is one that policies know, but only from a newer level than the tag on.

    Why: the tag promises systems that need not have it.

    Mend: graft the library, or raise the tag to the level named here.

    Not seen: libraries that no policy knows: DIP307 speaks of those.

    Source: PEP 599, PEP 600; auditwheel's lib_whitelist.
    """
    found: dict[str, list[str]] = {}
    for level in sorted(
        {tag.level for tag in evidence.platforms if tag.level}
    ):  # two tags may name one policy
        table = table_of(level.family)
        for item in evidence.elf if table else ():
            for name in item.binary.needed:
                lowest = table.lowest_for_library(name) if table else None
                if lowest and lowest > level and evidence.own_library(name) is None:
                    fact = f"{name} is expected from {lowest} on, the tag says {level}"
                    found.setdefault(fact, []).append(item.label)
    for fact, places in found.items():
        yield Finding(place=places[0], message=fact, evidence=several(places))
