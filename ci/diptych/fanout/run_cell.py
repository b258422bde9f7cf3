"""Build and verify one cell on a machine of its own, without nox, and leave a piece for ``diptych collect``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from diptych.cell import hosts
from diptych.cell.pipeline import Built, build_cell
from diptych.cell.stages import examine_cell
from diptych.cell.verification import verify_cell
from diptych.environments import Environment
from diptych.fanout.piece import LISTING, Piece, piece_file
from diptych.fanout.plan import table_hash
from diptych.folders import replaced, require_free
from diptych.matrix import Cell
from diptych.output import Output
from diptych.records import PROVENANCE
from diptych.store import digest, write_json
from diptych.testing.verify import Verified
from diptych.workspace import Workspace


def run_cell(workspace: Workspace, cell: Cell, out: Path) -> Piece:
    """Take one cell from sources to two verified packages, and leave them in ``out``, whole or not at all.

    Args:
        workspace: the checkout.
        cell: which one.
        out: the folder of the piece; a piece that is there is replaced.

    Raises:
        ConfigError: ``out`` holds something else.
        StoreError: ``out`` cannot be written.
        DiptychError: of the kind of the stage that failed; ``out`` is as it was.
    """
    require_free(out, listing=LISTING, what="piece")
    environment = _host(workspace, cell)
    with folded(workspace.output, f"{cell.id}: build"):
        built = build_cell(workspace, cell, environment)
    with folded(workspace.output, f"{cell.id}: verify"):
        verified = verify_cell(workspace, cell)
    return _leave(workspace, cell, built, verified, out)


def examine(workspace: Workspace, cell: Cell) -> None:
    """Run the tests in source of a sanitizer's cell; nothing is left, since no package is made of it.

    Raises:
        TestsFailedError: they failed, or the sanitizer has found something.
        DiptychError: of the kind of the stage that failed.
    """
    environment = _host(workspace, cell)
    with folded(workspace.output, f"{cell.id}: build and test"):
        examine_cell(workspace, cell, environment)


def _host(workspace: Workspace, cell: Cell) -> Environment:
    with folded(workspace.output, f"{cell.id}: host environment"):
        if not cell.compiler.packages:  # before the long work; one from a channel is looked for after it
            workspace.compiler_of(cell)
        return hosts.ensure(workspace, cell, workspace.store.root / f"hosts-{cell.id}")


@contextmanager
def folded(output: Output, title: str) -> Iterator[None]:
    """Fold the lines of a step on GitHub Actions (workflow commands ``group`` and ``endgroup``)."""
    if output.env.get("GITHUB_ACTIONS") != "true":
        yield
        return
    output.line(f"::group::{title}")
    try:
        yield
    finally:
        output.line("::endgroup::")


def _leave(
    workspace: Workspace, cell: Cell, built: Built, verified: tuple[Verified, Verified], out: Path
) -> Piece:
    """Lay out the piece beside ``out`` and rename it into place."""
    with workspace.store.lock(f"piece-{digest(str(out))}"), replaced(out) as temporary:
        piece = _fill(workspace, cell, built, verified, temporary)
        write_json(temporary / LISTING, piece.to_json())
    return Piece(**{**vars(piece), "folder": out})


def _fill(
    workspace: Workspace, cell: Cell, built: Built, verified: tuple[Verified, Verified], folder: Path
) -> Piece:
    record = built.record
    sources = [
        *zip(
            ("wheel", "conda", "library"), record.published, strict=False
        ),  # the last where it is one of its own
        *(("provenance", path.with_name(path.name + PROVENANCE)) for path in record.published),
        *(("junit", path) for path in sorted(workspace.logs(cell).glob("*.junit.xml"))),
    ]
    return Piece(
        folder=folder,
        cell=cell.id,
        platform=cell.platform,
        project=workspace.config.project.name,
        version=str(record.provenance["version"]),
        table=table_hash(workspace.config),
        sources=str(record.provenance["inputs"]["sources"]),
        tests={
            "in source": record.provenance["tests"]["in source"],
            "wheel": verified[0].tests,
            "conda": verified[1].tests,
        },
        files=tuple(piece_file(Path(shutil.copy2(path, folder)), kind) for kind, path in sources),
        served_by=record.served_by,
    )
