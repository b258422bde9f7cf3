"""A folder as a conda channel: on this machine, on a network drive, or served by any web server."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from diptych.errors import ReleaseError
from diptych.packages.channel_folder import index_folder, lists
from diptych.release.model import Item, Kind
from diptych.store import copy_file, locked, sha256_file


@dataclass(frozen=True, kw_only=True)
class FolderChannel:
    """A channel in a folder.

    Attributes:
        folder: its path.
    """

    folder: Path

    @property
    def name(self) -> str:
        """The folder."""
        return str(self.folder)

    def accepts(self, kind: Kind) -> bool:
        """Tell whether artefacts of that kind go there."""
        return kind is Kind.CONDA

    def check_access(self) -> None:
        """Write a file and remove it.

        Raises:
            ReleaseError: the folder, or the nearest one above it that is there, cannot be written.
        """
        place = next(path for path in (self.folder, *self.folder.parents) if path.exists())
        try:
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as error:
            raise ReleaseError(
                f'the channel "{self.folder}" cannot be written: {error.strerror or error}',
                hint="check its permissions",
            ) from error

    def look(self, items: Sequence[Item]) -> dict[str, str]:
        """Return the SHA-256 of those artefacts that are there, by their name."""
        return {item.name: sha256_file(path) for item in items if (path := self._path(item)).is_file()}

    def send(self, item: Item) -> None:
        """Copy one package.

        Raises:
            StoreError: the disk is full or the folder cannot be written; no half file is left.
        """
        copy_file(item.path, self._path(item))

    def settle(self, items: Sequence[Item]) -> None:
        """Index the channel unless its index has them all; two releases at once wait for each other.

        Raises:
            PackageError: a package in the channel cannot be read.
        """
        with locked(self.folder / ".diptych.lock"):
            self._sweep()
            if not all(lists(self.folder, item.subdir, item.path.name, item.sha256) for item in items):
                (self.folder / "noarch").mkdir(parents=True, exist_ok=True)
                index_folder(self.folder)

    def _sweep(self) -> None:
        """Remove what a killed run left of a copy: the channel's own lock is held."""
        for left in self.folder.glob("*/.*.conda.*"):
            left.unlink(missing_ok=True)

    def _path(self, item: Item) -> Path:
        return self.folder / item.subdir / item.path.name
