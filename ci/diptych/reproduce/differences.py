"""Two builds of one package, byte for byte: which member differs, in which section, and why."""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from diptych.archives import Package, open_package
from diptych.binaries import HEAD, Section, read, sniff
from diptych.errors import FormatError
from diptych.reproduce.causes import causes, excerpt

Folders = tuple[Sequence[str], Sequence[str]]
_UNKNOWN: Folders = ((), ())
_HEADER = 16
_FOLLOWS = (".note.gnu.build-id", ".gnu_debuglink", ".gnu_debuglink_info", "__LINKEDIT,signature")
_RECORDS = ("RECORD", "info/paths.json")


@dataclass(frozen=True, kw_only=True)
class PackageDifference:
    """One place where two packages differ.

    Attributes:
        package: the file name.
        member: the file in it; empty for the archive itself.
        section: part of the member, or of the archive.
        cause: "path", "time", "order", "tool", "mode", "missing", "follows" (from other differences) or "contents".
        detail: both sides in a few words.
    """

    package: str
    member: str
    section: str
    cause: str
    detail: str


def differences_of(one: Path, other: Path, folders: Folders = _UNKNOWN) -> tuple[PackageDifference, ...]:
    """Compare two packages.

    Args:
        one: a wheel, ``.conda`` or source distribution.
        other: the same from another build.
        folders: the folders that each was made in: what names them is a path.

    Returns:
        Every place that differs; empty when the files are byte-identical, and only then.

    Raises:
        FormatError: a package is damaged.
    """
    if _same_bytes(one, other):
        return ()
    with open_package(one) as left, open_package(other) as right:
        found = [*_members(left, right, folders)]
    found += _containers(one, other)
    return tuple(found) or (
        PackageDifference(
            package=one.name,
            member="",
            section="compressed bytes",
            cause="tool",
            detail="same members, packed otherwise",
        ),
    )


def _members(left: Package, right: Package, folders: Folders) -> Iterator[PackageDifference]:
    name = left.path.name
    ours, theirs = ({member.name: member for member in package.members} for package in (left, right))
    for lone in sorted(ours.keys() ^ theirs.keys()):
        side = "first" if lone in ours else "second"
        yield PackageDifference(
            package=name, member=lone, section="", cause="missing", detail=f"only in the {side}"
        )
    common = sorted(ours.keys() & theirs.keys())
    for member in common:
        a, b = ours[member], theirs[member]
        if (a.mode, a.link) != (b.mode, b.link):
            detail = f"{a.mode:o} {a.link or ''} / {b.mode:o} {b.link or ''}"
            yield PackageDifference(package=name, member=member, section="entry", cause="mode", detail=detail)
    unlike = {
        member
        for member in common
        if ours[member].link is None
        and theirs[member].link is None
        and ours[member].sha256 != theirs[member].sha256
    }
    contents = dict(_read(right, unlike))
    for member, content in _read(left, unlike):
        for section, cause, detail in _content(member, content, contents[member], folders):
            yield PackageDifference(package=name, member=member, section=section, cause=cause, detail=detail)


def _read(package: Package, names: set[str]) -> Iterator[tuple[str, bytes]]:
    for member, content in package.walk(lambda one: one.name in names):
        yield member.name, content


def _content(name: str, one: bytes, other: bytes, folders: Folders) -> Iterator[tuple[str, str, str]]:
    if name.endswith(_RECORDS):
        yield "hashes", "follows", "it records the members that differ"
        return
    for section, a, b in _sections(name, one, other):
        if section in _FOLLOWS:
            yield section, "follows", "it is made of the other sections"
            continue
        found = ("tool",) if section == ".comment" else causes(a, b, folders)
        for cause in found:
            yield section, cause, excerpt(a, b)


def _sections(name: str, one: bytes, other: bytes) -> list[tuple[str, bytes, bytes]]:
    """Return the parts that differ: sections of a binary, header and code of byte code, else the whole."""
    parts = [("whole", one, other)]
    if name.endswith(".pyc"):
        parts = [("header", one[:_HEADER], other[:_HEADER]), ("code", one[_HEADER:], other[_HEADER:])]
    elif sniff(one[:HEAD]) and sniff(other[:HEAD]):
        parts = _binary_sections(name, one, other)
    return [part for part in parts if part[1] != part[2]] or [("outside the sections", one, other)]


