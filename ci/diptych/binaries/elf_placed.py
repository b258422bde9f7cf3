"""ELF sections as if they lay nowhere: hashes that do not tell at which addresses the linker has put things.

A longer run path in front moves all that comes after it. Code refers to other code and to the GOT by distances, which stay;
addresses stand only in what the loader rewrites. So each word with a relocation is left out of its section, and each relocation is
worded by section and offset, in the order of those (gABI, chapter 4, "Relocation").

An entry more in the dynamic section (a needed library, a run path) moves the data before it away from the code. So x86-64's
distances from an instruction to another section are worded by section and offset too (Intel SDM volume 2, 2.2.1.6, "RIP-Relative
Addressing": ModRM with mod 00 and r/m 101, then 32 bits). What only looks like one is worded as well; that is the same for
the same bytes, and no two distances are worded alike. Other processors' distances are left as they are.
"""

from __future__ import annotations

import hashlib
import re
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
_X86_64 = 62
_DISTANCE = re.compile(rb"(?<=(.))([\x05\x0d\x15\x1d\x25\x2d\x35\x3d])(?=(.{4}))", re.DOTALL)
# Opcodes whose operand is followed by a constant, which the distance counts too (Intel SDM volume 2, appendix A).
_CONSTANT_OF_1 = frozenset(b"\x6b\x70\x71\x72\x73\x80\x83\xa4\xac\xba\xc0\xc1\xc2\xc4\xc6")
_CONSTANT_OF_4 = frozenset(b"\x69\x81\xc7")
_TEST_OF_1, _TEST_OF_4 = b"\xf6", b"\xf7"
_INSTRUCTIONS = 0x4  # SHF_EXECINSTR
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
        if self.elf.machine == _X86_64 and section.flags & _INSTRUCTIONS:
            return b"".join(self._worded(bytes(content), section))
        return bytes(content)

    def _worded(self, content: bytes, section: Section) -> Iterator[bytes]:
        """Yield the code, its distances to other sections as section and offset."""
        done, stop = 0, section.vaddr + section.size
        for found in _DISTANCE.finditer(content):
            at = found.start(3)
            distance = int.from_bytes(found[3], "little", signed=True)
            target = section.vaddr + at + 4 + _constant_after(found[1], found[2]) + distance
            if at < done or section.vaddr <= target <= stop or not self._starts[0] <= target < self._end:
                continue
            name, offset = self._where(target)
            if name != section.name:
                yield content[done:at]
                yield f"<{name}+{offset}>".encode()
                done = at + 4
        yield content[done:]

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
    def _end(self) -> int:
        last = self._sections[-1]
        return last.vaddr + last.size

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


def _constant_after(opcode: bytes, operand: bytes) -> int:
    """Return how many bytes of the instruction come after the distance."""
    test = operand < b"\x15"  # the register bits of ModRM tell TEST from its neighbours
    if opcode[0] in _CONSTANT_OF_1 or (opcode == _TEST_OF_1 and test):
        return 1
    return 4 if opcode[0] in _CONSTANT_OF_4 or (opcode == _TEST_OF_4 and test) else 0
