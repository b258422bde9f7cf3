"""Tiny ELF files, assembled by hand: one loaded segment that is the whole file, and a dynamic section."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_GNU_STACK = 1, 2, 3, 4, 0x6474E551


@dataclass(frozen=True, kw_only=True)
class Sym:
    """A dynamic symbol.

    Attributes:
        name: its name.
        defined: whether it has a section.
        version: needed version as (library, version), or None.
        weak: its binding.
    """

    name: str
    defined: bool = False
    version: tuple[str, str] | None = None
    weak: bool = False


@dataclass(kw_only=True)
class Strings:
    """A string table under construction."""

    data: bytearray = field(default_factory=lambda: bytearray(b"\0"))

    def add(self, text: str) -> int:
        at = len(self.data)
        self.data += text.encode() + b"\0"
        return at


def note(name: bytes, kind: int, content: bytes, order: str = "<") -> bytes:
    padded = content + b"\0" * (-len(content) % 4)
    return struct.pack(order + "III", len(name), len(content), kind) + name + padded


@dataclass(kw_only=True)
class Body:
    """What follows the headers, aligned piece by piece."""

    start: int
    data: bytearray = field(default_factory=bytearray)

    def put(self, piece: bytes) -> int:
        self.data += b"\0" * (-(self.start + len(self.data)) % 8)
        self.data += piece
        return self.start + len(self.data) - len(piece)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Class and byte order."""

    bits: int
    order: str

    @property
    def wide(self) -> bool:
        return self.bits == 64

    def pack(self, narrow: str, wide: str, *values: int) -> bytes:
        return struct.pack(self.order + (wide if self.wide else narrow), *values)


def elf(  # noqa: PLR0913
    *,
    bits: int = 64,
    order: str = "<",
    machine: int = 62,
    kind: int = 3,
    soname: str | None = None,
    needed: Sequence[str] = (),
    rpath: str | None = None,
    runpath: str | None = None,
    interpreter: str | None = None,
    symbols: Sequence[Sym] = (),
    notes: bytes = b"",
    extra: Sequence[tuple[int, int]] = (),
    text: bytes | None = b"\xc3" * 16,
) -> bytes:
    """Return a file with what was asked for; ``text=None`` leaves the section headers out."""
    shape = Shape(bits=bits, order=order)
    strings = Strings()
    entries = [(1, strings.add(name)) for name in needed]
    named = ((14, soname), (15, rpath), (29, runpath))
    entries += [(tag, strings.add(value)) for tag, value in named if value is not None]
    entries += list(extra)
    count = 3 + (interpreter is not None) + bool(notes)
    body = Body(start=(64 + 56 * count) if shape.wide else (52 + 32 * count))

    entries += _symbol_entries(symbols, strings, body, shape)
    entries += [(5, body.put(bytes(strings.data))), (10, len(strings.data)), (0, 0)]
    dynamic = b"".join(shape.pack("II", "QQ", *entry) for entry in entries)
    segments = [(PT_DYNAMIC, body.put(dynamic), len(dynamic), 6), (PT_GNU_STACK, 0, 0, 6)]
    if interpreter is not None:
        raw = interpreter.encode() + b"\0"
        segments.append((PT_INTERP, body.put(raw), len(raw), 4))
    if notes:
        segments.append((PT_NOTE, body.put(notes), len(notes), 4))
    sections = b"" if text is None else _sections(text, body, shape)
    sections_at = body.put(sections)
    segments.insert(0, (PT_LOAD, 0, sections_at + len(sections), 5))
    return (
        _header(machine, kind, sections_at if sections else 0, count, shape)
        + _program(segments, shape)
        + body.data
    )


def _symbol_entries(
    symbols: Sequence[Sym], strings: Strings, body: Body, shape: Shape
) -> list[tuple[int, int]]:
    """Put symbol, hash and version tables; return the dynamic entries that point to them."""
    if not symbols:
        return []
    table = bytearray(24 if shape.wide else 16)
    for symbol in symbols:
        name, info, shndx = strings.add(symbol.name), (2 if symbol.weak else 1) << 4 | 2, int(symbol.defined)
        if shape.wide:
            table += struct.pack(shape.order + "IBBHQQ", name, info, 0, shndx, 0, 0)
        else:
            table += struct.pack(shape.order + "IIIBBH", name, 0, 0, info, 0, shndx)
    total = len(symbols) + 1
    hashes = struct.pack(f"{shape.order}II", 1, total) + bytes(4 * (1 + total))
    entries = [(6, body.put(bytes(table))), (4, body.put(hashes))]
    versions = list(dict.fromkeys(symbol.version for symbol in symbols if symbol.version))
    if versions:
        libraries = list(dict.fromkeys(library for library, _ in versions))
        indices = [0, *(versions.index(each.version) + 2 if each.version else 1 for each in symbols)]
        entries += [(0x6FFFFFFE, body.put(_version_needs(versions, libraries, strings, shape)))]
        entries += [(0x6FFFFFFF, len(libraries))]
        entries += [(0x6FFFFFF0, body.put(struct.pack(f"{shape.order}{len(indices)}H", *indices)))]
    return entries


def _version_needs(
    versions: Sequence[tuple[str, str]], libraries: Sequence[str], strings: Strings, shape: Shape
) -> bytes:
    needs = b""
    for library in libraries:
        mine = [version for version in versions if version[0] == library]
        following = 0 if library == libraries[-1] else 16 + 16 * len(mine)
        needs += struct.pack(shape.order + "HHIII", 1, len(mine), strings.add(library), 16, following)
        for version in mine:
            index, step = versions.index(version) + 2, 0 if version == mine[-1] else 16
            needs += struct.pack(shape.order + "IHHII", 0, 0, index, strings.add(version[1]), step)
    return needs


def _sections(text: bytes, body: Body, shape: Shape) -> bytes:
    names = b"\0.text\0.shstrtab\0.comment\0"
    comment = b"GCC: (test) 1.0\0GCC: (test) 1.0\0"
    rows = [
        (1, 1, 6, body.put(text), len(text)),
        (7, 3, 0, body.put(names), len(names)),
        (17, 1, 0, body.put(comment), len(comment)),
    ]
    packed = shape.pack("10I", "IIQQQQIIQQ", *[0] * 10)
    for name, kind, flags, place, size in rows:
        address = place if flags else 0
        packed += shape.pack("10I", "IIQQQQIIQQ", name, kind, flags, address, place, size, 0, 0, 1, 0)
    return packed


def _program(segments: Sequence[tuple[int, int, int, int]], shape: Shape) -> bytes:
    packed = b""
    for kind, place, size, flags in segments:
        align = {PT_LOAD: 0x1000, PT_NOTE: 4}.get(kind, 8)
        fields = (place, place, place, size, size)
        packed += (
            struct.pack(shape.order + "IIQQQQQQ", kind, flags, *fields, align)
            if shape.wide
            else struct.pack(shape.order + "8I", kind, *fields, flags, align)
        )
    return packed


def _header(machine: int, kind: int, sections_at: int, count: int, shape: Shape) -> bytes:
    ident = b"\x7fELF" + bytes([2 if shape.wide else 1, 1 if shape.order == "<" else 2, 1]) + bytes(9)
    size, segment, section = (64, 56, 64) if shape.wide else (52, 32, 40)
    sections = (section, 4, 2) if sections_at else (section, 0, 0)
    fields = (kind, machine, 1, 0, size, sections_at, 0, size, segment, count, *sections)
    return ident + shape.pack("HHIIIIIHHHHHH", "HHIQQQIHHHHHH", *fields)
