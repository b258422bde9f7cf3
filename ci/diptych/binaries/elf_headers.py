"""ELF identification, file header, program headers and section headers (System V gABI, chapters 4 and 5)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from diptych.binaries.bytesview import StringTable, View
from diptych.binaries.model import Section, Segment
from diptych.errors import FormatError

ELF_MAGIC = b"\x7fELF"

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE = 1, 2, 3, 4
SHT_PROGBITS, SHT_SYMTAB, SHT_RELA, SHT_NOBITS, SHT_REL, SHT_DYNSYM = 1, 2, 4, 8, 9, 11
SHT_INIT_ARRAY, SHT_FINI_ARRAY, SHT_PREINIT_ARRAY = 14, 15, 16
SHF_ALLOC = 2

_MAX_SEGMENTS = 1 << 16
_MAX_SECTIONS = 1 << 18
_PAGE = 0x1000
_PN_XNUM = 0xFFFF
_SHN_XINDEX = 0xFFFF
_SEGMENT_NAMES = {
    0: "NULL",
    PT_LOAD: "LOAD",
    PT_DYNAMIC: "DYNAMIC",
    PT_INTERP: "INTERP",
    PT_NOTE: "NOTE",
    6: "PHDR",
    7: "TLS",
    0x6474E550: "GNU_EH_FRAME",
    0x6474E551: "GNU_STACK",
    0x6474E552: "GNU_RELRO",
    0x6474E553: "GNU_PROPERTY",
}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The record layouts of one class and byte order.

    Attributes:
        bits: 32 or 64.
        order: ``<`` or ``>``, for struct.
    """

    bits: int
    order: str

    def record(self, fields32: str, fields64: str) -> struct.Struct:
        """Return the layout of a record, given its fields in both classes."""
        return struct.Struct(self.order + (fields64 if self.bits == 64 else fields32))  # noqa: PLR2004

    @property
    def word(self) -> struct.Struct:
        """Elf32_Word, the same in both classes."""
        return struct.Struct(self.order + "I")


