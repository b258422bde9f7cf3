"""``diptych sanitizers CELL…``: what the sanitizers have found when the cells' tests ran the last time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from diptych import matrix
from diptych.errors import ConfigError, TestsFailedError
from diptych.tasks.surface import process_workspace, surface

if TYPE_CHECKING:
    from invoke.context import Context

    from diptych.testing.sanitized import Finding


@surface(
    help={
        "words": "cells of sanitizers, such as 3.11-gcc-asan, or selectors; all without one",
        "json": "print JSON, an object a cell with its findings",
    }
)
def sanitizers(_context: Context, words: list[str], json: bool = False) -> None:  # noqa: FBT001, FBT002 -- an invoke flag
    """Show what the sanitizers found in the last run of the tests: kind, source line and test; nothing is run."""
    from diptych.testing.insource import findings_of  # noqa: PLC0415 -- a listing needs none of it

    workspace = process_workspace(aside=json)
    cells = [one for one in matrix.select(workspace.cells, words) if one.sanitizer]
    if not cells:
        raise ConfigError(
            "no cell of a sanitizer is meant",
            hint='compiler = ["gcc", "gcc-asan"] has one; see docs/how-to/sanitizers.md',
        )
    found = {cell.id: findings_of(workspace.store, cell.id) for cell in cells}
    if json:
        workspace.output.json({"schema": 1, "cells": [_plain(*one) for one in found.items()]})
    for cell, findings in () if json else found.items():
        count = "not run yet" if findings is None else f"{len(findings)} found"
        workspace.output.line(f"{cell}: {count}", style="bold")
        for finding in findings or ():
            workspace.output.line(f"  {finding.describe()}")
    _require_none(found)


def _plain(cell: str, findings: tuple[Finding, ...] | None) -> dict[str, Any]:
    return {"cell": cell, "run": findings is not None, "findings": [asdict(one) for one in findings or ()]}


def _require_none(found: Mapping[str, tuple[Finding, ...] | None]) -> None:
    """Refuse cells with findings.

    Raises:
        TestsFailedError: naming them.
    """
    if failed := [cell for cell, findings in found.items() if findings]:
        raise TestsFailedError(
            f"sanitizers found faults in {', '.join(failed)}", hint="mend them, and run the tests again"
        )
