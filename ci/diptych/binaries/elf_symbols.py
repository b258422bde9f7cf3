"""ELF symbols: the dynamic table through PT_DYNAMIC, the static one through section headers."""

from __future__ import annotations

import functools
import struct
from collections.abc import Mapping

from diptych.binaries import elf_versions
from diptych.binaries.bytesview import StringTable
from diptych.binaries.elf_dynamic import (
    DT_GNU_HASH,
    DT_HASH,
    DT_JMPREL,
    DT_PLTREL,
    DT_PLTRELSZ,
    DT_REL,
    DT_RELA,
    DT_RELASZ,
    DT_RELSZ,
    DT_SYMTAB,
    DT_VERSYM,
    Dynamic,
    read_dynamic,
)
from diptych.binaries.elf_headers import SHT_SYMTAB, ElfFile
from diptych.binaries.model import Symbol

MAX_SYMBOLS = 1 << 21
"""More than any real library has; a file that claims more is refused."""

_BINDINGS = {0: "local", 1: "global", 2: "weak", 10: "unique"}
_KINDS = {0: "notype", 1: "object", 2: "func", 3: "section", 4: "file", 5: "common", 6: "tls", 10: "ifunc"}
_HIDDEN = 0x8000
_BASE_INDEX = 1
_WIDE_HASH_MACHINES = {22, 0x9026}  # s390x and Alpha: DT_HASH has 64-bit entries there

_Versions = Mapping[int, tuple[str, str | None]]


def dynamic_symbols(elf: ElfFile) -> tuple[Symbol, ...]:
    """Return the dynamic symbols in table order, with versions.

    Raises:
        FormatError: a table lies outside the file, or claims more than 2 million symbols.
    """
    dynamic = read_dynamic(elf)
    if dynamic is None or dynamic.strings is None or DT_SYMTAB not in dynamic.values:
        return ()
    offset = elf.file_offset(dynamic.values[DT_SYMTAB], "the dynamic symbol table")
    count = _checked(elf, _count(elf, dynamic))
    names = dynamic.strings
    if DT_VERSYM not in dynamic.values:
        return _symbols(elf, offset, count, names, {}, None)
    versions: dict[int, tuple[str, str | None]] = {
        index: (definition.name, None) for index, definition in elf_versions.definitions(elf, dynamic)
    }
    versions |= {index: (need.version, need.library) for index, need in elf_versions.needs(elf, dynamic)}
    at = elf.file_offset(dynamic.values[DT_VERSYM], "the symbol version table")
    half = struct.Struct(elf.layout.order + "H")
    indices = [row[0] for row in elf.view.rows(half, at, count, "the symbol version table")]
    return _symbols(elf, offset, count, names, versions, indices)


