"""``diptych why-rebuilt CELL…``: which inputs of which stage differed when it was made the last time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diptych import matrix
from diptych.inputs import StageHistory, history
from diptych.output import Output
from diptych.tasks.surface import process_workspace, surface

if TYPE_CHECKING:
    from invoke.context import Context

# In the order in which a cell goes through them, with what each is called on the terminal.
_NAMES = {
    "stage": "compile",
    "insource": "test in source",
    "wheel": "wheel",
    "conda": "conda package",
    "verified-wheel": "verify wheel",
    "verified-conda": "verify conda",
}
_MOST = 12


@surface(
    name="why-rebuilt",
    help={
        "words": "cells, such as 3.11-gcc, or selectors: 3.11, gcc, 3.1?-gcc; all without one",
        "json": "print JSON, with every input that differed",
    },
)
def why_rebuilt(_context: Context, words: list[str], json: bool = False) -> None:  # noqa: FBT001, FBT002 -- an invoke flag
    """Say for each stage of a cell which of its inputs differed when it was made the last time."""
    workspace = process_workspace(aside=json)
    cells = matrix.select(workspace.cells, words) if words else workspace.cells
    found = {cell.id: _in_order(history(workspace.store, cell.id)) for cell in cells}
    if json:
        told = {cell: [one.to_json() for one in stages] for cell, stages in found.items()}
        workspace.output.json({"schema": 1, "cells": told})
        return
    for cell, stages in found.items():
        workspace.output.line(f"{cell}:", style="bold")
        if not stages:
            workspace.output.line("  not built yet")
        for stage in stages:
            _show(stage, workspace.output)


def _in_order(stages: tuple[StageHistory, ...]) -> list[StageHistory]:
    order = list(_NAMES)
    return sorted((one for one in stages if one.stage in _NAMES), key=lambda one: order.index(one.stage))


def _show(stage: StageHistory, output: Output) -> None:
    name = _NAMES[stage.stage]
    if stage.gone:
        output.line(
            f"  {name}: the same inputs; the kept result was missing or no longer agreed with the files around it"
        )
    elif stage.first:
        output.line(f"  {name}: the first time")
    else:
        output.line(f"  {name}:")
    for change in stage.changes[:_MOST]:
        output.line(f"    {change.name}: {_short(change.before)} -> {_short(change.now)}")
    if len(stage.changes) > _MOST:
        output.line(f"    and {len(stage.changes) - _MOST} more: --json shows all")


def _short(text: str, most: int = 60) -> str:
    if not text:
        return "(nothing)"
    return text if len(text) <= most else f"{text[: most - 1]}…"
