"""A file read at offsets, without a position that two readers could disturb."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from diptych.archives.limits import Guard

_PIECE = 1 << 18


class RandomFile:
    """An open file whose reads are exact.

    Args:
        path: the file.
        guard: names the archive in errors.

    Raises:
        FormatError: it cannot be opened, or ends before what was asked for.
    """

    def __init__(self, path: Path, guard: Guard) -> None:
        self._guard = guard
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            raise guard.refuse(f"cannot be read: {error.strerror}") from error
        self.size = os.fstat(self._file.fileno()).st_size

    def at(self, offset: int, count: int, member: str | None = None) -> bytes:
        """Return exactly ``count`` bytes from ``offset``."""
        if offset < 0 or offset + count > self.size:
            raise self._guard.refuse(f"truncated: {count} bytes at {offset} are not there", member)
        try:
            found = os.pread(self._file.fileno(), count, offset)
        except OSError as error:
            raise self._guard.refuse(f"cannot be read: {error.strerror}", member) from error
        if len(found) != count:  # cut while we read; Linux gives at most 2 GiB, callers ask for less
            raise self._guard.refuse(f"truncated: {count} bytes at {offset} are not there", member)
        return found

    def pieces(self, offset: int, count: int, member: str | None = None) -> Iterator[bytes]:
        """Yield ``count`` bytes from ``offset`` in pieces."""
        end = offset + count
        while offset < end:
            piece = self.at(offset, min(_PIECE, end - offset), member)
            offset += len(piece)
            yield piece

    def close(self) -> None:
        """Close the file."""
        self._file.close()
