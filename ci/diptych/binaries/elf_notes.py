"""ELF notes: oldest kernel, build id, control-flow marks, needed ISA level.

Sources: LSB Core (``.note.ABI-tag``), the Linux gABI extension (``.note.gnu.property``), the x86-64 and AArch64
psABIs for the bits.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from diptych.binaries.elf_headers import PT_NOTE, ElfFile

_MAX_NOTES = 4096
_ABI_TAG, _BUILD_ID, _PROPERTY = 1, 3, 5
_AARCH64_FEATURES = (0xC0000000, {1: "BTI", 2: "PAC"})
_X86_FEATURES = (0xC0000002, {1: "IBT", 2: "SHSTK"})
_X86_ISA_NEEDED = (0xC0008002, {2: "x86-64-v2", 4: "x86-64-v3", 8: "x86-64-v4"})
_EM_386, _EM_X86_64, _EM_AARCH64 = 3, 62, 183
_PROPERTIES = {
    _EM_386: (_X86_FEATURES, _X86_ISA_NEEDED),
    _EM_X86_64: (_X86_FEATURES, _X86_ISA_NEEDED),
    _EM_AARCH64: (_AARCH64_FEATURES,),
}
_SYSTEMS = {0: "linux", 1: "hurd", 2: "solaris", 3: "freebsd"}


@dataclass(frozen=True, kw_only=True)
class Notes:
    """What the notes say.

    Attributes:
        platform: operating system of the ABI tag.
        min_os: oldest kernel.
        build_id: in hexadecimal.
        features: names of the set property bits.
    """

    platform: str = ""
    min_os: str | None = None
    build_id: str | None = None
    features: tuple[str, ...] = ()


def read_notes(elf: ElfFile) -> Notes:
    """Read all GNU notes that program headers point to.

    What is no note ends the reading of its segment, and nothing more: tools put free text there (sqlite's extensions in apsw),
    and no loader minds.

    Raises:
        FormatError: the notes have no end.
    """
    platform, min_os, build_id = "", None, None
    features: list[str] = []
    for kind, content in _gnu_notes(elf):
        if kind == _ABI_TAG and len(content) >= 16:  # noqa: PLR2004 -- four words
            system, *version = struct.unpack_from(elf.layout.order + "4I", content)
            platform, min_os = _SYSTEMS.get(system, ""), ".".join(map(str, version))
        elif kind == _BUILD_ID:
            build_id = content.hex()
        elif kind == _PROPERTY:
            features += [name for name in _properties(elf, content) if name not in features]
    return Notes(platform=platform, min_os=min_os, build_id=build_id, features=tuple(features))


def _gnu_notes(elf: ElfFile) -> Iterator[tuple[int, bytes]]:
    header = struct.Struct(elf.layout.order + "III")
    seen = 0
    for segment in elf.of_type(PT_NOTE):
        at, end = segment.offset, min(segment.offset + segment.filesz, elf.view.size)
        align = 8 if segment.align == 8 else 4  # noqa: PLR2004
        while at + header.size <= end:
            seen += 1
            if seen > _MAX_NOTES:
                raise elf.view.fail("is hostile: its notes have no end", at)
            name_size, size, kind = elf.view.unpack(header, at, "a note")
            at += header.size
            body = at + _rounded(name_size, align if align == 4 else 4)  # noqa: PLR2004
            body = segment.offset + _rounded(body - segment.offset, align)
            if body + size > end:
                break
            if elf.view.take(at, min(name_size, 4), "a note's name") == b"GNU\0":
                yield kind, elf.view.take(body, size, "a note's content")
            at = body + _rounded(size, align)


def _properties(elf: ElfFile, content: bytes) -> Iterator[str]:
    """Yield the names of the set bits in the known 4-byte properties."""
    known = dict(_PROPERTIES.get(elf.machine, ()))
    align = elf.layout.bits // 8
    at = 0
    while at + 8 <= len(content):
        kind, size = struct.unpack_from(elf.layout.order + "II", content, at)
        value = content[at + 8 : at + 8 + size]
        if kind in known and len(value) == 4:  # noqa: PLR2004
            bits = struct.unpack(elf.layout.order + "I", value)[0]
            yield from (name for bit, name in known[kind].items() if bits & bit)
        at += 8 + _rounded(size, align)


def _rounded(size: int, align: int) -> int:
    return (size + align - 1) // align * align
