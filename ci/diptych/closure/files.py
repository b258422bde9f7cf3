"""The read-only file systems that a search can look into."""

from __future__ import annotations

import dataclasses
import os
import posixpath
import stat
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from diptych.binaries import Binary, Buffer, read, read_file
from diptych.errors import FormatError


class Files(Protocol):
    """A file system, as far as a loader looks at it. Paths are absolute and use slashes."""

    def identity(self, path: str) -> Hashable | None:
        """Return the same value for two paths that lead to one file; None when nothing readable is there."""
        ...

    def is_folder(self, path: str) -> bool:
        """Tell whether the path leads to a folder."""
        ...

    def real(self, path: str) -> str:
        """Return the path without symbolic links."""
        ...

    def read(self, path: str) -> tuple[Binary, ...]:
        """Return the facts of the binary there.

        Raises:
            FormatError: it is no binary, or damaged.
        """
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class RealFiles:
    """The machine's own file system, or a tree in it that stands for one.

    Attributes:
        root: the folder that is ``/``; symbolic links are not confined to it.
    """

    root: str = ""
    _known: dict[Hashable, tuple[Binary, ...] | FormatError] = field(default_factory=dict, repr=False)

    def identity(self, path: str) -> Hashable | None:
        """Return device and inode, as glibc compares them."""
        try:
            status = Path(self.root + path).stat()
        except (OSError, ValueError):
            return None
        return (status.st_dev, status.st_ino) if os.access(self.root + path, os.R_OK) else None

    def is_folder(self, path: str) -> bool:
        """Tell whether the path leads to a folder."""
        try:
            return stat.S_ISDIR(Path(self.root + path).stat().st_mode)
        except (OSError, ValueError):
            return False

    def real(self, path: str) -> str:
        """Return the path without symbolic links."""
        return os.path.realpath(self.root + path)[len(os.path.realpath(self.root)) if self.root else 0 :]

    def read(self, path: str) -> tuple[Binary, ...]:
        """Return the facts of the binary there, read once for each file."""
        found = _once(self._known, self.identity(path), lambda: read_file(self.root + path))
        return tuple(dataclasses.replace(binary, name=path) for binary in found)


@dataclass(frozen=True, kw_only=True, eq=False)
class MappedFiles:
    """Files that exist only as a mapping (the members of a wheel), laid over another file system.

    A member hides what is at the same path below. There are no symbolic links among the members.

    Attributes:
        contents: absolute path → bytes. Any mapping will do, such as one that inflates on demand.
        below: what shows through elsewhere; nothing, unless given.
    """

    contents: Mapping[str, Buffer]
    below: Files | None = None
    _folders: set[str] = field(default_factory=set, repr=False)
    _known: dict[Hashable, tuple[Binary, ...] | FormatError] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self._folders.add("/")
        for path in self.contents:
            folder = posixpath.dirname(path)
            while folder not in self._folders:
                self._folders.add(folder)
                folder = posixpath.dirname(folder)

    def identity(self, path: str) -> Hashable | None:
        """Return the member's name, or what the file system below says."""
        place = self._walk(path)
        if place is None:
            return None
        if place in self.contents:
            return ("mapped", place)
        return self.below.identity(place) if self.below else None

    def is_folder(self, path: str) -> bool:
        """Tell whether some member is below that path."""
        place = self._walk(path)
        return place is not None and self._is_folder(place)

    def real(self, path: str) -> str:
        """Return the member's own path, or what the file system below says."""
        place = self._walk(path)
        if place is None or place in self.contents or self.below is None:
            return place or path
        return self.below.real(place)

    def read(self, path: str) -> tuple[Binary, ...]:
        """Return the facts of the binary there, read once for each member."""
        place = self._walk(path)
        if place is not None and place in self.contents:
            return _once(self._known, place, lambda: read(self.contents[place], place))
        if place is None or self.below is None:
            raise FormatError(f'"{path}" is not there')
        return self.below.read(place)

    def _is_folder(self, place: str) -> bool:
        return place in self._folders or (self.below is not None and self.below.is_folder(place))

    def _walk(self, path: str) -> str | None:
        """Resolve ``.`` and ``..`` as the kernel does: what ``..`` leaves must be a folder.

        Below a folder that only the lower file system has, links decide, so it gets the path as it is.
        """
        place = "/"
        for part in path.split("/"):
            if part in {"", "."}:
                continue
            if part == "..":
                if not self._is_folder(place):
                    return None
                lower = place not in self._folders and self.below is not None
                place = posixpath.dirname(self.below.real(place) if lower and self.below else place)
            else:
                place = posixpath.join(place, part)
        return place


def _once(
    known: dict[Hashable, tuple[Binary, ...] | FormatError],
    key: Hashable,
    make: Callable[[], tuple[Binary, ...]],
) -> tuple[Binary, ...]:
    found = known.get(key)
    if found is None:
        try:
            found = make()
        except FormatError as error:
            found = error
        known[key] = found
    if isinstance(found, FormatError):
        raise FormatError(found.summary, details=found.details, hint=found.hint)
    return found
