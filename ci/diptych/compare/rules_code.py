"""DIP80x: is it the same code, made by the same tools?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from diptych.compare.model import Found, Severity, rule
from diptych.compare.pairing import BinaryPair, Pair

_SHOWN = 12
_TWO_BUILDS = "the packages come from two compiles, which need not give the same bytes"


def _compared(pair: Pair) -> Iterator[BinaryPair]:
    """Yield the project's own binaries that both sides have."""
    for one in pair.binaries:
        if not one.foreign:
            yield one


@rule("DIP801", "code differs", Severity.ERROR)
def code_differs(pair: Pair) -> Iterator[Found]:
    """A section that relinking must not change is not the same on both sides, or not that of the stage.

    Why: users of the two packages run different code; what was tested in one says nothing about the other.

    Mend: pack both from one stage; in the recipe, install `DIPTYCH_STAGE` as it is and leave stripping and compiling out.

    Source: gABI chapter 4 (sections).
    """
    for one in _compared(pair):
        rows = [row for row in pair.code if row.binary == one.place and not row.equal]
        if rows:
            yield Found(
                place=one.place,
                severity=None if pair.one_build else Severity.DRIFT,
                reason="" if pair.one_build else _TWO_BUILDS,
                message=f"{len(rows)} code sections differ: {_listed([row.section for row in rows])}",
                evidence=tuple(
                    f"{row.section}: {_short(row.left)} | {_short(row.right)}"
                    + (f", stage {_short(row.stage)}" if row.staged else "")
                    for row in rows[:_SHOWN]
                ),
            )


@rule("DIP802", "made for another machine or Python", Severity.ERROR)
def other_target(pair: Pair) -> Iterator[Found]:
    """A binary is for another format, processor or Python ABI than its other half, or a package claims to fit all.

    Why: only one of the two can be imported where both are meant to be installed.

    Mend: build both from one cell; look for a stale build folder, or another interpreter that CMake found.

    Source: PEP 3149 (tags in file names).
    """
    for one in _compared(pair):
        for what, left, right in (
            ("binary format", one.left.format, one.right.format),
            ("processor", one.left.machine, one.right.machine),
            ("Python ABI", one.left.abi, one.right.abi),
        ):
            if left != right:
                yield Found(place=one.place, message=f"{what}: {left or 'none'} | {right or 'none'}")
    for title, side in zip(pair.titles, (pair.left, pair.right), strict=True):
        if side.noarch and side.binaries:
            yield Found(
                message=f"{title} claims to fit every platform, but holds binaries",
                evidence=tuple(sorted(side.binaries)[:_SHOWN]),
            )


@rule("DIP803", "relinked", Severity.EXPECTED)
def relinked(pair: Pair) -> Iterator[Found]:
    """The code is the same; what the loader reads was rewritten.

    Why: a wheel finds its libraries in a folder beside the package, a conda package in the prefix: the same object needs two
    run paths, and grafted libraries get names that no other wheel uses.

    Mend: nothing to mend.

    Source: auditwheel's repair; conda-build's post.py; ld.so(8).
    """
    for one in _compared(pair):
        if dict(one.left.code) == dict(one.right.code) and (changes := tuple(load_changes(one))):
            yield Found(place=one.place, message="only load commands differ", evidence=changes)


def load_changes(one: BinaryPair) -> Iterator[str]:
    """Yield what relinking changed, a line each."""
    if one.left.rpath != one.right.rpath or one.left.rpath_kind != one.right.rpath_kind:
        sides = (
            f"{side.rpath_kind or 'no run path'} {':'.join(side.rpath)}".strip()
            for side in (one.left, one.right)
        )
        yield f"run path: {' | '.join(sides)}"
    if one.left.needed != one.right.needed and set(one.left.needed) == set(one.right.needed):
        yield "the order of the needed libraries"
    if one.left.soname != one.right.soname:
        yield f"SONAME: {one.left.soname or 'none'} | {one.right.soname or 'none'}"
    if one.left.size != one.right.size:
        yield f"size: {one.left.size} | {one.right.size} bytes (moved tables and padding)"


