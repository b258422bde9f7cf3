"""A zip file as a container: wheels, and the outer layer of ``.conda``."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from diptych.archives.inflate import inflate
from diptych.archives.limits import Guard
from diptych.archives.member import Member
from diptych.archives.names import check_name, settle
from diptych.archives.randomfile import RandomFile
from diptych.archives.zipdirectory import (
    DATA_DESCRIPTOR,
    DEFLATED,
    FULL32,
    LOCAL,
    Entry,
    entries,
)

_DEFAULT_MODE = 0o644
_PERMISSIONS = 0o7777


class ZipContainer:
    """A zip file, of which opening reads the central directory alone.

    A symbolic link (which PEP 427 does not have, and pip writes as a file with the target in it) is a link here.

    Args:
        path: the file.
        guard: limits and its name.

    Raises:
        FormatError: whatever is wrong with the directory or with the names in it.
    """

    def __init__(self, path: Path, guard: Guard) -> None:
        self._guard = guard
        self._file = RandomFile(path, guard)
        try:
            self._entries = entries(self._file, guard)
            self._ends = self._room()
            self._members = settle(list(self._listed()), guard)
        except BaseException:
            self._file.close()
            raise
        self._by_name = {member.name: member for member in self._members}
        self._entry_of = {entry.name: entry for entry in self._entries}

    def members(self) -> tuple[Member, ...]:
        """Return all members, sorted by name."""
        return self._members

    def stream(self, wanted: Callable[[Member], bool]) -> Iterator[tuple[Member, Iterator[bytes]]]:
        """Yield the wanted files in the order in which they lie in the file."""
        for entry in self._entries:
            member = self._by_name.get(entry.name)
            if member is not None and member.link is None and wanted(member):
                yield member, self._contents(entry)

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield one file's contents; size and CRC are checked at the end."""
        return self._contents(self._entry_of[name])

    def metadata(self, name: str) -> bytes | None:
        """Return a small file whole, or None."""
        member = self._by_name.get(name)
        if member is None or member.link is not None:
            return None
        if member.size > self._guard.limits.max_metadata:
            raise self._guard.refuse(f"{member.size} bytes are too much for metadata", name)
        return b"".join(self.chunks(name))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _room(self) -> dict[int, int]:
        """Map each entry's offset to where the next begins: no data may reach further."""
        offsets = [entry.offset for entry in self._entries]
        return dict(
            zip(offsets, [*offsets[1:], self._file.size], strict=False)
        )  # of none there is no first either

    def _listed(self) -> Iterator[Member]:
        folders = {entry.name[:-1] for entry in self._entries if entry.is_folder}
        for folder in folders:
            check_name(folder, self._guard)
        for entry in self._entries:
            if entry.is_folder:
                continue
            check_name(entry.name, self._guard)
            if entry.name in folders:
                raise self._guard.refuse("is a file and a folder", entry.name)
            yield Member(
                name=entry.name,
                size=0 if entry.is_link else entry.size,
                mode=entry.mode & _PERMISSIONS or _DEFAULT_MODE,
                link=self._target(entry) if entry.is_link else None,
                digest=self._sha256,
            )

    def _target(self, entry: Entry) -> str:
        if entry.size > self._guard.limits.max_name:
            raise self._guard.refuse("a link with a very long target", entry.name)
        return b"".join(self._contents(entry)).decode("utf-8", "surrogateescape")

    def _sha256(self, name: str) -> str:
        hasher = hashlib.sha256()
        for piece in self.chunks(name):
            hasher.update(piece)
        return hasher.hexdigest()

    def _contents(self, entry: Entry) -> Iterator[bytes]:
        packed = self._file.pieces(self._start(entry), entry.packed, entry.name)
        pieces = inflate(packed, self._guard, entry.name) if entry.method == DEFLATED else packed
        size = crc = 0
        for piece in pieces:
            size += len(piece)
            if size > entry.size:
                raise self._guard.refuse(
                    f"inflates to more than the {entry.size} bytes announced", entry.name
                )
            crc = zlib.crc32(piece, crc)
            if piece:
                yield piece
        if size != entry.size:
            raise self._guard.refuse(f"inflates to {size} bytes, but announces {entry.size}", entry.name)
        if crc != entry.crc:
            raise self._guard.refuse("damaged: its CRC-32 is wrong", entry.name)

    def _start(self, entry: Entry) -> int:
        """Hold the local header against the directory, and return where the data begins.

        Readers that stream believe the local header, others the directory; both must say the same.
        """
        header = LOCAL.unpack(self._file.at(entry.offset, LOCAL.size, entry.name))
        name_length: int
        extra_length: int
        signature, _, flags, method, _, _, crc, packed, size, name_length, extra_length = header
        if signature != b"PK\3\4":
            raise self._guard.refuse("damaged: no local header where the directory points", entry.name)
        raw = self._file.at(entry.offset + LOCAL.size, name_length, entry.name)
        told_later = bool(flags & DATA_DESCRIPTOR)
        wide = FULL32 in (packed, size)
        told = (entry.crc, entry.packed, entry.size)
        if (raw, flags, method) != (entry.raw, entry.flags, entry.method) or not (
            told_later or wide or (crc, packed, size) == told
        ):
            raise self._guard.refuse("local header and directory disagree", entry.name)
        start = entry.offset + LOCAL.size + name_length + extra_length
        if start + entry.packed > self._ends[entry.offset]:
            raise self._guard.refuse("overlaps the next member", entry.name)
        return start
