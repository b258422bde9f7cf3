"""The dynamic section as the loader reads it: through program headers alone (gABI, chapter 5)."""

from __future__ import annotations

from dataclasses import dataclass

from diptych.binaries.bytesview import StringTable
from diptych.binaries.elf_headers import PT_DYNAMIC, ElfFile

DT_NULL, DT_NEEDED, DT_PLTRELSZ, DT_HASH, DT_STRTAB, DT_SYMTAB = 0, 1, 2, 4, 5, 6
DT_RELA, DT_RELASZ, DT_RELAENT, DT_STRSZ, DT_INIT, DT_FINI, DT_SONAME = 7, 8, 9, 10, 12, 13, 14
DT_RPATH, DT_SYMBOLIC, DT_INIT_ARRAY, DT_FINI_ARRAY = 15, 16, 25, 26
DT_REL, DT_RELSZ, DT_PLTREL, DT_TEXTREL, DT_JMPREL, DT_BIND_NOW = 17, 18, 20, 22, 23, 24
DT_RUNPATH, DT_FLAGS, DT_RELR = 29, 30, 36
DT_AUXILIARY, DT_FILTER = 0x7FFFFFFD, 0x7FFFFFFF
DT_GNU_HASH, DT_VERSYM, DT_FLAGS_1 = 0x6FFFFEF5, 0x6FFFFFF0, 0x6FFFFFFB
DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM = 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF

_MAX_ENTRIES = 1 << 16
_FLAGS = {1: "ORIGIN", 2: "SYMBOLIC", 4: "TEXTREL", 8: "BIND_NOW", 16: "STATIC_TLS"}
_FLAGS_1 = {
    1: "BIND_NOW",
    2: "GLOBAL",
    8: "NODELETE",
    0x20: "INITFIRST",
    0x40: "NOOPEN",
    0x80: "ORIGIN",
    0x400: "INTERPOSE",
    0x800: "NODEFLIB",
    0x08000000: "PIE",
}
_FLAG_TAGS = {DT_SYMBOLIC: "SYMBOLIC", DT_TEXTREL: "TEXTREL", DT_BIND_NOW: "BIND_NOW", DT_RELR: "RELR"}


@dataclass(frozen=True, kw_only=True)
class Dynamic:
    """The dynamic entries.

    Attributes:
        values: the value of each tag; the last one where a tag is repeated, as ld.so takes it.
        needed: string indices of all DT_NEEDED entries, in order.
        strings: DT_STRTAB, or None when there is none.
    """

    values: dict[int, int]
    needed: tuple[int, ...]
    strings: StringTable | None

    def text(self, tag: int) -> str | None:
        """Return the string that a tag points to."""
        index = self.values.get(tag)
        return None if index is None or self.strings is None else self.strings.get(index)

    def entries(self, tag: int) -> tuple[str, ...]:
        """Return the folders of DT_RPATH or DT_RUNPATH."""
        text = self.text(tag)
        return () if text is None else tuple(text.split(":"))

    def needed_names(self) -> tuple[str, ...]:
        """Return the DT_NEEDED names."""
        return () if self.strings is None else tuple(self.strings.get(index) for index in self.needed)

    def flags(self) -> tuple[str, ...]:
        """Return the names of the set flags of DT_FLAGS, DT_FLAGS_1 and the older tags of their own."""
        found = {name for tag, name in _FLAG_TAGS.items() if tag in self.values}
        found |= {name for bit, name in _FLAGS.items() if self.values.get(DT_FLAGS, 0) & bit}
        found |= {name for bit, name in _FLAGS_1.items() if self.values.get(DT_FLAGS_1, 0) & bit}
        return tuple(sorted(found))


def read_dynamic(elf: ElfFile) -> Dynamic | None:
    """Read the dynamic section, or return None for a static executable, an object or a debug file.

    Raises:
        FormatError: it or its string table lies outside the file, or has no end.
    """
    segments = [segment for segment in elf.of_type(PT_DYNAMIC) if segment.filesz]
    if not segments:
        return None
    record = elf.layout.record("II", "QQ")
    offset = elf.file_offset(segments[0].vaddr, "the dynamic section")
    # As for the loader, DT_NULL ends it, and the size that the header states does not have to fit.
    count = min(segments[0].filesz, elf.view.size - offset) // record.size
    values: dict[int, int] = {}
    needed: list[int] = []
    for position, (tag, value) in enumerate(elf.view.rows(record, offset, count, "the dynamic section")):
        if tag == DT_NULL:
            break
        if position >= _MAX_ENTRIES:
            raise elf.view.fail("is hostile: the dynamic section has no end", offset)
        values[tag] = value
        if tag == DT_NEEDED:
            needed.append(value)
    return Dynamic(values=values, needed=tuple(needed), strings=_strings(elf, values, needed))


def _strings(elf: ElfFile, values: dict[int, int], needed: list[int]) -> StringTable | None:
    address = values.get(DT_STRTAB)
    if address is None:
        return None
    what = "the dynamic string table"
    offset = elf.file_offset(address, what)
    stated, rest = values.get(DT_STRSZ, 0), elf.view.size - offset
    # ld.so never reads DT_STRSZ: where it is plainly wrong, names end at their zero bytes all the same.
    largest = max((values.get(tag, 0) for tag in (DT_SONAME, DT_RPATH, DT_RUNPATH)), default=0)
    wrong = not max(largest, *needed, 0) < stated <= rest
    return StringTable(view=elf.view, offset=offset, size=rest if wrong else stated, what=what)