@rule("DIP804", "exported symbols differ", Severity.ERROR)
def exported_differ(pair: Pair) -> Iterator[Found]:
    """A binary defines a symbol for others on one side only.

    Why: what links to it works with one package and ends with "undefined symbol" with the other.

    Mend: one compile for both; keep `strip` and version scripts out of the packaging.

    Source: gABI chapter 4 (symbol table).
    """
    for one in _compared(pair):
        yield from _names_differ(pair, one, "exports", one.left.exported, one.right.exported)


@rule("DIP805", "needed symbols differ", Severity.ERROR)
def wanted_differ(pair: Pair) -> Iterator[Found]:
    """A binary leaves a symbol, or a version of it, undefined on one side only.

    Why: one of the packages needs something of its libraries that the other does not: it was compiled or linked differently.

    Mend: one compile for both.

    Source: gABI chapter 4; LSB Core, symbol versioning.
    """
    for one in _compared(pair):
        yield from _names_differ(pair, one, "needs", one.left.wanted, one.right.wanted)


def _names_differ(
    pair: Pair, one: BinaryPair, verb: str, left: frozenset[str], right: frozenset[str]
) -> Iterator[Found]:
    lonely = sorted(left - right), sorted(right - left)
    if any(lonely):
        yield Found(
            place=one.place,
            severity=None if pair.one_build else Severity.DRIFT,
            reason="" if pair.one_build else _TWO_BUILDS,
            message=f"{verb} {len(left)} symbols | {len(right)}; {len(lonely[0])} | {len(lonely[1])} of them alone",
            evidence=tuple(
                f"only in {title}: {_listed(names)}"
                for title, names in zip(pair.titles, lonely, strict=True)
                if names
            ),
        )


@rule("DIP806", "compilers differ", Severity.DRIFT)
def compilers_differ(pair: Pair) -> Iterator[Found]:
    """A binary names other compilers on one side than on the other.

    Why: two compilers mean two compiles, and C++ libraries of different compilers do not always fit together.

    Mend: one compile for both, or the same compiler for both.

    Source: `.comment` of ELF, LC_BUILD_VERSION of Mach-O.
    """
    for one in _compared(pair):
        if one.left.compilers and one.right.compilers and one.left.compilers != one.right.compilers:
            yield Found(
                place=one.place,
                message=f"{', '.join(one.left.compilers)} | {', '.join(one.right.compilers)}",
            )


@rule("DIP807", "hardening differs", Severity.DRIFT)
def hardening_differs(pair: Pair) -> Iterator[Found]:
    """RELRO, immediate binding, stack protector, FORTIFY or control-flow marks are not the same.

    Why: users of one package are less protected than those of the other.

    Mend: one compile for both; conda's compilers add such flags by themselves, a system's compiler may not.

    Source: Debian's hardening wiki; Intel CET.
    """
    for one in _compared(pair):
        left, right = asdict(one.left.hardening), asdict(one.right.hardening)
        changed = [name for name in left if left[name] != right[name]]
        if changed:
            yield Found(
                place=one.place,
                message=_listed([name.replace("_", " ") for name in changed]),
                evidence=tuple(f"{name}: {_value(left[name])} | {_value(right[name])}" for name in changed),
            )


@rule("DIP808", "debug information on one side", Severity.DRIFT)
def debug_differs(pair: Pair) -> Iterator[Found]:
    """A binary holds DWARF on one side only.

    Why: the download is many times larger than it need be, and paths of the build machine are in it.

    Mend: strip when linking (`-DCMAKE_BUILD_TYPE=Release`, `-Wl,-s`) so that both packages get the same file.

    Source: DWARF; pydistcheck's "compiled-objects-have-debug-symbols".
    """
    for one in _compared(pair):
        if one.left.debug != one.right.debug:
            title = pair.titles[0] if one.left.debug else pair.titles[1]
            yield Found(place=one.place, message=f"only {title} holds debug information")


def _listed(names: list[str]) -> str:
    more = f", … {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _short(digest: str | None) -> str:
    return digest[:12] if digest else "not there"


def _value(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return ", ".join(map(str, value)) or "none"
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
