"""Exact reads from a stream of pieces."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from diptych.archives.limits import Guard

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class ByteReader:
    """Takes counted bytes from pieces of any size.

    Args:
        chunks: the pieces.
        guard: names the archive when they end too soon.
    """

    def __init__(self, chunks: Iterator[bytes], guard: Guard) -> None:
        self._chunks = chunks
        self._guard = guard
        self._piece = b""
        self._used = 0

    def take(self, count: int) -> bytes:
        """Return exactly ``count`` bytes: a header or padding, never a member."""
        end = self._used + count
        if end <= len(self._piece):
            found = self._piece[self._used : end]
            self._used = end
            return found
        return b"".join(self.body(count, None))

    def body(self, count: int, member: str | None) -> Iterator[bytes]:
        """Yield the next ``count`` bytes in pieces."""
        while count:
            if self._used == len(self._piece):
                self._refill(member)
            found = self._piece[self._used : self._used + count]
            self._used += len(found)
            count -= len(found)
            yield found

    def expect_zeros(self) -> None:
        """Read to the end, of which nothing but padding may be left."""
        rest = self._piece[self._used :]
        while True:
            if rest.strip(b"\0"):
                raise self._guard.refuse("something follows the end of the archive")
            piece = next(self._chunks, None)
            if piece is None:
                return
            rest = piece

    def _refill(self, member: str | None) -> None:
        self._used, self._piece = 0, b""
        while not self._piece:
            piece = next(self._chunks, None)
            if piece is None:
                raise self._guard.refuse("truncated: the archive ends too soon", member)
            self._piece = piece


class PieceStream(io.RawIOBase):
    """Pieces as a file for reading, to be wrapped in :class:`io.BufferedReader`."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer as far as the current piece goes; 0 at the end."""
        view = memoryview(buffer).cast("B")
        while not self._rest:
            piece = next(self._chunks, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
