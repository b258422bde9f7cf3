"""A piece: the folder that one cell leaves on its machine, with ``cell.json`` as its list of contents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from diptych.errors import PackageError
from diptych.records import PROVENANCE, CondaPackages
from diptych.store import read_json, sha256_file

SCHEMA = 1
LISTING = "cell.json"

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!-]*")
_HASH = re.compile(r"[0-9a-f]{64}")
_KINDS = ("wheel", "conda", "library", "provenance", "junit")


@dataclass(frozen=True, kw_only=True)
class PieceFile:
    """One file of a piece.

    Attributes:
        name: its plain name.
        kind: "wheel", "conda", "library" (the C++ library's conda package, where it is one of its own), "provenance" or "junit".
        sha256: of its bytes.
        size: in bytes.
    """

    name: str
    kind: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Piece:
    """What one cell left.

    Attributes:
        folder: where it lies.
        cell: the cell's id.
        platform: conda's name of the platform.
        project: the project's name.
        version: the project's version.
        table: hash of the table that asked for it (:func:`diptych.fanout.plan.table_hash`).
        sources: hash of the sources it was built from.
        tests: how many cases ran in source, against the wheel, and against the conda package; None if unknown.
        files: what it holds, beside ``cell.json``.
        served_by: the cell that has made the packages, when an older Python's serve this one too (the stable ABI); else empty.
    """

    folder: Path
    cell: str
    platform: str
    project: str
    version: str
    table: str
    sources: str
    tests: dict[str, int | None]
    files: tuple[PieceFile, ...]
    served_by: str = ""

    @property
    def name(self) -> str:
        """Cell and platform, as :attr:`diptych.fanout.plan.Job.name`."""
        return f"{self.cell}-{self.platform}"

    @property
    def wheel(self) -> Path:
        """The wheel; :func:`faults_inside` has seen that it is there."""
        return self._files("wheel")[0]

    @property
    def conda(self) -> CondaPackages:
        """The conda packages, likewise."""
        library = self._files("library")
        return CondaPackages(main=self._files("conda")[0], library=library[0] if library else None)

    def _files(self, kind: str) -> list[Path]:
        return [self.folder / one.name for one in self.files if one.kind == kind]

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``cell.json``."""
        value = asdict(self)
        del value["folder"]
        return {"schema": SCHEMA, **value}


def piece_file(path: Path, kind: str) -> PieceFile:
    """Describe a file that is there."""
    return PieceFile(name=path.name, kind=kind, sha256=sha256_file(path), size=path.stat().st_size)


def read_piece(folder: Path) -> Piece:
    """Read the list of contents; the files themselves are not looked at.

    Raises:
        PackageError: there is none, or it is not one of ours: it comes from another machine, so nothing is believed.
    """
    path = folder / LISTING
    try:
        raw = json.loads(path.read_bytes())
        if raw["schema"] != SCHEMA:
            raise PackageError(
                f'"{path}" has schema {raw["schema"]!r}; this Diptych reads {SCHEMA}',
                hint="run the same Diptych on every machine",
            )
        texts = {
            key: _text(raw[key]) for key in ("cell", "platform", "project", "version", "table", "sources")
        }
        return Piece(
            folder=folder,
            tests={str(name): _count(value) for name, value in raw["tests"].items()},
            files=tuple(_file(one) for one in raw["files"]),
            served_by=_text(raw["served_by"]) if raw.get("served_by") else "",
            **texts,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PackageError(
            f'"{path}" is not what `diptych cell` leaves: {str(error) or type(error).__name__}',
            hint="the job was cut short or the download is damaged: run that cell again",
        ) from error


def faults_inside(piece: Piece, *, split: bool) -> Iterator[str]:
    """Yield what is wrong with the files of a piece, held against its list: gone, changed, or not listed.

    Args:
        piece: as it was read.
        split: the table asks for a package of the C++ library too.
    """
    listed = {one.name for one in piece.files}
    for kind, count in (("wheel", 1), ("conda", 1), ("library", int(split)), ("provenance", 2 + split)):
        found = sum(one.kind == kind for one in piece.files)
        if found != count:
            yield f'damaged: the {LISTING} of {piece.name} in "{piece.folder}" lists {found} files of kind {kind}, not {count}'
    for one in piece.files:
        path = piece.folder / one.name
        if path.is_symlink() or not path.is_file():
            yield f'missing: "{path}" of {piece.name} is listed but not there'
        elif (size := path.stat().st_size) != one.size:
            yield f'tampered: "{path}" of {piece.name} has {size} bytes, its {LISTING} says {one.size}'
        elif (found_hash := sha256_file(path)) != one.sha256:
            seen, told = found_hash[:16], one.sha256[:16]
            yield f'tampered: "{path}" of {piece.name} has sha256 {seen}…, its {LISTING} says {told}…'
    for path in sorted(piece.folder.iterdir()):
        if path.name not in listed and path.name != LISTING:
            yield f'foreign: "{path}" is not in the list of {piece.name}'


def provenance_of(path: Path) -> dict[str, Any]:
    """Return the provenance beside a package, empty when it cannot be read."""
    return read_json(path.with_name(path.name + PROVENANCE))


def _text(value: object) -> str:
    if not isinstance(value, str) or not _PLAIN.fullmatch(value):
        raise ValueError(f"{value!r:.60} is no plain word")
    return value


def _count(value: object) -> int | None:
    if value is not None and not isinstance(value, int):
        raise ValueError(f"{value!r:.60} is no number")
    return value


def _file(raw: dict[str, Any]) -> PieceFile:
    """Read one entry; a name with a slash or a leading dot would lead out of the folder."""
    if raw["kind"] not in _KINDS or not isinstance(raw["size"], int) or not _HASH.fullmatch(raw["sha256"]):
        raise ValueError(f"{raw!r:.80} is no entry")
    return PieceFile(name=_text(raw["name"]), kind=raw["kind"], sha256=raw["sha256"], size=raw["size"])
