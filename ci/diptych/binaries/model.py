"""The facts about one binary, the same for ELF and for a slice of Mach-O."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal

Format = Literal["elf", "macho"]
Kind = Literal["executable", "shared", "bundle", "object", "core", "other"]
Endianness = Literal["little", "big"]


class Signature(enum.Enum):
    """What a Mach-O code signature is worth."""

    ABSENT = "absent"
    ADHOC = "adhoc-valid"
    """Signed by nobody, and every page hash was recomputed equal."""
    STALE = "stale"
    """At least one page hash differs: arm64 macOS kills a process that touches the page."""
    OTHER = "other"
    """Signed with an identity (page hashes equal), or in a way that is not understood here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A program header (ELF) or a segment command (Mach-O).

    Attributes:
        name: the type without ``PT_`` (``LOAD``, ``DYNAMIC``, ``GNU_STACK``, ``0x6474e555``), or Mach-O's segment name.
        vaddr: address in memory, before the load bias.
        offset: place in the file (in the slice, for a universal Mach-O).
        filesz: bytes in the file.
        memsz: bytes in memory.
        align: alignment; the page size for Mach-O, which states none.
        flags: permissions, like ``r-x``.
        loaded: whether the loader maps it.
    """

    name: str
    vaddr: int
    offset: int
    filesz: int
    memsz: int
    align: int
    flags: str
    loaded: bool

    @property
    def congruent(self) -> bool:
        """Whether it can be mapped: address and offset agree modulo the alignment (gABI, program headers)."""
        return self.align <= 1 or self.vaddr % self.align == self.offset % self.align


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A section header.

    Attributes:
        name: like ``.text`` or ``__TEXT,__text``.
        kind: the raw type number.
        flags: the raw flags.
        vaddr: address in memory, 0 when not loaded.
        offset: place in the file.
        size: bytes (in memory, for a section that takes none in the file).
        loaded: whether it is part of the memory image.
        stored: whether its bytes are in the file.
    """

    name: str
    kind: int
    flags: int
    vaddr: int
    offset: int
    size: int
    loaded: bool
    stored: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionNeed:
    """One entry of ``.gnu.version_r``: a version that a library must define (LSB Core, Symbol Versioning).

    Attributes:
        library: SONAME of the library, like ``libc.so.6``.
        version: like ``GLIBC_2.34``.
        flags: 2 is VER_FLG_WEAK: a missing version is only a warning.
    """

    library: str
    version: str
    flags: int


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionDefinition:
    """One entry of ``.gnu.version_d``.

    Attributes:
        name: the version.
        parents: the versions it inherits from.
        flags: 1 is VER_FLG_BASE: the file itself, no symbol version.
    """

    name: str
    parents: tuple[str, ...]
    flags: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Symbol:
    """A symbol as the loader sees it.

    Attributes:
        name: as in the file (Mach-O C names keep their leading underscore).
        defined: whether this binary defines it.
        binding: ``global``, ``weak``, ``unique`` or ``local``.
        kind: ``func``, ``object``, ``tls``, ``ifunc``, ``notype``, …; empty for Mach-O.
        version: its symbol version.
        library: the library it is bound to: of the version entry (ELF), or by two-level namespace (Mach-O).
        default_version: False for a definition that only a reference with its version can bind.
    """

    name: str
    defined: bool
    binding: str
    kind: str
    version: str | None = None
    library: str | None = None
    default_version: bool = True


@dataclass(frozen=True, kw_only=True)
class Hardening:
    """What the compiler and linker did against exploits.

    Attributes:
        relro: ``none``, ``partial`` or ``full`` (with immediate binding).
        bind_now: all symbols are bound at load.
        nx_stack: the stack is not executable.
        pie: position-independent executable (or any library).
        stack_protector: it refers to ``__stack_chk_fail``.
        fortified: the ``_FORTIFY_SOURCE`` functions that it calls.
        control_flow: CET or BTI marks (``IBT``, ``SHSTK``, ``BTI``, ``PAC``).
        text_relocations: code is modified at load.
    """

    relro: Literal["none", "partial", "full"]
    bind_now: bool
    nx_stack: bool
    pie: bool
    stack_protector: bool
    fortified: tuple[str, ...]
    control_flow: tuple[str, ...]
    text_relocations: bool


