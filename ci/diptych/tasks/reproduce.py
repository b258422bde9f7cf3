"""``diptych reproduce CELL…``: whether two builds give the same bytes, and if not, what differs and why."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from diptych import matrix
from diptych.errors import CompareError, ConfigError
from diptych.output import Output
from diptych.tasks.surface import process_workspace, surface

if TYPE_CHECKING:
    from invoke.context import Context

    from diptych.reproduce.run import Reproduction


@surface(
    builds=True,
    help={"words": "cells, such as 3.11-gcc, or selectors: 3.11, gcc, 3.1?-gcc", "json": "print JSON"},
)
def reproduce(_context: Context, words: list[str], json: bool = False) -> None:  # noqa: FBT001, FBT002 -- an invoke flag
    """Build cells twice in unlike places; compare wheel, source distribution and conda package byte by byte."""
    if not words:
        raise ConfigError(
            "no cell given", hint="diptych reproduce 3.11-gcc; `diptych matrix` lists the cells"
        )
    from diptych.reproduce.run import reproduce as twice  # noqa: PLC0415 -- a listing needs no flow

    workspace = process_workspace(aside=json)
    found = []
    chosen = matrix.select(workspace.cells, words)
    if not (cells := matrix.with_packages(chosen)):
        matrix.find_with_packages(workspace.cells, chosen[0].id)
    for cell in cells:
        workspace.output.line(f"{cell.id}:", style="bold")
        one = twice(workspace, cell, machine=platform.machine())
        if not json:
            _show(one, workspace.output)
        found.append(one)
    if json:
        workspace.output.json({"schema": 2, "cells": [one.to_json() for one in found]})
    _require_identical(found)


def _show(found: Reproduction, output: Output) -> None:
    for kind, (one, other) in found.sha256.items():
        verdict = "byte-identical" if one == other else f"DIFFERENT from {other[:12]}"
        output.line(f"  {kind:<7} {one}  {verdict}", style="green" if one == other else "bold red")
    for fault in found.differences:
        where = f"{fault.member or fault.package}, {fault.section}" if fault.section else fault.member
        output.line(f"  {fault.cause:<8} {where}: {fault.detail}")


def _require_identical(found: list[Reproduction]) -> None:
    """Refuse builds that differ.

    Raises:
        CompareError: naming the cells and their packages.
    """
    failed = [one for one in found if not one]
    if failed:
        raise CompareError(
            f"two builds gave different bytes: {', '.join(one.cell for one in failed)}",
            details=[name for one in failed for name in sorted({each.package for each in one.differences})],
            hint=f"both are kept in {', '.join(str(one.packages[0].parents[1]) for one in failed)}",
        )
