"""DIP607 to DIP612: what dyld of the promised macOS cannot read."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from diptych.output import human_size
from diptych.rules import conditions
from diptych.rules.evidence import Evidence, Item
from diptych.rules.model import Finding, Severity, rule
from diptych.rules.search_paths import several

# The SDK of 10.15 is the first whose loader.h has the command; linkers write it by themselves from 11.0 on.
_FIRST_CHAINED = {"x86_64": (10, 15), "x86_64h": (10, 15), "i386": (10, 15)}
_USUAL_CHAINED = (11, 0)


def _is_loaded(item: Item) -> bool:
    return item.binary.kind in {"shared", "bundle", "executable"}


def _numbers(text: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in (text or "").split(".") if part.isdigit())


@rule("DIP607", "load commands that the oldest macOS does not know", Severity.ERROR, conditions.macho)
def newer_commands(evidence: Evidence) -> Iterator[Finding]:
    """A binary has chained fixups, and its minimum macOS has a dyld that does not know them.

    Why: before macOS 10.15 dyld stops with "load command 0x80000034 is unknown". Linkers write them by themselves from macOS 11 on, and
    before that where a flag asks for it, whatever the deployment target; for 10.15 it is a drift, as nobody tests it there.

    Mend: link with `-Wl,-no_fixup_chains`, or raise MACOSX_DEPLOYMENT_TARGET and the tag to 11.0.

    Not seen: which later formats of fixups a dyld knows; relative method lists of Objective-C.

    Source: Apple, mach-o/loader.h, LC_DYLD_CHAINED_FIXUPS; WWDC 2022, "Link fast: Improve build and launch times"; ijl/orjson#276;
    nomic-ai/gpt4all#1511.
    """
    for item in evidence.macho:
        first = _FIRST_CHAINED.get(item.binary.machine)
        lowest = _numbers(item.binary.min_os)[:2]
        mac = item.binary.platform in {"", "macos"} and _is_loaded(item)
        if first and mac and lowest and lowest < _USUAL_CHAINED and item.binary.commands:
            unknown = lowest < first
            yield Finding(
                given=Severity.ERROR if unknown and evidence.packed else Severity.DRIFT,
                place=item.label,
                message=f"says macOS {item.binary.min_os}, "
                + (
                    f"whose dyld does not know {item.binary.commands[0]}"
                    if unknown
                    else f"for which linkers write no {item.binary.commands[0]}"
                ),
                evidence=tuple(f"LC_{name}" for name in item.binary.commands),
            )


@rule("DIP608", "made for another platform than macOS", Severity.ERROR, conditions.packed, conditions.macho)
def other_platform(evidence: Evidence) -> Iterator[Finding]:
    """A binary in a package for macOS is made for iOS, a simulator, or Mac Catalyst.

    Why: dyld refuses it: "mach-o file, but is an incompatible platform (have 'iOS-simulator', need 'macOS')". The machine fits, so
    lipo and file show nothing wrong.

    Mend: build with the macOS SDK: `-target arm64-apple-macos11`, `CMAKE_SYSTEM_NAME=Darwin`, SDKROOT of macosx.

    Not seen: files without a platform command; wheels tagged for iOS are not judged.

    Source: Apple, mach-o/loader.h, LC_BUILD_VERSION; dyld, "incompatible platform".
    """
    mac = any(tag.system == "macosx" for tag in evidence.platforms)
    mac = mac or bool(evidence.conda and evidence.conda.subdir.startswith("osx-"))
    for item in evidence.macho if mac else ():
        if item.binary.platform not in {"", "macos"} and _is_loaded(item):
            yield Finding(
                place=item.label,
                message=f"is made for {item.binary.platform}",
                evidence=(f"LC_BUILD_VERSION: {item.binary.platform} {item.binary.min_os}",),
            )


@rule("DIP609", "tables that dyld finds misaligned", Severity.ERROR, conditions.macho)
def misaligned_tables(evidence: Evidence) -> Iterator[Finding]:
    """A table of a Mach-O file's last segment, or the pool of its names, begins at no multiple of the word size.

    Why: dyld stops with "mis-aligned LINKEDIT": of macOS 12 and later for a table, of macOS 27 and later for the string pool too, whatever
    system the file says it is for. A tool that shortened or moved the symbol table wrote it so: `llvm-strip`, rustc with
    `strip = "debuginfo"`.

    Mend: link again without that step, or use a tool that pads (Apple's `ld`, lld, LLVM's objcopy from 23 on), and sign again.

    Not seen: the indirect symbol table, for which half a word is enough.

    Source: dyld, common/MachOAnalyzer, "mis-aligned LINKEDIT"; NixOS/nixpkgs#148189; llvm/llvm-project#203678; rust-lang/rust#157750;
    JuliaLang/julia#62208.
    """
    groups: dict[str, list[Item]] = {}
    for item in evidence.macho:
        if item.binary.misaligned and _is_loaded(item):
            since = "macOS 27" if item.binary.misaligned[0].startswith("string pool") else "macOS 12"
            groups.setdefault(since, []).append(item)
    for since, items in groups.items():
        yield Finding(
            given=Severity.ERROR if evidence.packed else Severity.DRIFT,
            place=items[0].label,
            message=f"{items[0].binary.misaligned[0]} is misaligned: refused from {since} on",
            evidence=(
                *items[0].binary.misaligned,
                *(several([item.label for item in items]) if len(items) > 1 else ()),
            ),
        )


@rule("DIP610", "folder of debug information", Severity.NOTE, conditions.packed)
def debug_folders(evidence: Evidence) -> Iterator[Finding]:
    """The package has a `.dSYM` folder.

    Why: it holds DWARF for debuggers and often weighs more than the library beside it; no loader looks at it.

    Mend: leave it out of the installation, and keep it where crash reports are read.

    Not seen: DWARF inside of the binaries (DIP507).

    Source: Apple, dsymutil(1); PyO3/maturin#267, where such a folder is asked for in a wheel on purpose.
    """
    sizes: dict[str, int] = {}
    for name, size in evidence.members.items():
        folder = next((part for part in _parents(name) if part.endswith(".dSYM")), "")
        if folder:
            sizes[folder] = sizes.get(folder, 0) + size
    for folder, size in sizes.items():
        yield Finding(place=folder, message=f"{human_size(size)} of debug information", evidence=(folder,))


def _parents(name: str) -> Iterator[str]:
    while name := posixpath.dirname(name):
        yield name


@rule("DIP611", "older compatibility version than is asked for", Severity.ERROR, conditions.macho)
def older_library(evidence: Evidence) -> Iterator[Finding]:
    """A binary asks for a newer compatibility version of a library than the one in the package has.

    Why: "Incompatible library version: _core.so requires version 2.0.0 or later, but libfoo.dylib provides version 1.0.0". The
    module was linked to another copy than the one that was put beside it.

    Mend: ship the library that the module was linked to; build both from one folder of dependencies.

    Not seen: libraries of the system and of other packages; two libraries of one name in a package, of which one is new enough.

    Source: Apple, mach-o/loader.h, dylib; dyld, "Incompatible library version"; MRtrix3/mrtrix3#2328; gboeing/osmnx#32.
    """
    for item in evidence.macho:
        for name, wanted in zip(item.binary.needed, item.binary.needed_compatibility, strict=False):
            copies = evidence.by_library.get(posixpath.basename(name), ())
            own = [one for one in copies if one.binary.machine == item.binary.machine and one is not item]
            given = [one.binary.compatibility for one in own]
            if name.startswith("@") and given and max(map(_numbers, given)) < _numbers(wanted):
                yield Finding(
                    given=Severity.ERROR if evidence.packed else Severity.DRIFT,
                    place=item.label,
                    message=f"asks for {posixpath.basename(name)} {wanted}, which is {given[0]} here",
                    evidence=(f"{own[0].place}: compatibility version {given[0]}",),
                )


# Nobody builds or tests for what is older, and most of it is bound when first called.
_SERVED = (11, 0)
_FIRST_ARM = (11, 0)


@rule("DIP612", "symbols newer than the oldest macOS", Severity.ERROR, conditions.macho)
def newer_symbols(evidence: Evidence) -> Iterator[Finding]:
    """A binary wants a name of the system's libraries that its oldest macOS does not have, and not weakly.

    Why: dyld of the older system stops with "Symbol not found", at the start or when the function is first called. The compiler warns of
    it only where the headers say since when a name exists, and checks of `configure` and CMake find whatever the build machine has.
    Of what macOS 10.12 to 10.15 brought it is a drift.

    Mend: raise MACOSX_DEPLOYMENT_TARGET and the tag, or ask with `__builtin_available` before the call, which makes the reference weak.

    Not seen: names that are not in the list (data/macos_symbols.json: libc++'s library parts and the functions of libSystem that trip up most);
    classes and methods of Objective-C; names that a later macOS took away.

    Source: libc++, "Availability markup" (vendor documentation); Apple, API_AVAILABLE in the SDK's headers.
    """
    tagged = min((tag.min_os for tag in evidence.platforms if tag.min_os), default=None)
    stated = evidence.conda.floor("__osx") if evidence.conda is not None else tagged
    for item in evidence.macho:
        lowest = max(_numbers(item.binary.min_os)[:2], stated or (), _first(item))
        newer = [one for one in item.deep.newer if one.first > lowest]
        if not newer or not lowest or item.binary.platform not in {"", "macos"} or not _is_loaded(item):
            continue
        yield Finding(
            given=Severity.ERROR if newer[0].first > _SERVED and evidence.packed else Severity.DRIFT,
            place=item.label,
            message=f"is for macOS {_dotted(lowest)}, and wants {newer[0].what}: macOS {_dotted(newer[0].first)}",
            evidence=tuple(f"{one.symbols[0]}: from macOS {_dotted(one.first)} on" for one in newer),
        )


def _first(item: Item) -> tuple[int, ...]:
    return _FIRST_ARM if item.binary.machine.startswith("arm64") else ()


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