def static_symbols(elf: ElfFile) -> tuple[Symbol, ...]:
    """Return the named symbols of ``.symtab``, or nothing when it was stripped.

    Raises:
        FormatError: the table lies outside the file.
    """
    for section, link in zip(elf.sections, elf.section_links, strict=True):
        if section.kind == SHT_SYMTAB and 0 < link < len(elf.sections):
            size = _record(elf).size
            table = elf.sections[link]
            names = StringTable(
                view=elf.view, offset=table.offset, size=table.size, what="the symbol string table"
            )
            count = _checked(elf, section.size // size)
            return _symbols(elf, section.offset, count, names, {}, None)
    return ()


def _record(elf: ElfFile) -> struct.Struct:
    return elf.layout.record("IIIBBH", "IBBHQQ")


def _checked(elf: ElfFile, count: int) -> int:
    if count > MAX_SYMBOLS:
        raise elf.view.fail(f"is hostile: it claims {count} symbols")
    return count


def _symbols(
    elf: ElfFile, offset: int, count: int, names: StringTable, versions: _Versions, indices: list[int] | None
) -> tuple[Symbol, ...]:
    found: list[Symbol] = []
    narrow = elf.layout.bits == 32  # noqa: PLR2004
    for position, row in enumerate(elf.view.rows(_record(elf), offset, count, "the symbol table")):
        name, info, section = (row[0], row[3], row[5]) if narrow else (row[0], row[1], row[3])
        if name == 0:
            continue
        index = indices[position] if indices is not None else 0
        # Indices 0 and 1 are no versions: local, and global without one (LSB Core, VER_NDX_*).
        real = index & ~_HIDDEN if index & ~_HIDDEN > _BASE_INDEX else -1
        version, library = versions.get(real, (None, None))
        binding, kind = _info(info)
        found.append(
            Symbol(
                name=names.get(name),
                defined=section != 0,
                binding=binding,
                kind=kind,
                version=version,
                library=library,
                default_version=not index & _HIDDEN,
            )
        )
    return tuple(found)


@functools.cache
def _info(info: int) -> tuple[str, str]:
    """Return binding and kind: of 256 values at most."""
    binding, kind = info >> 4, info & 15
    return _BINDINGS.get(binding, f"binding-{binding}"), _KINDS.get(kind, f"type-{kind}")


def _count(elf: ElfFile, dynamic: Dynamic) -> int:
    """Return the number of dynamic symbols, which no tag states.

    DT_HASH has one chain entry for each. DT_GNU_HASH ends at the last hashed symbol; where it hashes none (a
    library that exports nothing), GNU ld does not even state the number before it, so the symbols that
    relocations name are what counts.
    """
    if DT_HASH in dynamic.values:
        wide = elf.machine in _WIDE_HASH_MACHINES and elf.layout.bits == 64  # noqa: PLR2004
        word = struct.Struct(elf.layout.order + ("QQ" if wide else "II"))
        return elf.view.unpack(word, elf.file_offset(dynamic.values[DT_HASH], "DT_HASH"), "DT_HASH")[1]
    hashed = 0
    if DT_GNU_HASH in dynamic.values:
        hashed = _hashed_end(elf, elf.file_offset(dynamic.values[DT_GNU_HASH], "DT_GNU_HASH"))
    return hashed or _relocated_end(elf, dynamic)


def _hashed_end(elf: ElfFile, offset: int) -> int:
    """Return the index after the last hashed symbol, or 0 when none is hashed."""
    what = "DT_GNU_HASH"
    header = struct.Struct(elf.layout.order + "IIII")
    buckets, first, bloom, _ = elf.view.unpack(header, offset, what)
    at = offset + header.size + bloom * elf.layout.bits // 8
    _checked(elf, buckets)
    word = elf.layout.word
    last = max((row[0] for row in elf.view.rows(word, at, buckets, what)), default=0)
    if last < max(first, 1):
        return 0
    chain = at + buckets * word.size
    while not elf.view.unpack(word, chain + (last - first) * word.size, what)[0] & 1:
        last = _checked(elf, last + 1)
    return last + 1


def _relocated_end(elf: ElfFile, dynamic: Dynamic) -> int:
    """Return the index after the last symbol that a relocation names."""
    values = dynamic.values
    tables = [
        (DT_RELA, DT_RELASZ, True),
        (DT_REL, DT_RELSZ, False),
        (DT_JMPREL, DT_PLTRELSZ, values.get(DT_PLTREL) == DT_RELA),
    ]
    shift = 8 if elf.layout.bits == 32 else 32  # noqa: PLR2004
    end = 0
    for table, size, addend in tables:
        if not values.get(table) or not values.get(size):
            continue
        record = elf.layout.record("III", "QQQ") if addend else elf.layout.record("II", "QQ")
        offset = elf.file_offset(values[table], "the relocations")
        count = _checked(elf, values[size] // record.size)
        rows = elf.view.rows(record, offset, count, "the relocations")
        end = max(end, max((1 + (row[1] >> shift) for row in rows), default=0))
    return end
