"""Mach-O header, load commands and universal files (Apple: ``mach-o/loader.h``, ``mach-o/fat.h``)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from diptych.binaries.bytesview import View, decoded

LC_REQ_DYLD = 0x80000000
LC_SEGMENT, LC_SYMTAB, LC_DYSYMTAB, LC_LOAD_DYLIB, LC_ID_DYLIB, LC_LOAD_DYLINKER = 1, 2, 0xB, 0xC, 0xD, 0xE
LC_LOAD_WEAK_DYLIB, LC_SEGMENT_64, LC_UUID = 0x18 | LC_REQ_DYLD, 0x19, 0x1B
LC_RPATH, LC_CODE_SIGNATURE, LC_REEXPORT_DYLIB = 0x1C | LC_REQ_DYLD, 0x1D, 0x1F | LC_REQ_DYLD
LC_LAZY_LOAD_DYLIB, LC_LOAD_UPWARD_DYLIB, LC_BUILD_VERSION = 0x20, 0x23 | LC_REQ_DYLD, 0x32
LC_DYLD_EXPORTS_TRIE, LC_DYLD_CHAINED_FIXUPS = 0x33 | LC_REQ_DYLD, 0x34 | LC_REQ_DYLD
LC_FUNCTION_STARTS, LC_DATA_IN_CODE = 0x26, 0x29
LC_VERSION_MIN = {0x24: "macos", 0x25: "ios", 0x2F: "tvos", 0x30: "watchos"}
LOAD_DYLIBS = {LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB, LC_LAZY_LOAD_DYLIB, LC_LOAD_UPWARD_DYLIB}

_THIN = {
    b"\xfe\xed\xfa\xce": (32, ">"),
    b"\xce\xfa\xed\xfe": (32, "<"),
    b"\xfe\xed\xfa\xcf": (64, ">"),
    b"\xcf\xfa\xed\xfe": (64, "<"),
}
_FAT = {b"\xca\xfe\xba\xbe": struct.Struct(">5I"), b"\xca\xfe\xba\xbf": struct.Struct(">IIQQII")}
_PAIR = 8  # two words: kind and size of a command; magic and count of a universal file
_MAX_SLICES = 32
_MAX_COMMANDS = 1 << 14


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """One load command.

    Attributes:
        kind: the LC_ number.
        offset: where it begins in the slice.
        size: its length.
    """

    kind: int
    offset: int
    size: int


@dataclass(frozen=True, kw_only=True)
class MachFile:
    """Header and load commands of one slice.

    Attributes:
        view: the slice.
        bits: 32 or 64.
        order: ``<`` or ``>``.
        cpu: cputype.
        subtype: cpusubtype without capability bits.
        type: filetype.
        flags: header flags.
        commands: load commands in order.
    """

    view: View
    bits: int
    order: str
    cpu: int
    subtype: int
    type: int
    flags: int
    commands: tuple[Command, ...]

    def words(self, command: Command, fields: str, what: str) -> tuple[int, ...]:
        """Return the numbers after the command's own kind and size."""
        record = struct.Struct(self.order + fields)
        if 8 + record.size > command.size:
            raise self.view.fail(f"is damaged: {what} is cut short", command.offset)
        return self.view.unpack(record, command.offset + 8, what)

    def string(self, command: Command, offset: int, what: str) -> str:
        """Return the string that stands ``offset`` bytes into the command; padding ends it (lc_str)."""
        if not _PAIR <= offset < command.size:
            raise self.view.fail(f"is damaged: {what} lies outside its load command", command.offset)
        raw = self.view.take(command.offset + offset, command.size - offset, what)
        return decoded(raw.split(b"\0", 1)[0])

    def first(self, kind: int) -> Command | None:
        """Return the first command of a kind."""
        return next((command for command in self.commands if command.kind == kind), None)


def is_macho(head: bytes) -> bool:
    """Tell whether a file that begins with these bytes (8 or more) is Mach-O, thin or universal.

    Java classes share the universal magic; their next word is a version of at least 45, where a universal file
    has its number of slices.
    """
    magic = head[:4]
    if magic in _FAT:
        return len(head) >= _PAIR and 0 < int.from_bytes(head[4:8], "big") <= _MAX_SLICES
    return magic in _THIN


def slices(view: View) -> Iterator[View]:
    """Yield the view itself for a thin file, one view for each architecture of a universal one.

    Raises:
        FormatError: an entry points outside the file.
    """
    record = _FAT.get(view.take(0, 4, "the magic number"))
    if record is None:
        yield view
        return
    count = view.unpack(struct.Struct(">I"), 4, "the universal header")[0]
    if not 0 < count <= _MAX_SLICES:
        raise view.fail(f"is damaged: a universal header with {count} slices", 4)
    for row in list(view.rows(record, 8, count, "the universal header")):
        yield view.part(row[2], row[3], "a slice of the universal file")


def read_commands(view: View) -> MachFile:
    """Read header and load commands of one slice.

    Raises:
        FormatError: a load command is cut off, or its size makes no progress.
    """
    thin = _THIN.get(view.take(0, 4, "the magic number"))
    if thin is None:
        raise view.fail("is damaged: a slice that is no Mach-O file", 0)
    bits, order = thin
    header = struct.Struct(order + "IiiIIII")
    _, cpu, subtype, kind, count, total, flags = view.unpack(header, 0, "the Mach-O header")
    begin = header.size + (4 if bits == 64 else 0)  # noqa: PLR2004 -- a reserved word
    view.check(begin, total, "the load commands")
    if count > _MAX_COMMANDS:
        raise view.fail(f"is hostile: it claims {count} load commands", 16)
    record = struct.Struct(order + "II")
    commands: list[Command] = []
    at = begin
    for _ in range(count):
        number, size = view.unpack(record, at, "a load command")
        if size < record.size or at + size > begin + total:
            raise view.fail(f"is damaged: a load command of {size} bytes", at)
        commands.append(Command(kind=number, offset=at, size=size))
        at += size
    return MachFile(
        view=view,
        bits=bits,
        order=order,
        cpu=cpu & 0xFFFFFFFF,
        subtype=subtype & 0xFFFFFF,
        type=kind,
        flags=flags,
        commands=tuple(commands),
    )
