"""The values of a release: checks, artefacts, destinations, and what a destination has already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol


class Kind(str, Enum):
    """What an artefact is; the value is its folder in the release."""

    WHEEL = "wheels"
    SDIST = "sdist"
    CONDA = "conda"


class State(str, Enum):
    """How an artefact stands to the place that it goes to."""

    ABSENT = "to send"
    SAME = "there already"
    OTHER = "other bytes there"
    SENT = "sent"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that must be right before a release.

    Attributes:
        name: in a few words.
        detail: what was found.
        fault: what is wrong, a sentence with the next step; empty when all is well.
    """

    name: str
    detail: str
    fault: str = ""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One artefact of a release.

    Attributes:
        kind: what it is.
        path: the file.
        subdir: of a conda package, such as "linux-64"; else empty.
        sha256: of its bytes.
        size: in bytes.
    """

    kind: Kind
    path: Path
    subdir: str
    sha256: str
    size: int

    @property
    def name(self) -> str:
        """The file name, with the platform's folder before it in a channel."""
        return f"{self.subdir}/{self.path.name}" if self.subdir else self.path.name


@dataclass(frozen=True, kw_only=True)
class ItemStatus:
    """One artefact and how it stands to its destination.

    Attributes:
        item: the artefact.
        destination: where it goes, as shown.
        state: how it stands.
        found: the hash of what is there, if it is another.
    """

    item: Item
    destination: str
    state: State
    found: str = ""


class Destination(Protocol):
    """A place that takes artefacts."""

    @property
    def name(self) -> str:
        """How a person calls it; no secret is in it."""

    def accepts(self, kind: Kind) -> bool:
        """Tell whether artefacts of that kind go there."""

    def check_access(self) -> None:
        """Try everything short of writing.

        Raises:
            ChannelError: it cannot be reached.
            ReleaseError: it would not let us write, with the reason.
        """

    def look(self, items: Sequence[Item]) -> dict[str, str]:
        """Return the SHA-256 of those artefacts that are there, by their name.

        Raises:
            ChannelError: it cannot be reached, or its answer cannot be read.
        """

    def send(self, item: Item) -> None:
        """Send one artefact that is not there.

        Raises:
            ReleaseError: it was refused.
            ChannelError: it cannot be reached.
        """

    def settle(self, items: Sequence[Item]) -> None:
        """Make what was sent visible, such as by indexing a channel; also when an earlier run was cut short before it.

        Raises:
            ReleaseError, ChannelError: it could not.
        """
