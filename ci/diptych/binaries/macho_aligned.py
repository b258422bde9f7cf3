"""The pool of names of a Mach-O file, moved to where dyld of macOS 27 wants it: a multiple of the word size.

LLVM's install_name_tool, strip and objcopy before version 23 begin it right after a table of half words (llvm/llvm-project#203678). A
signature begins at a multiple of 16 after it, so there is room to move it by half a word; a file without signature gets longer.
"""

from __future__ import annotations

import hashlib
import shutil
import struct
from pathlib import Path

from diptych.binaries.bytesview import View
from diptych.binaries.macho_commands import (
    LC_CODE_SIGNATURE,
    LC_SEGMENT,
    LC_SEGMENT_64,
    LC_SYMTAB,
    Command,
    MachFile,
    read_commands,
    slices,
)
from diptych.binaries.macho_signature import page_hashes, signature_of
from diptych.binaries.model import Signature
from diptych.store import written

_SYMTAB_POOL = 16  # symtab_command: cmd, cmdsize, symoff, nsyms, stroff, strsize


def align_names(path: Path) -> None:
    """Move the pools of names of a Mach-O file, as :func:`with_aligned_names`; a file that needs it not is not written.

    Raises:
        FormatError: it is no Mach-O file, or damaged.
        StoreError: it cannot be written.
    """
    content = path.read_bytes()
    aligned = with_aligned_names(content, path.name)
    if aligned != content:
        with written(path) as temporary:
            temporary.write_bytes(aligned)
            shutil.copymode(path, temporary)


def with_aligned_names(content: bytes, name: str) -> bytes:
    """Return a Mach-O file whose pools of names begin where dyld wants them, with ad-hoc signatures that agree.

    A slice that has no room for it stays as it is: one of a universal file without signature, one that somebody has signed.

    Args:
        content: of the file.
        name: for messages.

    Raises:
        FormatError: it is no Mach-O file, or damaged.
    """
    made = bytearray(content)
    view = View(data=content, name=name, size=len(content))
    for part in slices(view):
        _align(read_commands(part), part.start, made, alone=part.start == 0 and part.size == len(content))
    return bytes(made)


def _align(mach: MachFile, start: int, made: bytearray, *, alone: bool) -> None:
    command = mach.first(LC_SYMTAB)
    if command is None:
        return
    offset, size = mach.words(command, "IIII", "the symbol table")[2:]
    more = -offset % (mach.bits // 8)
    state = signature_of(mach)
    signed = mach.first(LC_CODE_SIGNATURE)
    if not more or state not in {Signature.ADHOC, Signature.ABSENT}:
        return
    end = offset + size
    limit = mach.words(signed, "II", "LC_CODE_SIGNATURE")[0] if signed else _end(mach)
    if limit == end and alone and signed is None:
        limit += _lengthened(mach, end, more, made)
    if limit - end < more or any(made[start + end : start + end + more]):
        return
    at = start + offset
    made[at : at + size + more] = bytes(more) + made[at : at + size]
    struct.pack_into(mach.order + "I", made, start + command.offset + _SYMTAB_POOL, offset + more)
    if signed is not None:
        _sign(mach, start, made)


def _last(mach: MachFile) -> Command | None:
    """Return the segment that ends the file."""
    segments = [one for one in mach.commands if one.kind in {LC_SEGMENT, LC_SEGMENT_64}]
    return max(segments, key=lambda one: sum(_extent(mach, one)[1:]), default=None)


def _end(mach: MachFile) -> int:
    last = _last(mach)
    return sum(_extent(mach, last)[1:]) if last else 0


def _lengthened(mach: MachFile, end: int, more: int, made: bytearray) -> int:
    """Make the file and its last segment longer; return by how much: nothing where that segment's memory is full."""
    last = _last(mach)
    if last is None or end != len(made):
        return 0
    memory, _, size = _extent(mach, last)
    if size + more > memory:
        return 0
    made.extend(bytes(more))
    form, place = ("Q", 48) if last.kind == LC_SEGMENT_64 else ("I", 36)
    struct.pack_into(mach.order + form, made, last.offset + place, size + more)
    return more


def _extent(mach: MachFile, command: Command) -> tuple[int, int, int]:
    """Return vmsize, fileoff and filesize of a segment."""
    words = mach.words(command, "16x" + ("QQQQ" if command.kind == LC_SEGMENT_64 else "IIII"), "a segment")
    return words[1], words[2], words[3]


def _sign(mach: MachFile, start: int, made: bytearray) -> None:
    """Write the page hashes of every code directory again."""
    size = mach.view.size
    changed = View(data=bytes(made), name=mach.view.name, size=size, start=start)
    for one in page_hashes(read_commands(changed)):
        page = changed.take(one.begin, one.size, "a signed page")
        at = start + one.at
        made[at : at + one.length] = hashlib.new(one.algorithm, page).digest()[: one.length]
