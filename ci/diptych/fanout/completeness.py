"""Hold the pieces of all machines against the plan: what is missing, doubled, tampered with or foreign, by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from diptych.errors import ConfigError, PackageError
from diptych.fanout.piece import LISTING, Piece, faults_inside, provenance_of, read_piece
from diptych.fanout.plan import Job


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What the collecting checkout asks for.

    Attributes:
        jobs: the plan.
        project: the project's name.
        table: hash of the table.
        sources: hash of the sources.
        split: a cell has a package of the C++ library too.
    """

    jobs: tuple[Job, ...]
    project: str
    table: str
    sources: str
    split: bool


def find_pieces(folders: Sequence[Path]) -> tuple[Path, ...]:
    """Return the folders of the pieces: each folder given is one, or holds some, one a folder.

    A folder below without ``cell.json`` is returned too, as it should be one.

    Raises:
        ConfigError: a folder is not there or holds nothing.
    """
    found: dict[Path, None] = {}
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f'there is no folder "{folder}"', hint="name what `diptych cell --out` left")
        below = [folder] if (folder / LISTING).exists() else _shown_folders(folder)
        if not below:
            raise ConfigError(f'"{folder}" holds no piece', hint="name what `diptych cell --out` left")
        found.update(dict.fromkeys(path.resolve() for path in below))
    return tuple(found)


def _shown_folders(folder: Path) -> list[Path]:
    """Return the folders in a folder without the hidden ones: a run that was killed leaves its piece half made there."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def checked(folders: Sequence[Path], expected: Expected) -> tuple[Piece, ...]:
    """Read the pieces and hold them against the plan.

    Returns:
        One piece a job, in the order of the plan.

    Raises:
        PackageError: naming everything that is missing, doubled, tampered with, foreign or damaged.
    """
    pieces, faults = [], []
    for folder in folders:
        try:
            pieces.append(read_piece(folder))
        except PackageError as error:
            faults.append(f"damaged: {error.summary}")
    wanted = {job.name: job for job in expected.jobs}
    by_name: dict[str, list[Piece]] = {}
    for piece in pieces:
        by_name.setdefault(piece.name, []).append(piece)
        faults += _foreign(piece, expected, wanted)
        faults += faults_inside(piece, split=expected.split)
    for name, several in by_name.items():
        if len(several) > 1:
            places = " and ".join(f'"{piece.folder}"' for piece in several)
            faults.append(f"doubled: {name} is in {places}")
    faults += [f"missing: {name} of the plan is in no folder" for name in wanted if name not in by_name]
    if not faults:
        faults += [fault for name in wanted for fault in _packages(by_name[name][0])]
    _refuse(faults, len(folders))
    return tuple(by_name[name][0] for name in wanted)


def _refuse(faults: Sequence[str], count: int) -> None:
    if faults:
        raise PackageError(
            f"these pieces cannot be put together: {len(faults)} fault{'s' if len(faults) > 1 else ''} "
            f"in {count} folder{'s' if count > 1 else ''}",
            details=faults,
            hint="run the cells named here again, each from the same commit; nothing was written",
        )


def _foreign(piece: Piece, expected: Expected, wanted: dict[str, Job]) -> Iterator[str]:
    """Yield why a piece is not of this plan."""
    where = f'foreign: "{piece.folder}"'
    if piece.name not in wanted:
        yield f"{where} is of {piece.name}, which the plan does not have"
    for what, found, ours in (
        ("project", piece.project, expected.project),
        ("table", piece.table, expected.table),
        ("sources", piece.sources, expected.sources),
    ):
        if found != ours:
            yield f"{where} of {piece.name} has {what} {found[:16]}, not {ours[:16]}"


def _packages(piece: Piece) -> Iterator[str]:
    """Yield where the provenance beside a package contradicts the list."""
    for package in (piece.wheel, *piece.conda.files):
        entry = next(one for one in piece.files if one.name == package.name)
        facts = provenance_of(package)
        for key, ours in (
            ("sha256", entry.sha256),
            ("cell", piece.served_by or piece.cell),
            ("platform", piece.platform),
            ("version", piece.version),
        ):
            if facts.get(key) != ours:
                yield (
                    f'foreign: the provenance of "{package}" says {key} {json.dumps(facts.get(key))[:60]}, '
                    f"{piece.name} says {json.dumps(ours)[:60]}"
                )
