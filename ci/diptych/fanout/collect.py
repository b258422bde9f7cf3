"""Put the pieces of all machines together in ``dist/``, laid out as :func:`diptych.cell.publish.publish` does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from diptych.build.sources import source_hash
from diptych.cell.publish import places_of, superseded
from diptych.errors import ConfigError
from diptych.fanout.completeness import Expected, checked, find_pieces
from diptych.fanout.piece import Piece
from diptych.fanout.plan import pieces_planned, table_hash
from diptych.matrix import Cell, Platform
from diptych.output import human_size, many
from diptych.packages.channel_folder import index_folder
from diptych.pythons import numbers
from diptych.records import PROVENANCE, CondaPackages
from diptych.store import copy_file, sha256_file
from diptych.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A piece whose packages are in ``dist/``.

    Attributes:
        piece: the piece.
        wheel: the wheel in ``dist/``.
        conda: the conda packages in ``dist/``.
        first_compiler: the cell is one that releases are made of.
    """

    piece: Piece
    wheel: Path
    conda: CondaPackages
    first_compiler: bool

    @property
    def files(self) -> tuple[Path, ...]:
        """All of its packages."""
        return (self.wheel, *self.conda.files)


def collect(
    workspace: Workspace,
    folders: Sequence[Path],
    *,
    platforms: Sequence[Platform],
    out: Path,
) -> tuple[Placed, ...]:
    """Check every piece against the plan, then lay the packages out and index the conda channels.

    Args:
        workspace: the checkout, of the same commit as the cells'.
        folders: pieces, or folders of pieces.
        platforms: those of the plan.
        out: where the packages go.

    Raises:
        ConfigError: a folder holds no piece.
        PackageError: pieces are missing, doubled, tampered with or foreign; nothing was written.
        StoreError: ``out`` cannot be written.
    """
    jobs = pieces_planned(workspace, platforms)
    expected = Expected(
        jobs=jobs,
        project=workspace.config.project.name,
        table=table_hash(workspace.config),
        sources=source_hash(workspace.config.source, env=workspace.env),
        split=workspace.config.split,
    )
    with workspace.output.step("check") as step:
        pieces = checked(find_pieces(folders), expected)
        step.text = f"{many(len(pieces), 'piece')}, {many(sum(len(piece.files) for piece in pieces), 'file')}: all of this plan, hashes equal"
    pairs = [(job.cell, piece) for job, piece in zip(jobs, pieces, strict=True)]
    _refuse_collisions(pairs, out)
    with workspace.output.step("lay out") as step, workspace.store.lock("dist"):
        placed = tuple(_placed(cell, piece, out) for cell, piece in pairs)
        channels = sorted({one.conda.main.parent.parent for one in placed})
        for channel in channels:
            (channel / "noarch").mkdir(parents=True, exist_ok=True)
            index_folder(channel)
        files = {file for one in placed for file in one.files}
        step.text = f"{many(len(files), 'package')} in {many(len(channels), 'indexed channel')}"
    return placed


def _targets(cell: Cell, piece: Piece, out: Path) -> tuple[Path, CondaPackages]:
    places = places_of(cell, out)
    return places.wheels / piece.wheel.name, piece.conda.placed(places.channel / cell.platform)


def _copies(cell: Cell, piece: Piece, out: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each package of a piece, and where it goes."""
    wheel, conda = _targets(cell, piece, out)
    return zip((piece.wheel, *piece.conda.files), (wheel, *conda.files), strict=True)


def _refuse_collisions(pairs: Sequence[tuple[Cell, Piece]], out: Path) -> None:
    """Refuse two pieces that would write one file, unless it is the same.

    One build of the stable ABI serves several cells; the package of a C++ library is the same for every Python.

    Raises:
        ConfigError: naming both.
    """
    seen: dict[Path, tuple[Path, Piece]] = {}
    faults, hint = [], "exclude one of the cells"
    stable: dict[str, Cell] = {}
    cells = {piece.name: cell for cell, piece in pairs}
    for cell, piece in pairs:
        for source, target in _copies(cell, piece, out):
            before, first = seen.setdefault(target, (source, piece))
            if sha256_file(before) != sha256_file(source):
                faults.append(f"{target.name} comes from {first.name} and from {piece.name}")
                if source == piece.conda.library:
                    hint = 'a C++ library is packed once for every Python, so its bytes may not depend on one; else outputs = "one"'
                if "-abi3" in target.name:
                    stable |= {one.name: cells[one.name] for one in (first, piece)}
    if faults:
        if stable:
            oldest_first = sorted(stable.values(), key=lambda one: numbers(one.python))
            commands = ", then ".join(f"`diptych cell {one.id}`" for one in oldest_first)
            hint = f"the stable ABI: on one machine, {commands}: the oldest Python's packages are built once, and the others verify them"
        raise ConfigError("two cells make packages of one name", details=faults, hint=hint)


def _placed(cell: Cell, piece: Piece, out: Path) -> Placed:
    """Copy the packages with their provenance unless they are there; remove what an earlier build of the cell left."""
    wheel, conda = _targets(cell, piece, out)
    for source, target in _copies(cell, piece, out):
        for name in (source.name, source.name + PROVENANCE):
            there = target.with_name(name)
            if not there.is_file() or sha256_file(there) != sha256_file(source.with_name(name)):
                copy_file(source.with_name(name), there)
        ours = {"cell": piece.cell, "platform": piece.platform, "version": piece.version}
        for old in list(superseded(target, ours)):
            old.unlink(missing_ok=True)
            old.with_name(old.name + PROVENANCE).unlink()
    return Placed(piece=piece, wheel=wheel, conda=conda, first_compiler=cell.first_compiler)


def summary_of(placed: Sequence[Placed]) -> str:
    """Return what was put together as a Markdown table, for the summary of a CI job."""
    project = f"{placed[0].piece.project} {placed[0].piece.version}" if placed else "nothing"
    lines = [
        f"## {project}: {many(len(placed), 'cell')} put together",
        "",
        "| cell | platform | tests | wheel | size | conda package | size |",
        "| --- | --- | --- | --- | ---: | --- | ---: |",
    ]
    for one in placed:
        tests = ", ".join(
            f"{name} {'?' if count is None else count}" for name, count in one.piece.tests.items()
        )
        files = "".join(
            f" `{path.name}` | {human_size(path.stat().st_size)} |" for path in (one.wheel, one.conda.main)
        )
        lines.append(f"| {one.piece.cell} | {one.piece.platform} | {tests} |{files}")
    return "\n".join(lines) + "\n\n"
