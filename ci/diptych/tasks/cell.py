"""``diptych cell``: one cell on a machine of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from diptych import matrix
from diptych.tasks.surface import process_workspace, surface

if TYPE_CHECKING:
    from invoke.context import Context


@surface(
    builds=True,
    help={
        "cell": "its id, such as 3.11-gcc",
        "out": "the folder that the piece is left in (default: .diptych/pieces/CELL-PLATFORM)",
    },
)
def cell(_context: Context, cell: str, out: str = "") -> None:
    """Build and verify one cell, and leave packages, provenance, JUnit and cell.json in a folder; nothing of a sanitizer's cell."""
    workspace = process_workspace()
    chosen = matrix.find(workspace.cells, cell)
    from diptych.fanout.plan import PIECES  # noqa: PLC0415 -- as above
    from diptych.fanout.run_cell import examine, run_cell  # noqa: PLC0415 -- a listing needs none of the flow

    try:
        if chosen.sanitizer:
            examine(workspace, chosen)
            return
        piece = run_cell(
            workspace,
            chosen,
            Path.cwd() / out if out else workspace.root / PIECES / f"{chosen.id}-{chosen.platform}",
        )
    finally:
        workspace.output.summarise_steps(f"{chosen.id} · {chosen.platform}")
    workspace.output.line(f"  {piece.folder}: {len(piece.files)} files and their hashes in cell.json")
