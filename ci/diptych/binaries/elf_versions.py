"""GNU symbol versions: ``.gnu.version_r`` and ``.gnu.version_d`` (LSB Core, chapter Symbol Versioning)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from diptych.binaries.elf_dynamic import DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM, Dynamic
from diptych.binaries.elf_headers import ElfFile
from diptych.binaries.model import VersionDefinition, VersionNeed

_MAX_VERSIONS = 1 << 16  # a version index has 15 bits


def needs(elf: ElfFile, dynamic: Dynamic) -> tuple[tuple[int, VersionNeed], ...]:
    """Return the needed versions, each with the index by which symbols refer to it.

    Raises:
        FormatError: the table lies outside the file or goes on for ever.
    """
    names = dynamic.strings
    if names is None or DT_VERNEED not in dynamic.values:
        return ()
    outer = struct.Struct(elf.layout.order + "HHIII")  # version, count, file, aux, next
    inner = struct.Struct(elf.layout.order + "IHHII")  # hash, flags, index, name, next
    found: list[tuple[int, VersionNeed]] = []
    offset = elf.file_offset(dynamic.values[DT_VERNEED], "the version needs")
    for at, (_, count, file, aux, _) in _chain(
        elf, outer, offset, dynamic.values.get(DT_VERNEEDNUM, 0), "a version need"
    ):
        library = names.get(file)
        for _, (_, flags, index, name, _) in _chain(elf, inner, at + aux, count, "a version need"):
            need = VersionNeed(library=library, version=names.get(name), flags=flags)
            found.append((index & 0x7FFF, need))
            if len(found) > _MAX_VERSIONS:
                raise elf.view.fail("is hostile: the version needs have no end", at)
    return tuple(found)


def definitions(elf: ElfFile, dynamic: Dynamic) -> tuple[tuple[int, VersionDefinition], ...]:
    """Return the defined versions, each with the index by which symbols refer to it.

    Raises:
        FormatError: the table lies outside the file or goes on for ever.
    """
    names = dynamic.strings
    if names is None or DT_VERDEF not in dynamic.values:
        return ()
    outer = struct.Struct(elf.layout.order + "HHHHIII")  # version, flags, index, count, hash, aux, next
    inner = struct.Struct(elf.layout.order + "II")  # name, next
    found: list[tuple[int, VersionDefinition]] = []
    total = 0
    offset = elf.file_offset(dynamic.values[DT_VERDEF], "the version definitions")
    for at, (_, flags, index, count, _, aux, _) in _chain(
        elf, outer, offset, dynamic.values.get(DT_VERDEFNUM, 0), "a version definition"
    ):
        words = [names.get(row[0]) for _, row in _chain(elf, inner, at + aux, count, "a version name")]
        if not words:
            raise elf.view.fail("is damaged: a version definition without a name", at)
        total += len(words)
        if total > _MAX_VERSIONS:
            raise elf.view.fail("is hostile: the version definitions have no end", at)
        found.append(
            (index & 0x7FFF, VersionDefinition(name=words[0], parents=tuple(words[1:]), flags=flags))
        )
    return tuple(found)


def _chain(
    elf: ElfFile, record: struct.Struct, offset: int, count: int, what: str
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield the records of a list whose last field is the distance to the next: always forwards, so no loop."""
    for _ in range(min(count, _MAX_VERSIONS)):
        row = elf.view.unpack(record, offset, what)
        yield offset, row
        if row[-1] == 0:
            return
        offset += row[-1]
