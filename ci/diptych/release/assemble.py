"""Lay a release out in one folder, whole or not at all, and read such a folder back.

::

    wheels/ sdist/ conda/SUBDIR/   what is sent; conda/ is an indexed channel
    sbom/WHEEL.cdx.json            the bill of materials of each wheel, as in it
    provenance/FILE.intoto.json    where each comes from
    report/                        wheel and conda package of each cell, side by side
    NOTES.md SHA256SUMS release.json
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.archives import open_package
from diptych.errors import FormatError, ReleaseError
from diptych.folders import replaced, require_free
from diptych.packages import sbom
from diptych.packages.channel_folder import index_folder
from diptych.packages.checksums import NAME as SUMS
from diptych.packages.checksums import check_sums, write_sums
from diptych.release.model import Item, Kind
from diptych.release.notes import release_note
from diptych.release.statements import Origin, statement
from diptych.report.markdown import markdown_of
from diptych.report.page import page_of
from diptych.store import copy_file, sha256_file, write_json, write_text

LISTING = "release.json"
SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Part:
    """One artefact to be released, where it lies now.

    Attributes:
        kind: what it is.
        path: the file.
        subdir: of a conda package.
        provenance: of its cell; empty for a source distribution.
    """

    kind: Kind
    path: Path
    subdir: str = ""
    provenance: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """A release in its folder.

    Attributes:
        folder: where it lies.
        project: the project's name.
        version: its version.
        commit: the git commit that it was made from.
        tag: its git tag.
        items: the artefacts, wheels first, by name.
    """

    folder: Path
    project: str
    version: str
    commit: str
    tag: str
    items: tuple[Item, ...]


def refuse_collisions(parts: Sequence[Part]) -> None:
    """Refuse two artefacts of one name.

    Raises:
        ReleaseError: naming both files.
    """
    seen: dict[str, Path] = {}
    faults = []
    for part in parts:
        name = f"{part.kind.value}/{part.subdir}/{part.path.name}"
        if name in seen:
            faults.append(f'"{part.path}" and "{seen[name]}" have the same name')
        seen[name] = part.path
    if faults:
        raise ReleaseError(
            "two artefacts would be one file", details=faults, hint="exclude one of their cells"
        )


def assemble(
    parts: Sequence[Part], out: Path, *, origin: Origin, news: str, document: Mapping[str, Any]
) -> Assembled:
    """Copy the artefacts into ``out`` and write everything that stands beside them.

    Args:
        parts: the artefacts.
        out: the folder; an earlier release in it is replaced.
        origin: what all share.
        news: the section of the changelog.
        document: the comparison of all cells.

    Raises:
        ReleaseError: two artefacts have one name.
        ConfigError: ``out`` holds something else.
        StoreError: ``out`` cannot be written.
    """
    refuse_collisions(parts)
    require_free(out, listing=LISTING, what="release")
    with replaced(out) as temporary:
        _fill(parts, temporary, origin, news, document)
    return read_assembled(out)


def read_assembled(folder: Path) -> Assembled:
    """Read a release back, every file held against ``SHA256SUMS``.

    Raises:
        ReleaseError: it is none, or a file is missing or changed.
    """
    path = folder / LISTING
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["schema"] != SCHEMA:
            raise ReleaseError(f'"{path}" has schema {raw["schema"]!r}; this Diptych reads {SCHEMA}')
        items = tuple(_item(folder, one) for one in raw["items"])
        texts = {key: str(raw[key]) for key in ("project", "version", "commit", "tag")}
        faults = check_sums(folder / SUMS)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, FormatError) as error:
        raise ReleaseError(
            f'"{folder}" is not what `diptych release` leaves: {str(error) or type(error).__name__}',
            hint="assemble it again: diptych release",
        ) from error
    listed = {line.split("  ", 1)[1] for line in (folder / SUMS).read_text(encoding="utf-8").splitlines()}
    faults += tuple(f"{one.path.name}: not in {SUMS}" for one in items if _place(one, folder) not in listed)
    if faults:
        raise ReleaseError(
            f'"{folder}" is not as it was assembled',
            details=faults,
            hint="assemble it again: diptych release",
        )
    return Assembled(folder=folder, items=items, **texts)


def _fill(
    parts: Sequence[Part], folder: Path, origin: Origin, news: str, document: Mapping[str, Any]
) -> None:
    items = []
    for part in sorted(parts, key=lambda one: (list(Kind).index(one.kind), one.subdir, one.path.name)):
        target = folder / part.kind.value / part.subdir / part.path.name
        copy_file(part.path, target)
        item = item_of(target, part.kind, part.subdir)
        items.append(item)
        write_json(
            folder / "provenance" / f"{target.name}.intoto.json", statement(item, part.provenance, origin)
        )
        if part.kind is Kind.WHEEL:
            _lift_bill(target, folder / "sbom" / f"{target.name}.cdx.json")
    channel = folder / Kind.CONDA.value
    (channel / "noarch").mkdir(parents=True, exist_ok=True)
    index_folder(channel)
    write_json(folder / "report" / "report.json", document)
    write_text(folder / "report" / "index.html", page_of(document))
    write_text(folder / "NOTES.md", release_note(origin, news, items, markdown_of(document)))
    write_json(folder / LISTING, _listing(items, origin, folder))
    write_sums(folder, [path for path in folder.rglob("*") if path.is_file() and path.name != SUMS])


def item_of(path: Path, kind: Kind, subdir: str) -> Item:
    """Describe an artefact that is there."""
    return Item(kind=kind, path=path, subdir=subdir, sha256=sha256_file(path), size=path.stat().st_size)


def _lift_bill(wheel: Path, target: Path) -> None:
    with open_package(wheel) as package:
        name = f"{package.metadata.dist_info}/{sbom.FILE}"
        for _, content in package.walk(lambda one: one.name == name):
            write_text(target, content.decode("utf-8"))


def _listing(items: Sequence[Item], origin: Origin, folder: Path) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "project": origin.project,
        "version": origin.version,
        "commit": origin.commit,
        "tag": origin.tag,
        "items": [
            {
                "kind": item.kind.name.lower(),
                "file": _place(item, folder),
                "subdir": item.subdir,
                "sha256": item.sha256,
                "size": item.size,
            }
            for item in items
        ],
    }


def _place(item: Item, folder: Path) -> str:
    return item.path.relative_to(folder).as_posix()


def _item(folder: Path, raw: Mapping[str, Any]) -> Item:
    path = folder / str(raw["file"])
    kind = Kind[str(raw["kind"]).upper()]
    if path.relative_to(folder).parts[:1] != (kind.value,) or ".." in path.parts:
        raise ValueError(f'"{raw["file"]}" is no place of a {raw["kind"]}')
    return Item(
        kind=kind, path=path, subdir=str(raw["subdir"]), sha256=str(raw["sha256"]), size=int(raw["size"])
    )
