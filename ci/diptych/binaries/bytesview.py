"""Bounds-checked reading of untrusted bytes.

Every number and every string of a binary is fetched through a :class:`View`, so that a damaged or hostile file
ends in one :class:`~diptych.errors.FormatError` that names the file, what was read, and where.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from diptych.errors import FormatError

Buffer = bytes | memoryview | mmap.mmap
"""What can be read: bytes in memory, a view of them, or a mapped file (only the touched pages are loaded)."""

MAX_TEXT = 1 << 20
"""Longest single string; the longest C++ names in practice stay under 100 kB."""

_ROW_CHUNK = 1 << 16
_TEXT_CHUNK = 512  # most C++ names are longer than 128
_MAX_TABLE_TEXT = 1 << 28
_HASH_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class View:
    """A window on untrusted bytes; offsets are relative to its start.

    Attributes:
        data: the bytes of the whole file.
        name: the file, for messages.
        size: length of the window.
        start: where the window begins in ``data`` (a slice of a universal Mach-O begins later than 0).
    """

    data: Buffer
    name: str
    size: int
    start: int = 0

    def fail(self, problem: str, offset: int | None = None) -> FormatError:
        """Return the error to raise: ``problem`` completes the sentence that begins with the file's name."""
        where = () if offset is None else (f"at offset {offset:#x} of {self.size:#x} bytes",)
        return FormatError(f'"{self.name}" {problem}', details=where)

    def check(self, offset: int, size: int, what: str) -> None:
        """Raise FormatError unless ``size`` bytes from ``offset`` lie inside the window."""
        if offset < 0 or size < 0 or offset + size > self.size:
            raise self.fail(f"is damaged: {what} ({size} bytes) lies outside the file", offset)

    def part(self, offset: int, size: int, what: str) -> View:
        """Return a narrower window."""
        self.check(offset, size, what)
        return View(data=self.data, name=self.name, size=size, start=self.start + offset)

    def take(self, offset: int, size: int, what: str) -> bytes:
        """Return a copy of ``size`` bytes."""
        self.check(offset, size, what)
        begin = self.start + offset
        return bytes(self.data[begin : begin + size])

    def unpack(self, layout: struct.Struct, offset: int, what: str) -> tuple[int, ...]:
        """Return the numbers of one record."""
        self.check(offset, layout.size, what)
        return layout.unpack_from(self.data, self.start + offset)

    def rows(self, layout: struct.Struct, offset: int, count: int, what: str) -> Iterator[tuple[int, ...]]:
        """Yield ``count`` records that stand one after the other."""
        self.check(offset, count * layout.size, what)
        per_chunk = max(1, _ROW_CHUNK // layout.size)
        for first in range(0, count, per_chunk):
            rows = min(per_chunk, count - first)
            yield from layout.iter_unpack(
                self.take(offset + first * layout.size, rows * layout.size, what),
            )

    def text(self, offset: int, end: int, what: str) -> str:
        r"""Return the zero-terminated string at ``offset``, which must end before ``end``.

        Bytes that are no UTF-8 come back as ``\xNN`` so that every name can be printed.
        """
        end = min(end, self.size)
        if not 0 <= offset < end:
            raise self.fail(f"is damaged: {what} points outside its string table", offset)
        begin = self.start + offset
        piece = bytes(self.data[begin : begin + min(_TEXT_CHUNK, end - offset)])
        stop = piece.find(0)
        if stop >= 0:  # nearly every name: a large library has hundreds of thousands
            return decoded(piece[:stop])
        at, length = offset, _TEXT_CHUNK
        pieces: list[bytes] = []
        while at < end and at - offset < MAX_TEXT:
            piece = self.take(at, min(length, end - at), what)
            stop = piece.find(0)
            if stop >= 0:
                pieces.append(piece[:stop])
                return decoded(b"".join(pieces))
            pieces.append(piece)
            at, length = at + len(piece), length * 4
        raise self.fail(f"is damaged: {what} has no end", offset)

    def sha256(self, offset: int, size: int, what: str) -> str:
        """Return the SHA-256 of a range, in hexadecimal, without copying it."""
        return self.digest("sha256", offset, size, what).hex()

    def digest(self, algorithm: str, offset: int, size: int, what: str) -> bytes:
        """Return the digest of a range by any algorithm that hashlib knows."""
        self.check(offset, size, what)
        hasher = hashlib.new(algorithm, usedforsecurity=False)
        with memoryview(self.data) as whole:
            for at in range(offset, offset + size, _HASH_CHUNK):
                begin = self.start + at
                with whole[begin : begin + min(_HASH_CHUNK, offset + size - at)] as piece:
                    hasher.update(piece)
        return hasher.digest()


def decoded(raw: bytes) -> str:
    r"""Return text for a name in a binary: UTF-8, anything else as ``\xNN``."""
    return raw.decode("utf-8", "backslashreplace")


@dataclass(frozen=True, kw_only=True, eq=False)
class StringTable:
    """A string table, with a bound on the text that it may give out in all.

    Without the bound, n entries that point into one string of n bytes would cost n² of memory.

    Attributes:
        view: the file.
        offset: where the table begins.
        size: its length.
        what: its name, for messages.
    """

    view: View
    offset: int
    size: int
    what: str
    _known: dict[int, str] = field(default_factory=dict)
    _spent: list[int] = field(default_factory=lambda: [0])

    def __post_init__(self) -> None:
        self.view.check(self.offset, self.size, self.what)

    def get(self, index: int) -> str:
        """Return the string that begins ``index`` bytes into the table.

        Raises:
            FormatError: it lies outside, does not end, or the table's text is referred to without measure.
        """
        known = self._known.get(index)
        if known is not None:
            return known
        text = self.view.text(self.offset + index, self.offset + self.size, f"a name in {self.what}")
        self._spent[0] += len(text)
        if self._spent[0] > min(16 * self.size + _ROW_CHUNK, _MAX_TABLE_TEXT):
            raise self.view.fail(f"is hostile: the names in {self.what} overlap without measure", self.offset)
        self._known[index] = text
        return text