def _binary_sections(name: str, one: bytes, other: bytes) -> list[tuple[str, bytes, bytes]]:
    try:
        ours, theirs = (_stored(read(content, name)[0].sections) for content in (one, other))
    except FormatError:
        return [("whole", one, other)]
    names = list(dict.fromkeys([*ours, *theirs]))
    return [(section, _cut(one, ours.get(section)), _cut(other, theirs.get(section))) for section in names]


def _stored(sections: Sequence[Section]) -> dict[str, Section]:
    return {section.name: section for section in sections if section.stored}


def _cut(content: bytes, section: Section | None) -> bytes:
    return b"" if section is None else content[section.offset : section.offset + section.size]


def _containers(one: Path, other: Path) -> Iterator[PackageDifference]:
    """Compare what stands around the members: their order, times and owners in the zip and in the tars."""
    outer = "tar" if _is_sdist(one) else "zip"
    for section, ours, theirs in zip((outer, *_tars(one)), _entries(one), _entries(other), strict=False):
        names = [entry[0] for entry in ours], [entry[0] for entry in theirs]
        if names[0] != names[1] and sorted(names[0]) == sorted(names[1]):
            first = next(f"{a} / {b}" for a, b in zip(*names, strict=True) if a != b)
            yield PackageDifference(package=one.name, member="", section=section, cause="order", detail=first)
        there = {entry[0]: entry for entry in theirs}
        for cause, column in (("time", 1), ("mode", 2)):
            pairs = [(entry, there[entry[0]]) for entry in ours if entry[0] in there]
            unlike = [(a, b) for a, b in pairs if a[column] != b[column]]
            if unlike:
                a, b = unlike[0]
                detail = f"{len(unlike)} members; {a[0]}: {a[column]} / {b[column]}"
                yield PackageDifference(
                    package=one.name, member="", section=section, cause=cause, detail=detail
                )


def _is_sdist(path: Path) -> bool:
    return path.name.endswith(".tar.gz")


def _tars(path: Path) -> list[str]:
    if _is_sdist(path):
        return []
    with zipfile.ZipFile(path) as archive:
        return (
            [name for name in archive.namelist() if name.endswith(".tar.zst")]
            if path.suffix == ".conda"
            else []
        )


def _entries(path: Path) -> Iterator[list[tuple[str, str, str]]]:
    """Yield (name, time, owner or attributes) of every entry of the zip, then of each tar in it; or of the one tar."""
    from diptych.zstd import zstd  # noqa: PLC0415 -- only for .conda

    try:
        yield from _read_entries(path)
    except (EOFError, OSError, tarfile.TarError, zipfile.BadZipFile, zlib.error, zstd.ZstdError) as error:
        raise FormatError(f'"{path}" is damaged: {error}', hint="build the cell again") from error


def _read_entries(path: Path) -> Iterator[list[tuple[str, str, str]]]:
    if _is_sdist(path):
        with tarfile.open(path, "r:gz") as tar:
            yield _listed(tar)
        return
    with zipfile.ZipFile(path) as archive:
        yield [(one.filename, str(one.date_time), oct(one.external_attr)) for one in archive.infolist()]
        for name in _tars(path):
            with archive.open(name) as packed:
                yield _tar_entries(packed.read())


def _tar_entries(packed: bytes) -> list[tuple[str, str, str]]:
    from diptych.zstd import zstd  # noqa: PLC0415 -- only for .conda

    with (
        zstd.ZstdFile(io.BytesIO(packed)) as stream,
        tarfile.open(fileobj=stream, mode="r|") as tar,
    ):
        return _listed(tar)


def _listed(tar: tarfile.TarFile) -> list[tuple[str, str, str]]:
    return [(one.name, str(one.mtime), f"{one.uid}:{one.gid} {one.uname} {one.mode:o}") for one in tar]


def _same_bytes(one: Path, other: Path) -> bool:
    return one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()
