"""Containers made of tars: ``.tar.bz2`` and ``.tar.gz`` are one, ``.conda`` is a zip of two.

A tar can only be read from its start. So a pass that has come to its end leaves the listing behind, metadata is
kept while passing by, and ``.conda`` answers questions about metadata from its small tar alone.

Source: CEP 35 (.conda) and the conda package specification (.tar.bz2).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from diptych.archives.inflate import unzstd
from diptych.archives.limits import Guard
from diptych.archives.member import Member
from diptych.archives.names import settle
from diptych.archives.randomfile import RandomFile
from diptych.archives.tarstream import tar_members
from diptych.archives.zipcontainer import ZipContainer

KEPT = frozenset(f"info/{name}.json" for name in ("index", "paths", "run_exports", "about", "link"))
INFO = "info/"
_Pass = Iterator[tuple[Member, Iterator[bytes]]]


class _Tar:
    """One tar: a first pass that is advanced as far as a question needs, and further whole passes."""

    def __init__(
        self, start: Callable[[], Iterator[bytes]], guard: Guard, digest: Callable[[str], str]
    ) -> None:
        self._start = start
        self._guard = guard
        self._digest = digest
        self._found: list[Member] = []
        self._kept: dict[str, bytes] = {}
        self._first = self._advance()
        self._complete = False

    def listing(self) -> list[Member]:
        """Return the members in archive order."""
        if not self._complete:
            for _ in self._first:
                pass
            if not self._complete:  # a generator that has raised once is over, and looks like the end
                raise self._guard.refuse("damaged, as said before")
        return self._found

    def metadata(self, name: str) -> bytes | None:
        """Return one of the kept files, reading no further than it takes."""
        while name not in self._kept and next(self._first, None) is not None:
            pass
        if name not in self._kept and not self._complete:
            raise self._guard.refuse("damaged, as said before")
        return self._kept.get(name)

    def passage(self) -> _Pass:
        """Yield all members with their contents; the end of the pass leaves the listing."""
        found = []
        for member, body in tar_members(self._start(), self._guard, self._digest):
            found.append(member)
            yield member, body
        self._found, self._complete = found, True

    def _advance(self) -> Iterator[Member]:
        for member, body in self.passage():
            if member.name in KEPT and member.link is None:
                if member.size > self._guard.limits.max_metadata:
                    raise self._guard.refuse(f"{member.size} bytes are too much for metadata", member.name)
                self._kept[member.name] = b"".join(body)
            yield member


class _Tars:
    """Several tars as one container."""

    def __init__(self, guard: Guard, close: Callable[[], None]) -> None:
        self._guard = guard
        self._close = close
        self._parts: tuple[_Tar, ...] = ()
        self._members: tuple[Member, ...] | None = None
        self._digests: dict[str, str] = {}

    def members(self) -> tuple[Member, ...]:
        """Return all members, sorted by name; the first time, in one pass over everything."""
        if self._members is None:
            found = [member for part in self._parts for member in part.listing()]
            self._members = settle(found, self._guard)
        return self._members

    def stream(self, wanted: Callable[[Member], bool]) -> _Pass:
        """Yield the wanted files in archive order, in one pass."""
        for part in self._parts:
            for member, body in part.passage():
                if member.link is None and wanted(member):
                    yield member, body
        self.members()  # what can only be judged at the end: links, names below files

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield one file's contents, inflating everything before it."""
        for _, body in self.stream(lambda member: member.name == name):
            yield from body
            return

    def close(self) -> None:
        """Close the file."""
        self._close()

    def _sha256(self, name: str) -> str:
        """Hash everything at the first question: a pass for each member would take hours."""
        if not self._digests:
            self._digests = {member.name: _hashed(body) for member, body in self.stream(lambda _: True)}
            for member in self.members():
                if member.hard and member.link is not None:
                    self._digests[member.name] = self._digests[member.link]
        if name not in self._digests:
            raise self._guard.refuse("a link has no contents to hash", name)
        return self._digests[name]


class TarContainer(_Tars):
    """One compressed tar: an old conda package, or a source distribution.

    Args:
        path: the file.
        guard: limits and its name.
        inflate: how it is compressed, see :mod:`diptych.archives.inflate`.
    """

    def __init__(
        self, path: Path, guard: Guard, inflate: Callable[[Iterator[bytes], Guard], Iterator[bytes]]
    ) -> None:
        file = RandomFile(path, guard)
        super().__init__(guard, file.close)
        self._tar = _Tar(lambda: inflate(file.pieces(0, file.size), guard), guard, self._sha256)
        self._parts = (self._tar,)

    def metadata(self, name: str) -> bytes | None:
        """Return a metadata file; writers put info/ first, so that this rarely reads far."""
        return self._tar.metadata(name)


class CondaContainer(_Tars):
    """A ``.conda`` file, of which opening reads no more than the zip's directory.

    Args:
        path: the file.
        guard: limits and its name.

    Raises:
        FormatError: not the layout of CEP 35.
    """

    def __init__(self, path: Path, guard: Guard) -> None:
        outer = ZipContainer(path, guard)
        super().__init__(guard, outer.close)
        try:
            _check_version(outer, guard)
            self._info = self._part(outer, "info-")
            self._payload = self._part(outer, "pkg-")
            self._parts = (self._info, self._payload)
        except BaseException:
            outer.close()
            raise

    def metadata(self, name: str) -> bytes | None:
        """Return a metadata file from the info tar; the payload is not touched."""
        return self._info.metadata(name)

    def members(self) -> tuple[Member, ...]:
        """Return all members, and hold both tars against what each may contain."""
        if self._members is None:
            for part, inside in ((self._info, True), (self._payload, False)):
                for member in part.listing():
                    if member.name.startswith(INFO) is not inside:
                        raise self._guard.refuse("lies in the wrong one of the two tars", member.name)
        return super().members()

    def _part(self, outer: ZipContainer, prefix: str) -> _Tar:
        names = [
            member.name
            for member in outer.members()
            if member.name.startswith(prefix) and member.name.endswith(".tar.zst")
        ]
        if len(names) != 1:
            raise self._guard.refuse(f"{len(names)} members are called {prefix}*.tar.zst, not one")
        name = names[0]
        return _Tar(lambda: unzstd(outer.chunks(name), self._guard, name), self._guard, self._sha256)


def _check_version(outer: ZipContainer, guard: Guard) -> None:
    text = outer.metadata("metadata.json")
    try:
        found = json.loads(text or b"")
    except (ValueError, RecursionError):
        found = None
    version = found.get("conda_pkg_format_version") if isinstance(found, dict) else None
    if version != 2:  # noqa: PLR2004 -- the only one there is
        raise guard.refuse(f"its metadata.json names format version {version}, not 2")


def _hashed(body: Iterator[bytes]) -> str:
    hasher = hashlib.sha256()
    for piece in body:
        hasher.update(piece)
    return hasher.hexdigest()
