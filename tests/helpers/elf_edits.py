"""Edits of one field of a module that gcc has linked for x86-64, and cuts of it."""

from __future__ import annotations

import struct
from collections.abc import Callable

FIELDS = {"type": (0, "I"), "flags": (4, "I"), "offset": (8, "Q"), "vaddr": (16, "Q"), "filesz": (32, "Q")}
FIELDS |= {"memsz": (40, "Q"), "align": (48, "Q")}
LOAD, DYNAMIC, TLS, STACK, RELRO = 1, 2, 7, 0x6474E551, 0x6474E552

Edit = Callable[[bytes], bytes]


def at(offset: int, form: str, value: int) -> Edit:
    """Write a number of the ELF header."""

    def edit(good: bytes) -> bytes:
        found = bytearray(good)
        struct.pack_into(f"<{form}", found, offset, value)
        return bytes(found)

    return edit


def segment(kind: int, field: str, value: int, nth: int = 0) -> Edit:
    """Write a field of the nth program header of a kind."""

    def edit(good: bytes) -> bytes:
        place = headers_of(good, kind)[nth]
        offset, form = FIELDS[field]
        return at(place + offset, form, value)(good)

    return edit


def headers_of(good: bytes, kind: int) -> list[int]:
    start, count = struct.unpack_from("<Q", good, 32)[0], struct.unpack_from("<H", good, 56)[0]
    places = [start + 56 * index for index in range(count)]
    return [place for place in places if struct.unpack_from("<I", good, place)[0] == kind]


def dynamic(tag: int, *, new_tag: int | None = None, value: int | None = None) -> Edit:
    """Write another tag or value into an entry of the dynamic section."""

    def edit(good: bytes) -> bytes:
        (place,) = struct.unpack_from("<Q", good, headers_of(good, DYNAMIC)[0] + 8)
        while (found := struct.unpack_from("<QQ", good, place))[0] != tag:
            assert found[0], f"no entry {tag:#x}"
            place += 16
        row = found[0] if new_tag is None else new_tag, found[1] if value is None else value
        return good[:place] + struct.pack("<QQ", *row) + good[place + 16 :]

    return edit


def cut(share: float) -> Edit:
    return lambda good: good[: int(len(good) * share)]


UNKNOWN = 0x6000000F
EDITS: dict[str, Edit] = {
    "magic": at(0, "B", 0),
    "32 bit": at(4, "B", 1),
    "no class": at(4, "B", 0),
    "big endian": at(5, "B", 2),
    "EI_VERSION": at(6, "B", 0),
    "GNU's OS ABI": at(7, "B", 3),
    "FreeBSD's OS ABI": at(7, "B", 9),
    "ABI version": at(8, "B", 9),
    "padding": at(9, "B", 1),
    "an object file": at(16, "H", 1),
    "a program": at(16, "H", 2),
    "a core file": at(16, "H", 4),
    "no type": at(16, "H", 0),
    "of i386": at(18, "H", 3),
    "of arm64": at(18, "H", 183),
    "version 0": at(20, "I", 0),
    "version 2": at(20, "I", 2),
    "e_flags": at(48, "I", 1),
    "e_ehsize": at(52, "H", 0),
    "e_phentsize": at(54, "H", 55),
    "no program headers": at(56, "H", 0),
    "one program header": at(56, "H", 1),
    "program headers far away": at(32, "Q", 1 << 30),
    "program headers at the start": at(32, "Q", 0),
    "section headers far away": at(40, "Q", 1 << 30),
    "no section headers": at(40, "Q", 0),
    "no sections": at(60, "H", 0),
    "too many sections": at(60, "H", 60000),
    "section names far away": at(62, "H", 60000),
    "sections of no size": at(58, "H", 0),
    "no dynamic segment": segment(DYNAMIC, "type", 0),
    "no first segment": segment(LOAD, "type", 0),
    "alignment of 16": segment(LOAD, "align", 16),
    "an odd offset": segment(LOAD, "offset", 8),
    "more than the file has": segment(LOAD, "filesz", 1 << 30),
    "dynamic segment of no size": segment(DYNAMIC, "filesz", 0),
    "dynamic segment elsewhere": segment(DYNAMIC, "vaddr", 16),
    "code that cannot run": segment(LOAD, "flags", 4, nth=1),
    "no word of the stack": segment(STACK, "type", 0),
    "an odd RELRO": segment(RELRO, "memsz", 3),
    "TLS of no size": segment(TLS, "memsz", 0),
    "no strings": dynamic(5, new_tag=UNKNOWN),
    "strings far away": dynamic(5, value=1 << 40),
    "strings of no size": dynamic(10, value=0),
    "no symbols": dynamic(6, new_tag=UNKNOWN),
    "symbols far away": dynamic(6, value=1 << 40),
    "symbols of 23 bytes": dynamic(11, value=23),
    "relocations of 23 bytes": dynamic(9, value=23),
    "relocations far away": dynamic(7, value=1 << 40),
    "relocations of an unknown kind": dynamic(20, value=5),
    "no hash table": dynamic(0x6FFFFEF5, new_tag=UNKNOWN),
    "hash table far away": dynamic(0x6FFFFEF5, value=1 << 40),
    "a needed name far away": dynamic(1, value=1 << 30),
    "versions far away": dynamic(0x6FFFFFFE, value=1 << 40),
    "the first function far away": dynamic(12, value=1 << 40),
    "the first function among data": dynamic(12, value=0x10),
    "nothing": cut(0),
    "one byte": lambda good: good[:1],
    "the magic alone": lambda good: good[:4],
    "half a header": lambda good: good[:40],
    "a header alone": lambda good: good[:64],
    "a fifth": cut(0.2),
    "the half": cut(0.5),
    "without its section headers' end": lambda good: good[:-1],
    "class 3": at(4, "B", 3),
    "a type of its system": at(16, "H", 0xFE00),
    "no machine": at(18, "H", 0),
    "an entry anywhere": at(24, "Q", 1 << 40),
    "large program headers": at(54, "H", 64),
    "sections without names": at(62, "H", 0),
    "TLS aligned to three": segment(TLS, "align", 3),
    "less in memory than in the file": segment(LOAD, "memsz", 8),
    "strings of a large size": dynamic(10, value=1 << 40),
    "marked against dlopen": dynamic(0x6FFFFFF9, new_tag=0x6FFFFFFB, value=0x40),
    "marked as a program": dynamic(0x6FFFFFF9, new_tag=0x6FFFFFFB, value=0x08000000),
    "marked to bind now": dynamic(0x6FFFFFF9, new_tag=0x6FFFFFFB, value=1),
    "many relocations": dynamic(8, value=1 << 30),
    "no relocations": dynamic(8, value=0),
    "initialisers far away": dynamic(25, value=1 << 40),
    "finalisers far away": dynamic(26, value=1 << 40),
    "the last function far away": dynamic(13, value=1 << 40),
}
