"""``diptych reproduce CELL``: whether two builds give the same bytes, and if not, what is to blame."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from invoke.context import Context

from diptych import matrix
from diptych.errors import CompareError
from diptych.output import Output
from diptych.tasks.surface import process_workspace, surface

if TYPE_CHECKING:
    from diptych.flow.reproducing import Reproduction


@surface(help={"cell": "an id such as 3.11-gcc", "json": "print JSON"}, positional=["cell"])
def reproduce(_context: Context, cell: str, json: bool = False) -> None:  # noqa: FBT001, FBT002 -- an invoke flag
    """Build a cell twice in unlike places and compare both packages byte by byte."""
    from diptych.flow.reproducing import reproduce as twice  # noqa: PLC0415 -- a listing needs no flow

    workspace = process_workspace()
    chosen = matrix.find(workspace.cells, cell)
    found = twice(workspace, chosen, machine=platform.machine(), quiet=json)
    if json:
        workspace.output.json(found.to_json())
    else:
        _show(found, workspace.output)
    if not found:
        packages = sorted({one.package for one in found.blames})
        raise CompareError(
            f"{cell}: two builds gave different bytes: {', '.join(packages)}",
            hint=f"both are kept in {found.packages[0].parents[1]}",
        )


def _show(found: Reproduction, output: Output) -> None:
    for kind, (one, other) in found.sha256.items():
        verdict = "byte-identical" if one == other else f"DIFFERENT from {other[:12]}"
        output.line(f"  {kind:<7} {one}  {verdict}", style="green" if one == other else "bold red")
    for fault in found.blames:
        where = f"{fault.member or fault.package}, {fault.section}" if fault.section else fault.member
        output.line(f"  {fault.cause:<8} {where}: {fault.detail}")
