"""Whether a package holds what its own record says: RECORD of a wheel, paths.json of a conda package.

Source: PEP 376 and PEP 427 (RECORD, its hashes and its three exceptions), CEP 34 (info/paths.json).
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

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
    metadata = package.metadata
    if package.kind is not PackageKind.ENVIRONMENT and metadata.dist_info:
        faults = [*_metadata_faults(package), *_compared(package, _wheel_rows(metadata), info="")]
    elif package.kind is not PackageKind.ENVIRONMENT and metadata.index:
        faults = list(_compared(package, _conda_rows(metadata), info="info/"))
    else:
        raise UnsupportedError(f'"{package.path}": a {package.kind.value} has no record of its files')
    return tuple(sorted(faults, key=lambda fault: (fault.name, fault.cause)))


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


def _compared(package: Package, recorded: Iterator[_Row | Mismatch], *, info: str) -> Iterator[Mismatch]:
    """Compare; ``info`` is the folder whose members need no row."""
    rows: dict[str, _Row] = {}
    named = set()
    for row in recorded:
        if row.name in named:
            yield Mismatch(name=row.name, cause="recorded twice")
        named.add(row.name)
        if isinstance(row, Mismatch):
            yield row
        else:
            rows[row.name] = row
    digests = _digests(package, rows)
    members = {member.name: member for member in package.members}
    for name, row in rows.items():
        if (member := members.get(name)) is None:
            yield Mismatch(name=name, cause="recorded, but not there")
        else:
            yield from _row_faults(row, member, digests.get(name))
    for name in members.keys() - named:
        if not (info and name.startswith(info)):
            yield Mismatch(name=name, cause="not recorded")


def _digests(package: Package, rows: Mapping[str, _Row]) -> dict[str, str]:
    """Hash every recorded file, each with the algorithm of its row; hard links as their file."""
    twins: dict[str, list[str]] = {}
    for member in package.members if package.kind is PackageKind.CONDA else ():
        if member.hard and member.link is not None:
            twins.setdefault(member.link, []).append(member.name)
    found: dict[str, str] = {}
    for member, pieces in package.container.stream(
        lambda member: member.name in rows or member.name in twins
    ):
        names = [name for name in (member.name, *twins.get(member.name, ())) if name in rows]
        hashers = {name: hashlib.new(rows[name].algorithm) for name in names if rows[name].digest}
        for piece in pieces:
            for hasher in hashers.values():
                hasher.update(piece)
        plain = package.metadata.dist_info
        found |= {
            name: _written(hasher.digest(), base64_form=bool(plain)) for name, hasher in hashers.items()
        }
    return found


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
    elif row.digest is not None and row.digest != digest:
        yield Mismatch(name=row.name, cause="wrong hash", recorded=row.digest, found=digest or "none")


def _metadata_faults(package: Package) -> Iterator[Mismatch]:
    """Compare Name and Version of METADATA with the file name's."""
    if package.kind is not PackageKind.WHEEL:
        return
    name = f"{package.metadata.dist_info}/METADATA"
    headers = Metadata.headers(package.metadata.metadata)
    if canonical(headers["name"]) != package.name:
        yield Mismatch(name=name, cause="another name", recorded=package.name, found=headers["name"])
    if not _same_version(headers["version"], package.version):
        yield Mismatch(name=name, cause="another version", recorded=package.version, found=headers["version"])


def _same_version(one: str, other: str) -> bool:
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 -- only here

    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other