@dataclass(frozen=True, kw_only=True)
class Binary:
    """One ELF file, or one slice of a Mach-O file.

    Attributes:
        name: the file, as given by the caller.
        format: ``elf`` or ``macho``.
        machine: like ``x86_64``, ``aarch64``, ``arm64``; ``machine-N`` for a number without a name here.
        bits: 32 or 64.
        endianness: byte order.
        kind: ``bundle`` is Mach-O's MH_BUNDLE; a position-independent executable is an ``executable``.
        soname: DT_SONAME, or the install name (LC_ID_DYLIB).
        needed: the libraries it asks for, in order (the order of Mach-O's library ordinals).
        weak_needed: those of ``needed`` that may be missing (LC_LOAD_WEAK_DYLIB).
        reexported: those of ``needed`` whose symbols count as its own (LC_REEXPORT_DYLIB).
        filtered: DT_FILTER, the library that answers for this one; loading fails without it (ELF).
        commands: the load commands that not every dyld knows: ``DYLD_CHAINED_FIXUPS``, … (Mach-O).
        compatibility: the compatibility version of a library (LC_ID_DYLIB); 0.0 where it is none (Mach-O).
        needed_compatibility: the one that each of ``needed`` must have, in the same order (Mach-O).
        misaligned: parts of __LINKEDIT at offsets that are no multiple of the word size (Mach-O).
        rpath: entries of DT_RPATH, or LC_RPATH with duplicates and order kept. A DT_RPATH that is an empty
            string is ``("",)``: present, but it adds no folder.
        runpath: entries of DT_RUNPATH, likewise.
        interpreter: PT_INTERP or LC_LOAD_DYLINKER.
        version_needs: the symbol versions it needs.
        version_definitions: the symbol versions it defines.
        platform: ``linux``, ``macos``, …; empty when the file does not say.
        min_os: oldest kernel (``.note.ABI-tag``) or oldest macOS (``minos``).
        sdk: SDK version (Mach-O).
        build_tools: compilers and linkers: strings of ``.comment``, tools of LC_BUILD_VERSION.
        build_id: GNU build id or LC_UUID, in hexadecimal.
        features: marks in notes: ``IBT``, ``SHSTK``, ``BTI``, ``PAC``, and needed ISA levels like ``x86-64-v3``.
        dynamic_flags: ``BIND_NOW``, ``TEXTREL``, ``NODEFLIB``, ``PIE``, ``RELR``, …, or Mach-O header flags, sorted.
        signed: a Mach-O slice has a code signature (its worth: :func:`diptych.binaries.signature`).
        segments: program headers or segment commands.
        sections: section headers; empty when stripped.
        symbols: None unless they were asked for.
        flaws: what is wrong with parts that the loader does not look at, such as section headers past the end of the file.
        odd_identity: what glibc finds wrong in the first sixteen bytes, and musl does not look at (ELF).
        unloadable: what keeps every loader from loading a shared object (ELF).
        offset: where a universal file's slice begins; else 0.
        size: length of the file or slice.
    """

    name: str
    format: Format
    machine: str
    bits: Literal[32, 64]
    endianness: Endianness
    kind: Kind
    size: int
    offset: int = 0
    soname: str | None = None
    needed: tuple[str, ...] = ()
    weak_needed: tuple[str, ...] = ()
    reexported: tuple[str, ...] = ()
    filtered: str = ""
    commands: tuple[str, ...] = ()
    compatibility: str = "0.0"
    needed_compatibility: tuple[str, ...] = ()
    misaligned: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    interpreter: str | None = None
    version_needs: tuple[VersionNeed, ...] = ()
    version_definitions: tuple[VersionDefinition, ...] = ()
    platform: str = ""
    min_os: str | None = None
    sdk: str | None = None
    build_tools: tuple[str, ...] = ()
    build_id: str | None = None
    features: tuple[str, ...] = ()
    dynamic_flags: tuple[str, ...] = ()
    signed: bool = False
    segments: tuple[Segment, ...] = ()
    sections: tuple[Section, ...] = ()
    symbols: tuple[Symbol, ...] | None = None
    flaws: tuple[str, ...] = ()
    odd_identity: tuple[str, ...] = ()
    unloadable: tuple[str, ...] = ()

    @property
    def congruent(self) -> bool:
        """Whether every loaded segment can be mapped where it says (broken by some old relinkers)."""
        return all(segment.congruent for segment in self.segments if segment.loaded)

    @property
    def has_debug_info(self) -> bool:
        """Whether DWARF is in the file itself."""
        return any(
            section.name in {".debug_info", ".zdebug_info", "__DWARF,__debug_info"}
            for section in self.sections
        )
