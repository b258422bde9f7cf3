"""One slice of Mach-O → :class:`~diptych.binaries.model.Binary` (Apple: ``mach-o/loader.h``)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from diptych.binaries.bytesview import View, decoded
from diptych.binaries.macho_commands import (
    LC_BUILD_VERSION,
    LC_CODE_SIGNATURE,
    LC_DATA_IN_CODE,
    LC_DYLD_CHAINED_FIXUPS,
    LC_DYLD_EXPORTS_TRIE,
    LC_FUNCTION_STARTS,
    LC_ID_DYLIB,
    LC_LOAD_DYLINKER,
    LC_LOAD_WEAK_DYLIB,
    LC_REEXPORT_DYLIB,
    LC_RPATH,
    LC_SEGMENT,
    LC_SEGMENT_64,
    LC_SYMTAB,
    LC_UUID,
    LC_VERSION_MIN,
    LOAD_DYLIBS,
    Command,
    MachFile,
    read_commands,
    slices,
)
from diptych.binaries.model import Binary, Hardening, Kind, Section, Segment, Symbol

_ARCH64, _ARCH64_32 = 0x01000000, 0x02000000
_MACHINES = {
    7: "i386",
    7 | _ARCH64: "x86_64",
    12: "arm",
    12 | _ARCH64: "arm64",
    12 | _ARCH64_32: "arm64_32",
    18: "ppc",
    18 | _ARCH64: "ppc64",
}
_SUBTYPES = {("x86_64", 8): "x86_64h", ("arm64", 2): "arm64e"}
_KINDS: dict[int, Kind] = {1: "object", 2: "executable", 4: "core", 6: "shared", 8: "bundle"}
_FLAGS = {
    0x1: "NOUNDEFS",
    0x4: "DYLDLINK",
    0x80: "TWOLEVEL",
    0x20000: "ALLOW_STACK_EXECUTION",
    0x200000: "PIE",
}
_PLATFORMS = {
    1: "macos",
    2: "ios",
    3: "tvos",
    4: "watchos",
    5: "bridgeos",
    6: "maccatalyst",
    7: "iossimulator",
    8: "tvossimulator",
    9: "watchossimulator",
    10: "driverkit",
    11: "visionos",
    12: "visionossimulator",
}
_NEWER = {LC_DYLD_CHAINED_FIXUPS: "DYLD_CHAINED_FIXUPS", LC_DYLD_EXPORTS_TRIE: "DYLD_EXPORTS_TRIE"}
_TABLES = {
    **_NEWER,
    LC_FUNCTION_STARTS: "FUNCTION_STARTS",
    LC_DATA_IN_CODE: "DATA_IN_CODE",
    LC_SYMTAB: "SYMTAB",
}
_STRING_POOL = "string pool"
_TOOLS = {1: "clang", 2: "swift", 3: "ld", 4: "lld", 1024: "metal"}
_BIG_PAGES = {"arm64", "arm64e", "arm64_32"}
_ZERO_FILL = {1, 0xC, 0x12}  # S_ZEROFILL, S_GB_ZEROFILL, S_THREAD_LOCAL_ZEROFILL
_USE_MARKER = 0x1A741800  # dylib_use_command: LC_LOAD_DYLIB with flags instead of a timestamp (macOS 15)
_USE_WEAK, _USE_REEXPORT = 1, 2
_MAX_SECTIONS = 1 << 16
_MAX_TOOLS = 64
_MH_OBJECT, _MH_DSYM = 1, 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Dylib:
    """A library load command.

    Attributes:
        name: the install name asked for.
        weak: it may be missing.
        reexported: its symbols count as this binary's own.
        compatibility: the oldest compatibility version that will do.
    """

    name: str
    weak: bool
    reexported: bool
    compatibility: str


def read_macho(view: View) -> tuple[Binary, ...]:
    """Read every slice of a Mach-O file.

    Args:
        view: the whole file.

    Returns:
        One binary, without symbols, for each slice.

    Raises:
        FormatError: the file is damaged or hostile.
    """
    return tuple(_read_slice(part) for part in slices(view))


def dylibs(mach: MachFile) -> tuple[Dylib, ...]:
    """Return the libraries in the order of their ordinals."""
    found: list[Dylib] = []
    for command in mach.commands:
        if command.kind not in LOAD_DYLIBS:
            continue
        name, marker, _, oldest = mach.words(command, "IIII", "a library load command")
        flags = mach.words(command, "5I", "a library load command")[4] if marker == _USE_MARKER else 0
        found.append(
            Dylib(
                name=mach.string(command, name, "a library's name"),
                weak=command.kind == LC_LOAD_WEAK_DYLIB or bool(flags & _USE_WEAK),
                reexported=command.kind == LC_REEXPORT_DYLIB or bool(flags & _USE_REEXPORT),
                compatibility=_version(oldest),
            )
        )
    return tuple(found)


def macho_hardening(binary: Binary, symbols: tuple[Symbol, ...]) -> Hardening:
    """Return the hardening facts of a Mach-O slice, given its symbols.

    dyld binds everything at load since chained fixups; read-only data after relocation is ``__DATA_CONST``.
    """
    names = {symbol.name.removeprefix("_") for symbol in symbols if not symbol.defined}
    const = any(segment.name == "__DATA_CONST" for segment in binary.segments)
    return Hardening(
        relro="partial" if const else "none",
        bind_now=False,
        nx_stack="ALLOW_STACK_EXECUTION" not in binary.dynamic_flags,
        pie=binary.kind != "executable" or "PIE" in binary.dynamic_flags,
        stack_protector="__stack_chk_fail" in names,
        fortified=tuple(sorted(name for name in names if name.startswith("__") and name.endswith("_chk"))),
        control_flow=("PAC",) if binary.machine == "arm64e" else (),
        text_relocations=False,
    )


def _read_slice(view: View) -> Binary:
    mach = read_commands(view)
    machine = _machine(mach)
    libraries = dylibs(mach)
    platform, min_os, sdk, tools = _build(mach)
    identifier = mach.first(LC_ID_DYLIB)
    uuid = mach.first(LC_UUID)
    linker = mach.first(LC_LOAD_DYLINKER)
    return Binary(
        name=view.name,
        format="macho",
        machine=machine,
        bits=_bits(mach),
        endianness="little" if mach.order == "<" else "big",
        kind=_KINDS.get(mach.type, "other"),
        size=view.size,
        offset=view.start,
        soname=None if identifier is None else _name(mach, identifier, "the install name"),
        needed=tuple(library.name for library in libraries),
        weak_needed=tuple(library.name for library in libraries if library.weak),
        reexported=tuple(library.name for library in libraries if library.reexported),
        commands=tuple(_NEWER[command.kind] for command in mach.commands if command.kind in _NEWER),
        compatibility=_own_compatibility(mach, identifier),
        needed_compatibility=tuple(library.compatibility for library in libraries),
        misaligned=tuple(_misaligned(mach)),
        rpath=tuple(
            _name(mach, command, "an LC_RPATH") for command in mach.commands if command.kind == LC_RPATH
        ),
        interpreter=None if linker is None else _name(mach, linker, "the dynamic linker's path"),
        platform=platform,
        min_os=min_os,
        sdk=sdk,
        build_tools=tools,
        build_id=None if uuid is None else _uuid(mach, uuid),
        dynamic_flags=tuple(sorted(name for bit, name in _FLAGS.items() if mach.flags & bit)),
        signed=mach.first(LC_CODE_SIGNATURE) is not None,
        segments=tuple(_segment(mach, command, machine) for command in _segment_commands(mach)),
        sections=tuple(_sections(mach)),
    )


def _bits(mach: MachFile) -> Literal[32, 64]:
    return 32 if mach.bits == 32 else 64  # noqa: PLR2004


def _machine(mach: MachFile) -> str:
    name = _MACHINES.get(mach.cpu, f"machine-{mach.cpu}")
    return _SUBTYPES.get((name, mach.subtype), name)


def _name(mach: MachFile, command: Command, what: str) -> str:
    return mach.string(command, mach.words(command, "I", what)[0], what)


def _own_compatibility(mach: MachFile, identifier: Command | None) -> str:
    return "0.0" if identifier is None else _version(mach.words(identifier, "IIII", "the install name")[3])


def _uuid(mach: MachFile, command: Command) -> str:
    mach.words(command, "16B", "the UUID")
    return mach.view.take(command.offset + 8, 16, "the UUID").hex()


def _version(packed: int) -> str:
    """Return ``11.0`` for 0x000b0000 (xxxx.yy.zz, the last part only when it is not 0)."""
    major, minor, patch = packed >> 16, packed >> 8 & 255, packed & 255
    return f"{major}.{minor}.{patch}" if patch else f"{major}.{minor}"


def _is_for_macos(mach: MachFile, command: Command) -> bool:
    return (
        command.kind == LC_BUILD_VERSION
        and _PLATFORMS.get(mach.words(command, "I", "LC_BUILD_VERSION")[0]) == "macos"
    )


def _build(mach: MachFile) -> tuple[str, str | None, str | None, tuple[str, ...]]:
    """Return platform, minimum OS, SDK and build tools; of a library for two platforms, those for macOS."""
    ordered = sorted(mach.commands, key=lambda one: not _is_for_macos(mach, one))
    for command in ordered:
        if command.kind == LC_BUILD_VERSION:
            platform, minos, sdk, count = mach.words(command, "IIII", "LC_BUILD_VERSION")
            if count > _MAX_TOOLS:
                raise mach.view.fail(f"is hostile: LC_BUILD_VERSION with {count} tools", command.offset)
            numbers = mach.words(command, "IIII" + count * "II", "LC_BUILD_VERSION")[4:]
            tools = tuple(
                f"{_TOOLS.get(tool, f'tool-{tool}')} {_version(version)}"
                for tool, version in zip(numbers[::2], numbers[1::2], strict=True)
            )
            return _PLATFORMS.get(platform, f"platform-{platform}"), _version(minos), _version(sdk), tools
        if command.kind in LC_VERSION_MIN:
            minos, sdk = mach.words(command, "II", "LC_VERSION_MIN")
            return LC_VERSION_MIN[command.kind], _version(minos), _version(sdk), ()
    return "", None, None, ()


def _misaligned(mach: MachFile) -> Iterator[str]:
    """Yield what of __LINKEDIT begins at no multiple of the word size (dyld, ``MachOAnalyzer::validLinkedit``)."""
    word = mach.bits // 8
    for command in mach.commands:
        if command.kind in _TABLES:
            offset = mach.words(command, "II", "a table of __LINKEDIT")[0]
            if offset % word:
                yield f"{_TABLES[command.kind]} at {offset:#x}"
        if command.kind == LC_SYMTAB:
            pool = mach.words(command, "IIII", "the symbol table")[2]
            if pool % word:
                yield f"{_STRING_POOL} at {pool:#x}"


def _segment_commands(mach: MachFile) -> list[Command]:
    wanted = LC_SEGMENT_64 if mach.bits == 64 else LC_SEGMENT  # noqa: PLR2004
    return [command for command in mach.commands if command.kind == wanted]


def _segment_words(mach: MachFile, command: Command) -> tuple[int, ...]:
    """Return vmaddr, vmsize, fileoff, filesize, maxprot, initprot, nsects, flags."""
    return mach.words(command, "16x" + ("QQQQ" if mach.bits == 64 else "IIII") + "IIII", "a segment")  # noqa: PLR2004


def _segment(mach: MachFile, command: Command, machine: str) -> Segment:
    vaddr, memsz, offset, filesz, _, protection, _, _ = _segment_words(mach, command)
    if filesz and mach.type not in {_MH_OBJECT, _MH_DSYM}:
        mach.view.check(offset, filesz, "a segment")
    return Segment(
        name=_fixed(mach.view, command.offset + 8),
        vaddr=vaddr,
        offset=offset,
        filesz=filesz,
        memsz=memsz,
        align=0x4000 if machine in _BIG_PAGES else 0x1000,
        flags="".join(sign if protection & bit else "-" for sign, bit in (("r", 1), ("w", 2), ("x", 4))),
        loaded=filesz > 0 and mach.type != _MH_OBJECT,
    )


def _sections(mach: MachFile) -> Iterator[Section]:
    total = 0
    for command in _segment_commands(mach):
        count = _segment_words(mach, command)[6]
        total += count
        if total > _MAX_SECTIONS:
            raise mach.view.fail(f"is hostile: it claims {total} sections", command.offset)
        wide = mach.bits == 64  # noqa: PLR2004
        header, size = (72, 80) if wide else (56, 68)
        if header + count * size > command.size:
            raise mach.view.fail("is damaged: a segment's sections do not fit its command", command.offset)
        for number in range(count):
            yield _section(mach, command.offset + header + number * size, wide=wide)


def _section(mach: MachFile, at: int, *, wide: bool) -> Section:
    # address, size, offset, align, relocation offset, relocation count, flags
    record = struct.Struct(mach.order + ("QQIIIII" if wide else "IIIIIII"))
    vaddr, size, offset, _, _, _, flags = mach.view.unpack(record, at + 32, "a section")
    return Section(
        name=f"{_fixed(mach.view, at + 16)},{_fixed(mach.view, at)}",
        kind=flags & 255,
        flags=flags,
        vaddr=vaddr,
        offset=offset,
        size=size,
        loaded=True,
        stored=flags & 255 not in _ZERO_FILL and mach.type != _MH_DSYM,
    )


def _fixed(view: View, offset: int) -> str:
    """Return a 16-byte name."""
    return decoded(view.take(offset, 16, "a name").split(b"\0", 1)[0])