@dataclass(frozen=True, kw_only=True)
class ElfFile:
    """The headers of an ELF file.

    Attributes:
        view: its bytes.
        layout: class and byte order.
        type: e_type.
        machine: e_machine.
        segments: program headers.
        segment_types: p_type of each.
        sections: section headers.
        section_links: sh_link of each.
        flaws: what is wrong with parts that no loader looks at.
    """

    view: View
    layout: Layout
    type: int
    machine: int
    segments: tuple[Segment, ...]
    segment_types: tuple[int, ...]
    sections: tuple[Section, ...]
    section_links: tuple[int, ...]
    flaws: tuple[str, ...] = ()

    def of_type(self, wanted: int) -> list[Segment]:
        """Return the segments of one type."""
        return [
            segment for segment, kind in zip(self.segments, self.segment_types, strict=True) if kind == wanted
        ]

    def file_offset(self, vaddr: int, what: str) -> int:
        """Return where the byte at ``vaddr`` stands in the file, as the PT_LOAD segments map it.

        Whole pages are mapped: what the file has behind a segment is there as well, up to the end of its last page, unless the
        segment is larger in memory (glibc ``elf/dl-map-segments.h`` then clears that page's rest).

        Raises:
            FormatError: no loaded segment holds it.
        """
        for segment in self.of_type(PT_LOAD):
            if 0 <= vaddr - segment.vaddr < segment.filesz:
                return vaddr - segment.vaddr + segment.offset
        for segment in self.of_type(PT_LOAD):
            end = -(-(segment.vaddr + segment.filesz) // _PAGE) * _PAGE
            if segment.vaddr <= vaddr < end and 0 < segment.filesz >= segment.memsz:
                return vaddr - segment.vaddr + segment.offset
        raise self.view.fail(f"is damaged: no loaded segment holds {what} (address {vaddr:#x})")


def read_headers(view: View) -> ElfFile:
    """Read file, program and section headers.

    Raises:
        FormatError: a header is cut off or contradicts itself.
    """
    layout = _identify(view)
    header = layout.record("HHIIIIIHHHHHH", "HHIQQQIHHHHHH")
    fields = view.unpack(header, 16, "the ELF header")
    kind, machine, version, _, phoff, shoff, _, _, phentsize, phnum, shentsize, shnum, shstrndx = fields
    if version != 1:
        raise view.fail(f"is damaged: ELF version {version} instead of 1", 20)
    rows, flaw = _all_section_rows(view, layout, (shoff, shentsize, shnum))
    first = rows[:1]
    if first and phnum == _PN_XNUM:
        phnum = first[0][7]
    if first and shstrndx == _SHN_XINDEX:
        shstrndx = first[0][6]
    types, segments = _segments(view, layout, phoff, phentsize, phnum)
    sections, unnamed = _named_sections(view, rows, shstrndx)
    return ElfFile(
        view=view,
        layout=layout,
        type=kind,
        machine=machine,
        segments=segments,
        segment_types=types,
        sections=sections,
        section_links=tuple(row[6] for row in rows),
        flaws=tuple(filter(None, (flaw, unnamed))),
    )


def _identify(view: View) -> Layout:
    ident = view.take(0, 16, "the ELF identification")
    if ident[:4] != ELF_MAGIC:
        raise view.fail("is no ELF file", 0)
    bits, order = {1: 32, 2: 64}.get(ident[4]), {1: "<", 2: ">"}.get(ident[5])
    if bits is None:
        raise view.fail(f"is damaged: ELF class {ident[4]} is neither 1 (32 bit) nor 2 (64 bit)", 4)
    if order is None:
        raise view.fail(f"is damaged: ELF byte order {ident[5]} is neither 1 nor 2", 5)
    return Layout(bits=bits, order=order)


def _segments(
    view: View, layout: Layout, offset: int, entsize: int, count: int
) -> tuple[tuple[int, ...], tuple[Segment, ...]]:
    record = layout.record("8I", "IIQQQQQQ")
    if count == 0:
        return (), ()
    if entsize != record.size or count > _MAX_SEGMENTS:
        raise view.fail(f"is damaged: {count} program headers of {entsize} bytes", 42)
    types: list[int] = []
    segments: list[Segment] = []
    for row in view.rows(record, offset, count, "the program header table"):
        kind, place, vaddr, _, filesz, memsz, flags, align = (
            row if layout.bits == 32 else (row[0], *row[2:7], row[1], row[7])  # noqa: PLR2004
        )
        if kind == PT_LOAD and filesz:
            view.check(place, filesz, "a loaded segment")
        types.append(kind)
        segments.append(
            Segment(
                name=_SEGMENT_NAMES.get(kind, f"{kind:#x}"),
                vaddr=vaddr,
                offset=place,
                filesz=filesz,
                memsz=memsz,
                align=align,
                flags="".join(sign if flags & bit else "-" for sign, bit in (("r", 4), ("w", 2), ("x", 1))),
                loaded=kind == PT_LOAD,
            )
        )
    return tuple(types), tuple(segments)


def _section_rows(view: View, layout: Layout, offset: int, entsize: int, count: int) -> list[tuple[int, ...]]:
    record = layout.record("10I", "IIQQQQIIQQ")
    if entsize != record.size or count > _MAX_SECTIONS:
        raise view.fail(f"is damaged: {count} section headers of {entsize} bytes", offset)
    return list(view.rows(record, offset, count, "the section header table"))


def _all_section_rows(
    view: View, layout: Layout, table: tuple[int, int, int]
) -> tuple[list[tuple[int, ...]], str]:
    """Return the section headers, or none and what is wrong with them: no loader looks at them (gABI, chapter 4)."""
    offset, entsize, count = table
    if not offset:
        return [], ""
    try:
        if count == 0:  # gABI: counts that do not fit stand in the first section header
            count = _section_rows(view, layout, offset, entsize, 1)[0][5]
        return _section_rows(view, layout, offset, entsize, count), ""
    except FormatError as error:
        return [], " ".join((error.summary.removeprefix(f'"{view.name}" '), *error.details))


def _named_sections(
    view: View, rows: list[tuple[int, ...]], names_at: int
) -> tuple[tuple[Section, ...], str]:
    if not 0 < names_at < len(rows):  # SHN_UNDEF: the sections have no names
        return tuple(_section("", row) for row in rows), ""
    try:
        names = StringTable(
            view=view, offset=rows[names_at][4], size=rows[names_at][5], what="the section name table"
        )
        return tuple(_section(names.get(row[0]) if row[0] or row[1] else "", row) for row in rows), ""
    except FormatError as error:
        unnamed = tuple(_section("", row) for row in rows)
        return unnamed, error.summary.removeprefix(f'"{view.name}" ')


def _section(name: str, row: tuple[int, ...]) -> Section:
    _, kind, flags, vaddr, offset, size, *_ = row
    return Section(
        name=name,
        kind=kind,
        flags=flags,
        vaddr=vaddr,
        offset=offset,
        size=size,
        loaded=bool(flags & SHF_ALLOC),
        stored=kind not in {0, SHT_NOBITS},
    )
