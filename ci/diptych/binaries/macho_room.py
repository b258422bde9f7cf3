"""How much longer the load commands of a Mach-O slice may become: what ``-headerpad`` left before the first section."""

from __future__ import annotations

from diptych.binaries.macho_commands import MachFile
from diptych.binaries.model import Section

_WORD = 8
_RPATH_HEAD, _DYLIB_HEAD = (
    12,
    24,
)  # kind, size, offset of the text; a dylib has timestamp and two versions more


def header_room(mach: MachFile, sections: tuple[Section, ...]) -> int:
    """Return the free bytes between the last load command and the first section that is in the file.

    Less than none: some tool has written load commands over the code.

    Args:
        mach: the slice.
        sections: of the same slice.
    """
    end = max((command.offset + command.size for command in mach.commands), default=0)
    starts = [one.offset for one in sections if one.stored and one.size]
    return min(starts, default=end) - end


def rpath_size(entry: str) -> int:
    """Return the bytes of an LC_RPATH with that text (Apple: ``mach-o/loader.h``, rpath_command)."""
    return _rounded(_RPATH_HEAD + len(entry.encode()) + 1)


def dylib_size(name: str) -> int:
    """Return the bytes of an LC_LOAD_DYLIB or LC_ID_DYLIB with that text (dylib_command)."""
    return _rounded(_DYLIB_HEAD + len(name.encode()) + 1)


def _rounded(size: int) -> int:
    return -(-size // _WORD) * _WORD
