"""ELF sections as if they lay nowhere: hashes that do not tell at which addresses the linker has put things.

A longer run path in front moves all that comes after it. Code refers to other code and to the GOT by distances, which stay;
addresses stand only in what the loader rewrites. So each word with a relocation is left out of its section, and each relocation is
worded by section and offset, in the order of those (gABI, chapter 4, "Relocation"). An entry more in the dynamic section moves
some data away from the code, and code that refers to it without the GOT is then not equal.
"""

from __future__ import annotations

import hashlib
import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from diptych.binaries.bytesview import StringTable
from diptych.binaries.elf_headers import SHT_DYNSYM, SHT_NOBITS, SHT_RELA, ElfFile
from diptych.binaries.model import Section

# Relocations whose addend is an address: R_…_RELATIVE and R_…_IRELATIVE of each processor's ABI, by e_machine.
_OF_ADDRESSES = {
    21: {22, 248},
    22: {12, 61},
    62: {8, 37},
    183: {1027, 1032},
    243: {3, 58},
    258: {3, 12},
}
_TLS_BLOCK = 0x400
_WIDE = 64


@dataclass(frozen=True, kw_only=True)
class _Relocation:
    place: int
    kind: int
    symbol: str
    addend: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Placeless:
    """The sections of one ELF file.

    Attributes:
        elf: its headers.
    """

    elf: ElfFile
    _names: dict[int, StringTable] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Whether the relocations of its processor are known here; those of 32-bit ones have their addends in the code."""
        return self.elf.machine in _OF_ADDRESSES and self.elf.layout.bits == _WIDE

    def sha256(self, offset: int, size: int, what: str) -> str:
        """Return the hash of a section, given its place in the file.

        Raises:
            FormatError: the section, or a relocation's symbol, lies outside the file.
        """
        for index, section in enumerate(self.elf.sections):
            if section.stored and section.loaded and (section.offset, section.size) == (offset, size):
                rows = self._told(index) if section.kind == SHT_RELA else self._content(section, what)
                return hashlib.sha256(rows).hexdigest()
        return self.elf.view.sha256(offset, size, what)

    def _told(self, index: int) -> bytes:
        rows = sorted(
            (self._where(one.place), one.kind, one.symbol, self._meant(one))
            for one in self._relocations_of(index)
        )
        return "\n".join(map(repr, rows)).encode()

    def _content(self, section: Section, what: str) -> bytes:
        content = bytearray(self.elf.view.take(section.offset, section.size, what))
        begin = bisect_right(self._places, section.vaddr - 1)
        end = bisect_right(self._places, section.vaddr + section.size - 1)
        word = self.elf.layout.bits // 8
        for place in self._places[begin:end]:
            at = place - section.vaddr
            stop = min(at + word, len(content))
            content[at:stop] = bytes(stop - at)
        return bytes(content)

    def _meant(self, one: _Relocation) -> tuple[str, int]:
        if not one.symbol and one.kind in _OF_ADDRESSES[self.elf.machine]:
            return self._where(one.addend)
        return "", one.addend

    def _where(self, address: int) -> tuple[str, int]:
        """Return the section that an address lies in, or just behind, and the distance from its start."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return "", address
        section = self._sections[index]
        return section.name, address - section.vaddr

    @cached_property
    def _sections(self) -> list[Section]:
        found = [
            one
            for one in self.elf.sections
            if one.loaded and one.size and not (one.kind == SHT_NOBITS and one.flags & _TLS_BLOCK)
        ]
        return sorted(found, key=lambda one: one.vaddr)

    @cached_property
    def _starts(self) -> list[int]:
        return [one.vaddr for one in self._sections]

    @cached_property
    def _places(self) -> list[int]:
        return sorted(
            one.place
            for index, section in enumerate(self.elf.sections)
            if section.kind == SHT_RELA and section.loaded
            for one in self._relocations_of(index)
        )

    def _relocations_of(self, index: int) -> Iterator[_Relocation]:
        section = self.elf.sections[index]
        record = struct.Struct(f"{self.elf.layout.order}QQq")
        count = section.size // record.size
        for place, info, addend in self.elf.view.rows(record, section.offset, count, section.name):
            symbol = self._symbol(self.elf.section_links[index], info >> 32)
            yield _Relocation(place=place, kind=info & 0xFFFFFFFF, symbol=symbol, addend=addend)

    def _symbol(self, table: int, number: int) -> str:
        """Return a symbol's name; its number where it has none."""
        if not number or not 0 < table < len(self.elf.sections):
            return ""
        symbols = self.elf.sections[table]
        strings = self.elf.section_links[table]
        if symbols.kind != SHT_DYNSYM or not 0 < strings < len(self.elf.sections):
            return f"#{number}"
        if table not in self._names:
            names = self.elf.sections[strings]
            self._names[table] = StringTable(
                view=self.elf.view, offset=names.offset, size=names.size, what="the dynamic string table"
            )
        record = struct.Struct(f"{self.elf.layout.order}IBBHQQ")
        name, *_ = self.elf.view.unpack(record, symbols.offset + number * record.size, "a symbol")
        return self._names[table].get(name) if name else f"#{number}"
