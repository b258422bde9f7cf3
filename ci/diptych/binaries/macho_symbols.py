"""Mach-O symbols from the symbol table, with the library that two-level namespace binds them to.

Apple: ``mach-o/nlist.h``. The exports trie is not read: linkers keep exported names in the symbol table too,
unless it was stripped by hand.
"""

from __future__ import annotations

import struct

from diptych.binaries.bytesview import StringTable
from diptych.binaries.elf_symbols import MAX_SYMBOLS
from diptych.binaries.macho import dylibs
from diptych.binaries.macho_commands import LC_SYMTAB, MachFile
from diptych.binaries.model import Symbol

_STAB, _TYPE, _PRIVATE, _EXTERNAL = 0xE0, 0x0E, 0x10, 0x01
_WEAK_REFERENCE, _WEAK_DEFINITION = 0x40, 0x80


def macho_symbols(mach: MachFile, *, local: bool = False) -> tuple[Symbol, ...]:
    """Return the external symbols in table order.

    Args:
        mach: the slice.
        local: return private and local ones too.

    Raises:
        FormatError: the table lies outside the file, or claims more than 2 million symbols.
    """
    command = mach.first(LC_SYMTAB)
    if command is None:
        return ()
    offset, count, strings_at, strings_size = mach.words(command, "IIII", "LC_SYMTAB")
    if count > MAX_SYMBOLS:
        raise mach.view.fail(f"is hostile: it claims {count} symbols", command.offset)
    names = StringTable(view=mach.view, offset=strings_at, size=strings_size, what="the symbol string table")
    libraries = tuple(library.name for library in dylibs(mach))
    record = struct.Struct(mach.order + ("IBBHQ" if mach.bits == 64 else "IBBHI"))  # noqa: PLR2004
    found: list[Symbol] = []
    for name, kind, _, description, value in mach.view.rows(record, offset, count, "the symbol table"):
        external = kind & _EXTERNAL and not kind & _PRIVATE
        if kind & _STAB or name == 0 or not (external or local):
            continue
        defined = bool(kind & _TYPE) or bool(value)  # undefined with a value: a common symbol
        weak = description & (_WEAK_DEFINITION if defined else _WEAK_REFERENCE)
        found.append(
            Symbol(
                name=names.get(name),
                defined=defined,
                binding="local" if not external else "weak" if weak else "global",
                kind="",
                library=None if defined else _library(description >> 8, libraries),
            )
        )
    return tuple(found)


def _library(ordinal: int, libraries: tuple[str, ...]) -> str | None:
    """Return the library of a two-level ordinal; None for flat lookup, the executable, or the binary itself."""
    return libraries[ordinal - 1] if 0 < ordinal <= len(libraries) else None
