"""Whether a package holds what its own record says: RECORD of a wheel, paths.json of a conda package.

Source: PEP 376 and PEP 427 (RECORD, its hashes and its three exceptions), CEP 34 (info/paths.json).
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import final

from diptych.archives.member import Member
from diptych.archives.metadata import Metadata
from diptych.archives.opening import canonical
from diptych.archives.package import Package, PackageKind
from diptych.errors import UnsupportedError

# "All hash algorithms in hashlib except md5 and sha1" (PEP 427); shake needs a length.
_STRONG = {
    name for name in hashlib.algorithms_guaranteed if name not in ("md5", "sha1") and "shake" not in name
}
_UNHASHED = ("RECORD", "RECORD.jws", "RECORD.p7s")
_COLUMNS = 3


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """One thing that a record says and that is not so.

    Attributes:
        name: the member, or the line of the record.
        cause: what is wrong, in words.
        recorded: what the record says.
        found: what is there.
    """

    name: str
    cause: str
    recorded: str = ""
    found: str = ""

    def __str__(self) -> str:
        values = f": {self.found} instead of {self.recorded}" if self.recorded and self.found else ""
        return f"{self.name}: {self.cause}{values}"


@dataclass(frozen=True, kw_only=True)
class _Row:
    """A recorded file; None where the record does not say."""

    name: str
    size: int | None = None
    algorithm: str = "sha256"
    digest: str | None = None
    link: bool | None = None


def verify_record(package: Package) -> tuple[Mismatch, ...]:
    """Hold a wheel's RECORD, or a conda package's paths.json, against the contents, in one pass.

    A folder that is an unpacked wheel or conda package is verified likewise. Of a soft link only that it is one is
    verified: the writers of paths.json do not agree on what its hash is.

    Returns:
        What does not fit, sorted by name; empty when all is well.

    Raises:
        FormatError: the archive itself, or the form of its record, is damaged.
        UnsupportedError: a file, an environment or a plain folder: nothing is recorded.
    """
    check = RecordCheck(package)
    for member, pieces in package.container.stream(check.wants):
        for _ in check.watched(member, pieces):
            pass
    named = metadata_against_name(package) if package.metadata.dist_info else ()
    return tuple(sorted((*named, *check.faults()), key=lambda fault: (fault.name, fault.cause)))


@final
class RecordCheck:
    """Holds a record against contents that somebody else streams: every member's bytes pass through :meth:`watched`.

    Raises:
        FormatError: the form of the record is damaged.
        UnsupportedError: a file, an environment or a plain folder: nothing is recorded.
    """

    def __init__(self, package: Package) -> None:
        metadata = package.metadata
        self._package = package
        self._wheel = bool(metadata.dist_info)
        if package.kind is PackageKind.ENVIRONMENT or not (metadata.dist_info or metadata.index):
            raise UnsupportedError(f'"{package.path}": a {package.kind.value} has no record of its files')
        self._form: list[Mismatch] = []
        self._rows: dict[str, _Row] = {}
        self._named: set[str] = set()
        self._digests: dict[str, str] = {}
        for row in _wheel_rows(metadata) if self._wheel else _conda_rows(metadata):
            self._take(row)

    def _take(self, row: _Row | Mismatch) -> None:
        if row.name in self._named:
            self._form.append(Mismatch(name=row.name, cause="recorded twice"))
        self._named.add(row.name)
        if isinstance(row, Mismatch):
            self._form.append(row)
        else:
            self._rows[row.name] = row

    def wants(self, member: Member) -> bool:
        """Tell whether a member's contents are asked for: of a conda package all, as a hard link may follow later."""
        return not self._wheel or member.name in self._rows

    def watched(self, member: Member, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Pass a member's pieces on; its digest counts once the last was taken."""
        row = self._rows.get(member.name)
        hasher = hashlib.new(row.algorithm if row else "sha256")
        for piece in pieces:
            hasher.update(piece)
            yield piece
        self._digests[member.name] = _written(hasher.digest(), base64_form=self._wheel)

    def faults(self) -> Iterator[Mismatch]:
        """Yield what does not fit; of a file that was not streamed to its end, only size and kind are judged."""
        yield from self._form
        members = {member.name: member for member in self._package.members}
        for name, row in self._rows.items():
            if (member := members.get(name)) is None:
                yield Mismatch(name=name, cause="recorded, but not there")
            else:
                file = member.link if member.hard and member.link is not None else name
                yield from _row_faults(row, member, self._digests.get(file))
        for name in members.keys() - self._named:
            if self._wheel or not name.startswith("info/"):
                yield Mismatch(name=name, cause="not recorded")


def _wheel_rows(metadata: Metadata) -> Iterator[_Row | Mismatch]:
    record = f"{metadata.dist_info}/RECORD"
    if not metadata.record:
        yield Mismatch(name=record, cause="missing")
        return
    try:
        for number, row in enumerate(csv.reader(io.StringIO(metadata.record, newline=""), strict=True), 1):
            if row:
                yield _wheel_row(row, f"{record} line {number}", metadata.dist_info)
    except csv.Error as error:
        raise metadata.guard.refuse(f"not CSV: {error}", record) from error


def _wheel_row(row: list[str], line: str, dist_info: str) -> _Row | Mismatch:
    if len(row) != _COLUMNS:
        return Mismatch(name=line, cause=f"{len(row)} columns, not 3")
    name, hashed, size = row
    algorithm, _, digest = hashed.partition("=")
    if not hashed and name in {f"{dist_info}/{exempt}" for exempt in _UNHASHED}:
        return _Row(name=name)
    if algorithm not in _STRONG or not digest:
        return Mismatch(name=name, cause="recorded without a hash, or with a weak one")
    if not (size.isascii() and size.isdigit() and len(size) < 20):  # noqa: PLR2004 -- 64 bits
        return Mismatch(name=name, cause=f'recorded with the size "{size}"')
    return _Row(name=name, size=int(size), algorithm=algorithm, digest=digest)


def _conda_rows(metadata: Metadata) -> Iterator[_Row | Mismatch]:
    paths = metadata.paths.get("paths")
    if not isinstance(paths, list):
        yield Mismatch(name="info/paths.json", cause="missing, or without a list of paths")
        return
    for number, path in enumerate(paths):
        name = path.get("_path") if isinstance(path, dict) else None
        if not isinstance(name, str):
            yield Mismatch(name=f"info/paths.json entry {number}", cause="not a path")
            continue
        link = path.get("path_type") == "softlink"
        size, digest = path.get("size_in_bytes"), path.get("sha256")
        if not link and not (isinstance(size, int) and isinstance(digest, str)):
            yield Mismatch(name=name, cause="recorded without size or SHA-256")
        else:
            yield (
                _Row(name=name, link=link) if link else _Row(name=name, size=size, digest=digest, link=False)
            )


def _written(digest: bytes, *, base64_form: bool) -> str:
    """Write a digest as RECORD does (PEP 427: URL-safe base64 without padding), or in hexadecimal."""
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() if base64_form else digest.hex()


def _row_faults(row: _Row, member: Member, digest: str | None) -> Iterator[Mismatch]:
    soft = member.link is not None and not member.hard
    if row.link is not None and row.link is not soft:
        kinds = ("a file", "a soft link")
        yield Mismatch(name=row.name, cause="another kind", recorded=kinds[row.link], found=kinds[soft])
    elif row.size is not None and row.size != member.size:
        yield Mismatch(name=row.name, cause="wrong size", recorded=str(row.size), found=str(member.size))
    elif row.digest is not None and digest is not None and row.digest != digest:
        yield Mismatch(name=row.name, cause="wrong hash", recorded=row.digest, found=digest)


def metadata_against_name(package: Package) -> Iterator[Mismatch]:
    """Compare Name and Version of a wheel's METADATA with the file name's.

    Raises:
        FormatError: METADATA is damaged.
    """
    if package.kind is not PackageKind.WHEEL:
        return
    name = f"{package.metadata.dist_info}/METADATA"
    headers = Metadata.headers(package.metadata.metadata)
    if canonical(headers["name"]) != package.name:
        yield Mismatch(name=name, cause="another name", recorded=package.name, found=headers["name"])
    if not same_version(headers["version"], package.version):
        yield Mismatch(name=name, cause="another version", recorded=package.version, found=headers["version"])


def same_version(one: str, other: str) -> bool:
    """Tell whether two texts are one version (PEP 440); what is no version is compared as text."""
    if one == other:
        return True
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 -- only here

    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other
