"""How much an archive may ask for, and the one way to refuse it.

An archive is input from a stranger: a few kilobytes can inflate to terabytes. Every reader in this room holds a
:class:`Guard` and asks it *while* it reads, so that memory and time stay bounded whatever the headers claim.
"""

from __future__ import annotations

from dataclasses import dataclass

from diptych.errors import FormatError

MIB = 1 << 20
GIB = 1 << 30

# Small archives may inflate by any factor: an empty extension compresses very well, and does no harm.
_RATIO_FREE = 64 * MIB
_SHOWN = 200


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of what is read from one archive.

    Attributes:
        max_members: files and links.
        max_total: bytes of all members together, inflated.
        max_member: bytes of one member, inflated.
        max_ratio: inflated over packed bytes of the whole archive, judged beyond 64 MiB. Real packages stay below 20.
        max_metadata: bytes of one metadata file (METADATA, RECORD, index.json, …).
        max_names: bytes of all names and link targets together.
        max_name: bytes of one name.
        max_depth: folders above one member.
        max_window: the zstd window, which the decoder has to allocate. ``zstd --ultra -22`` needs 128 MiB.
    """

    max_members: int = 200_000
    max_total: int = 8 * GIB
    max_member: int = 2 * GIB
    max_ratio: int = 200
    max_metadata: int = 64 * MIB
    max_names: int = 64 * MIB
    max_name: int = 1024
    max_depth: int = 64
    max_window: int = 128 * MIB


@dataclass(frozen=True, kw_only=True)
class Guard:
    """The limits of one archive, and its name for the messages.

    Attributes:
        archive: the file as the caller named it.
        limits: the bounds.
    """

    archive: str
    limits: Limits

    def refuse(self, cause: str, member: str | None = None) -> FormatError:
        """Return the error that names archive, member and cause, for the caller to raise."""
        where = "" if member is None else f", member {quoted(member)}"
        return FormatError(f"{quoted(self.archive)}{where}: {cause}")

    def check_count(self, members: int) -> None:
        """Refuse more members than allowed."""
        if members > self.limits.max_members:
            raise self.refuse(f"more than {self.limits.max_members} members")

    def check_member(self, name: str, size: int) -> None:
        """Refuse one member that is too large."""
        if size > self.limits.max_member:
            raise self.refuse(f"{size} bytes, more than the limit of {self.limits.max_member}", name)

    def check_total(self, packed: int, inflated: int) -> None:
        """Refuse what has been inflated so far, or is announced, out of ``packed`` bytes."""
        if inflated > self.limits.max_total:
            raise self.refuse(f"inflates to more than the limit of {self.limits.max_total} bytes")
        if inflated > _RATIO_FREE and inflated > self.limits.max_ratio * packed:
            raise self.refuse(f"inflates to more than {self.limits.max_ratio} times its size: a bomb")


def quoted(name: str) -> str:
    """Write a name between quotes, shortened, with what a terminal must not see escaped."""
    shown = name if len(name) <= _SHOWN else name[:_SHOWN] + "…"
    return f'"{shown}"' if shown.isprintable() else f'"{ascii(shown)[1:-1]}"'
