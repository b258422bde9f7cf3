"""A folder, a conda environment or a single file as a container.

What lies on this machine's disk is not hostile in the way an archive is: links may lead anywhere and are reported,
but never followed, not even to a folder.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from diptych.archives.limits import Guard
from diptych.archives.member import Member
from diptych.archives.names import check_text

_PIECE = 1 << 18


class FolderContainer:
    """All files below a folder, or one file alone.

    Args:
        path: the folder or file.
        guard: limits and its name.
    """

    def __init__(self, path: Path, guard: Guard) -> None:
        self._guard = guard
        self._single = not path.is_dir()
        self._root = path.parent if self._single else path
        self._only = path.name
        self._members: tuple[Member, ...] | None = None

    def members(self) -> tuple[Member, ...]:
        """Return all members, sorted by name; the folder is read once."""
        if self._members is None:
            found = []
            for name in [self._only] if self._single else self._names():
                found.append(self._member(name))
                self._guard.check_count(len(found))
            self._members = tuple(sorted(found, key=lambda member: member.name))
        return self._members

    def stream(self, wanted: Callable[[Member], bool]) -> Iterator[tuple[Member, Iterator[bytes]]]:
        """Yield the wanted files by name."""
        for member in self.members():
            if member.link is None and wanted(member):
                yield member, self.chunks(member.name)

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield one file's contents."""
        try:
            # A link that took the file's place since the listing is not followed, a pipe not waited for.
            handle = os.open(
                self._root / name, os.O_RDONLY | self._no_follow() | os.O_NONBLOCK | os.O_CLOEXEC
            )
            with os.fdopen(handle, "rb", buffering=0) as file:
                left = self._guard.limits.max_member
                while piece := file.read(_PIECE):
                    left -= len(piece)
                    if left < 0:
                        raise self._guard.refuse("larger than the limit", name)
                    yield piece
        except OSError as error:
            raise self._guard.refuse(f"cannot be read: {error.strerror}", name) from error

    def metadata(self, name: str) -> bytes | None:
        """Return a small file whole, or None."""
        try:
            state = (self._root / name).lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise self._guard.refuse(f"cannot be read: {error.strerror}", name) from error
        if self._single or not stat.S_ISREG(state.st_mode):
            return None
        if state.st_size > self._guard.limits.max_metadata:
            raise self._guard.refuse(f"{state.st_size} bytes are too much for metadata", name)
        return b"".join(self.chunks(name))

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _no_follow(self) -> int:
        # A single file may be named by way of a link: that is the user's own word.
        return 0 if self._single else os.O_NOFOLLOW

    def _names(self) -> Iterator[str]:
        pending = [""]
        while pending:
            below = pending.pop()
            try:
                with os.scandir(self._root / below) as entries:
                    for entry in entries:
                        name = f"{below}{entry.name}"
                        if entry.is_dir(follow_symlinks=False):
                            pending.append(f"{name}/")
                        else:
                            yield name
            except OSError as error:
                raise self._guard.refuse(f"cannot be read: {error.strerror}", below or None) from error

    def _member(self, name: str) -> Member:
        check_text(name, self._guard)
        path = self._root / name
        try:
            state = path.stat() if self._single else path.lstat()
            link = str(path.readlink()) if stat.S_ISLNK(state.st_mode) else None
        except OSError as error:
            raise self._guard.refuse(f"cannot be read: {error.strerror}", name) from error
        if link is None and not stat.S_ISREG(state.st_mode):
            raise self._guard.refuse("a device, pipe or socket", name)
        return Member(
            name=name,
            size=0 if link is not None else state.st_size,
            mode=stat.S_IMODE(state.st_mode),
            link=link,
            digest=self._sha256,
        )

    def _sha256(self, name: str) -> str:
        hasher = hashlib.sha256()
        for piece in self.chunks(name):
            hasher.update(piece)
        return hasher.hexdigest()
