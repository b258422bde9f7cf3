"""A member of a package, and what every container of members can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

_ANY_EXECUTE = 0o111


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file or link in a package; folders are no members (conda package specification; zip needs none).

    Attributes:
        name: relative POSIX path.
        size: bytes when inflated; of a symbolic link 0, of a hard link those of its file.
        mode: permission bits as recorded.
        link: where a link leads: relative to its folder, or for a hard link the other member's name.
        hard: whether it is a hard link.
        digest: returns the SHA-256 for a name; called once, when somebody asks.
    """

    name: str
    size: int
    mode: int = 0o644
    link: str | None = None
    hard: bool = False
    digest: Callable[[str], str] = field(repr=False, compare=False)

    @property
    def executable(self) -> bool:
        """Whether anybody may execute it."""
        return bool(self.mode & _ANY_EXECUTE)

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the contents in hexadecimal; in a tar the first question hashes all members in one pass.

        Raises:
            FormatError: the archive is damaged, or the member is a symbolic link.
        """
        return self.digest(self.name)


class Container(Protocol):
    """What the kinds of package have in common, for :class:`diptych.archives.package.Package`."""

    def members(self) -> tuple[Member, ...]:
        """Return all members, checked against each other, sorted by name."""

    def stream(self, wanted: Callable[[Member], bool]) -> Iterator[tuple[Member, Iterator[bytes]]]:
        """Yield the wanted files (no links) in archive order, with their contents in pieces.

        The pieces are good until the next member is asked for; what is not taken is skipped.
        """

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the contents of one file in pieces."""

    def metadata(self, name: str) -> bytes | None:
        """Return a small file that describes the package, or None if it is not there."""

    def close(self) -> None:
        """Let go of the file."""
