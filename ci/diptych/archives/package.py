"""A package of any kind, to look into."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, final

from diptych.archives.bytereader import PieceStream
from diptych.archives.limits import Guard
from diptych.archives.member import Container, Member
from diptych.archives.metadata import Metadata
from diptych.archives.names import collisions
from diptych.errors import nearest

if TYPE_CHECKING:
    from packaging.tags import Tag

_BUFFER = 1 << 18


class PackageKind(Enum):
    """What a path turned out to be."""

    WHEEL = "wheel"
    CONDA = "conda"
    SDIST = "sdist"
    FOLDER = "folder"
    ENVIRONMENT = "environment"
    FILE = "file"


@final
@dataclass(frozen=True, kw_only=True)
class Package:
    """A wheel, a conda package, a folder, an environment or a file, without unpacking it.

    It holds a file open: use it in a ``with`` block. Everything that reads raises FormatError, and nothing else,
    for whatever is wrong with the package.

    Attributes:
        kind: what it is.
        path: where it is.
        name: distribution or conda name; of a plain folder or file, its file name.
        version: as the file name or index.json says, or "".
        build: conda build string, or a wheel's build tag.
        metadata: what it says about itself.
        container: reads its members.
        guard: its limits.
    """

    kind: PackageKind
    path: Path
    name: str
    version: str = ""
    build: str = ""
    metadata: Metadata = field(repr=False)
    container: Container = field(repr=False, compare=False)
    guard: Guard = field(repr=False)

    def __enter__(self) -> Package:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file behind it."""
        self.container.close()

    @cached_property
    def tags(self) -> frozenset[Tag]:
        """A wheel's compatibility tags, one for each interpreter, ABI and platform; empty for other kinds."""
        if self.kind is not PackageKind.WHEEL:
            return frozenset()
        from packaging.tags import parse_tag  # noqa: PLC0415 -- 20 ms that a listing does not need

        return parse_tag("-".join(self.path.name.removesuffix(".whl").split("-")[-3:]))

    @cached_property
    def size(self) -> int:
        """Bytes on disk: of the archive, or of all files in a folder."""
        if self.kind in (PackageKind.FOLDER, PackageKind.ENVIRONMENT):
            return sum(member.size for member in self.members)
        try:
            return self.path.stat().st_size
        except OSError as error:
            raise self.guard.refuse(f"cannot be read: {error.strerror}") from error

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """All files and links, sorted by name.

        A wheel answers from its directory; a conda package has to be inflated once (and not again after a whole
        :meth:`walk`).
        """
        return self.container.members()

    @cached_property
    def payload(self) -> tuple[Member, ...]:
        """The members that are not metadata."""
        return tuple(filter(self.is_payload, self.members))

    @cached_property
    def collisions(self) -> tuple[tuple[str, ...], ...]:
        """Names that are one file on macOS and Windows. No error: packages for Linux may have them."""
        return collisions(member.name for member in self.members)

    def is_payload(self, member: Member) -> bool:
        """Tell whether a member is more than metadata: for ``walk(package.is_payload)``."""
        return not any(member.name.startswith(prefix) for prefix in self._metadata_folders)

    def find(self, name: str) -> Member | None:
        """Return the member of that name, or None."""
        return self._by_name.get(name)

    def walk(
        self, wanted: Callable[[Member], bool], *, head: int | None = None
    ) -> Iterator[tuple[Member, bytes]]:
        """Read many members in one pass.

        Args:
            wanted: chooses among the files; links have no contents and are not offered.
            head: read only so many bytes of each.

        Yields:
            Each wanted member with its contents, in archive order.
        """
        for member, pieces in self.container.stream(wanted):
            yield member, b"".join(pieces) if head is None else _first(pieces, head)

    def read(self, member: Member | str) -> bytes:
        """Return one file's contents; in a conda package, use :meth:`walk` for more than one."""
        return b"".join(self._chunks(member))

    def head(self, member: Member | str, count: int) -> bytes:
        """Return the first bytes of a file, inflating little more than these."""
        return _first(self._chunks(member), count)

    def open(self, member: Member | str) -> BinaryIO:
        """Return one file's contents as a stream, which cannot seek."""
        return io.BufferedReader(PieceStream(self._chunks(member)), _BUFFER)

    @cached_property
    def _by_name(self) -> dict[str, Member]:
        return {member.name: member for member in self.members}

    @cached_property
    def _metadata_folders(self) -> tuple[str, ...]:
        folders = [f"{self.metadata.dist_info}/"] if self.metadata.dist_info else []
        if self.kind is PackageKind.CONDA or (self.kind is PackageKind.FOLDER and self.metadata.index):
            folders.append("info/")
        if self.kind is PackageKind.ENVIRONMENT:
            folders.append("conda-meta/")
        return tuple(folders)

    def _chunks(self, wanted: Member | str) -> Iterator[bytes]:
        name = wanted if isinstance(wanted, str) else wanted.name
        member = self.find(name)
        if member is None:
            raise self.guard.refuse(f"is not there{nearest(name, self._by_name)}", name)
        if member.hard and member.link is not None:
            return self.container.chunks(member.link)
        if member.link is not None:
            raise self.guard.refuse(f'a link to "{member.link}", which is not followed', name)
        return self.container.chunks(name)


def _first(pieces: Iterator[bytes], count: int) -> bytes:
    found = b""
    for piece in pieces:
        found += piece
        if len(found) >= count:
            break
    return found[:count]
