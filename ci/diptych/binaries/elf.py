"""ELF file → :class:`~diptych.binaries.model.Binary`.

Only file header, program headers, section headers, notes and what the dynamic section points to are touched, so
a mapped file of any size costs the same. Everything that the loader uses comes from program headers, so a file
without section headers loses nothing but section names and ``.comment``.
"""

from __future__ import annotations

from typing import Literal

from diptych.binaries import elf_versions
from diptych.binaries.bytesview import View, decoded
from diptych.binaries.elf_dynamic import DT_FILTER, DT_RPATH, DT_RUNPATH, DT_SONAME, Dynamic, read_dynamic
from diptych.binaries.elf_headers import (
    PT_INTERP,
    SHT_FINI_ARRAY,
    SHT_INIT_ARRAY,
    SHT_PREINIT_ARRAY,
    SHT_PROGBITS,
    SHT_REL,
    SHT_RELA,
    ElfFile,
    read_headers,
)
from diptych.binaries.elf_notes import read_notes
from diptych.binaries.elf_refused import identity_faults, loading_faults
from diptych.binaries.model import Binary, Hardening, Kind, Section, Symbol

_ET_DYN = 3
_KINDS: dict[int, Kind] = {1: "object", 2: "executable", 4: "core"}
_MACHINES = {
    2: "sparc",
    3: "i386",
    8: "mips",
    20: "ppc",
    21: "ppc64",
    22: "s390x",
    40: "arm",
    43: "sparc64",
    62: "x86_64",
    183: "aarch64",
    243: "riscv",
    258: "loongarch",
    0x9026: "alpha",
}
_MAX_COMMENT = 1 << 16

# Relinking (patchelf, LIEF) rewrites or moves what the dynamic section points to (.dynamic, .dynstr, .dynsym,
# .hash, .gnu.hash, .gnu.version*), .interp, and notes. It never changes compiled content, whose addresses stay.
# The relocations are kept in: data that refers to other data is only complete together with them.
_COMPILED_KINDS = {SHT_PROGBITS, SHT_RELA, SHT_REL, SHT_INIT_ARRAY, SHT_FINI_ARRAY, SHT_PREINIT_ARRAY}
_RELINKED = {".interp", ".got", ".got.plt"}  # the GOT begins with the address of .dynamic, which may move


def read_elf(view: View) -> Binary:
    """Read the facts of one ELF file.

    Args:
        view: the whole file.

    Returns:
        The binary, without symbols.

    Raises:
        FormatError: the file is damaged or hostile.
    """
    elf = read_headers(view)
    dynamic = read_dynamic(elf) or Dynamic(values={}, needed=(), strings=None)
    notes = read_notes(elf)
    interpreter = _interpreter(elf)
    flags = dynamic.flags()
    return Binary(
        name=view.name,
        format="elf",
        machine=_machine(elf),
        bits=_bits(elf),
        endianness="little" if elf.layout.order == "<" else "big",
        kind=_kind(elf, dynamic, interpreter, flags),
        size=view.size,
        offset=view.start,
        soname=dynamic.text(DT_SONAME),
        needed=dynamic.needed_names(),
        filtered=dynamic.text(DT_FILTER) or "",
        rpath=dynamic.entries(DT_RPATH),
        runpath=dynamic.entries(DT_RUNPATH),
        interpreter=interpreter,
        version_needs=tuple(need for _, need in elf_versions.needs(elf, dynamic)),
        version_definitions=tuple(found for _, found in elf_versions.definitions(elf, dynamic)),
        platform=notes.platform,
        min_os=notes.min_os,
        build_tools=_comments(elf),
        build_id=notes.build_id,
        features=notes.features,
        dynamic_flags=flags,
        segments=elf.segments,
        sections=elf.sections,
        flaws=elf.flaws,
        odd_identity=tuple(identity_faults(elf)),
        unloadable=tuple(loading_faults(elf, dynamic)) if elf.type == _ET_DYN else (),
    )


def compiled_sections(binary: Binary) -> tuple[Section, ...]:
    """Return the sections that hold what the compiler made and that no relinking may change."""
    return tuple(
        section
        for section in binary.sections
        if section.loaded and section.kind in _COMPILED_KINDS and section.name not in _RELINKED
    )


def elf_hardening(binary: Binary, symbols: tuple[Symbol, ...]) -> Hardening:
    """Return the hardening facts of an ELF binary, given its dynamic symbols."""
    bind_now = "BIND_NOW" in binary.dynamic_flags
    relro = any(segment.name == "GNU_RELRO" for segment in binary.segments)
    stack = [segment for segment in binary.segments if segment.name == "GNU_STACK"]
    names = {symbol.name for symbol in symbols if not symbol.defined}
    return Hardening(
        relro=("full" if bind_now else "partial") if relro else "none",
        bind_now=bind_now,
        # Without the header the kernel falls back to an executable stack (execstack(8)).
        nx_stack=bool(stack) and "x" not in stack[0].flags,
        pie=binary.kind == "shared" or "PIE" in binary.dynamic_flags,
        stack_protector="__stack_chk_fail" in names,
        fortified=tuple(sorted(name for name in names if name.startswith("__") and name.endswith("_chk"))),
        control_flow=tuple(name for name in binary.features if not name.startswith("x86-64-")),
        text_relocations="TEXTREL" in binary.dynamic_flags,
    )


def _bits(elf: ElfFile) -> Literal[32, 64]:
    return 32 if elf.layout.bits == 32 else 64  # noqa: PLR2004


def _machine(elf: ElfFile) -> str:
    name = _MACHINES.get(elf.machine, f"machine-{elf.machine}")
    bits, little = elf.layout.bits, elf.layout.order == "<"
    special = {
        ("x86_64", 32): "x32",
        ("s390x", 32): "s390",
        ("ppc64", 64): "ppc64le" if little else "ppc64",
        ("aarch64", 64): "aarch64" if little else "aarch64_be",
        ("riscv", bits): f"riscv{bits}",
        ("loongarch", bits): f"loongarch{bits}",
    }
    return special.get((name, bits), name)


def _kind(elf: ElfFile, dynamic: Dynamic, interpreter: str | None, flags: tuple[str, ...]) -> Kind:
    if elf.type != _ET_DYN:
        return _KINDS.get(elf.type, "other")
    # libc.so.6 has an interpreter too (it can be run), but it also has a SONAME.
    if "PIE" in flags or (interpreter is not None and DT_SONAME not in dynamic.values):
        return "executable"
    return "shared"


def _interpreter(elf: ElfFile) -> str | None:
    segments = [segment for segment in elf.of_type(PT_INTERP) if segment.filesz]
    if not segments:
        return None
    end = segments[0].offset + segments[0].filesz
    return elf.view.text(segments[0].offset, end, "the interpreter's path")


def _comments(elf: ElfFile) -> tuple[str, ...]:
    for section in elf.sections:
        if section.name == ".comment" and section.stored:
            if section.offset + section.size > elf.view.size:
                return ()
            raw = elf.view.take(section.offset, min(section.size, _MAX_COMMENT), "the .comment section")
            return tuple(dict.fromkeys(decoded(part) for part in raw.split(b"\0") if part))
    return ()
