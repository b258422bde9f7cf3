"""What a person, or a program, is told about an adoption."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from diptych.adopt.edit import Edit
from diptych.adopt.plan import PYTHONS
from diptych.adopt.table import Plan
from diptych.output import Output

_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def show_diff(edits: Sequence[Edit], root: Path, output: Output) -> None:
    """Print the whole change."""
    for edit in edits:
        for line in edit.diff(root).splitlines():
            output.line(line, style=_STYLES.get(line[:1]))
        output.line()


def show_sources(plan: Plan, output: Output) -> None:
    """Print where each key of the table comes from, and what could not be told."""
    output.line("Where each line comes from", style="bold")
    width = max((len(line.key) for line in plan.lines), default=0)
    for line in plan.lines:
        first, *more = line.why
        output.line(f"  {line.key:<{width}}  {first}")
        for why in more:
            output.line(f"  {'':<{width}}  {why}")
    output.line()
    show_untold(plan, output)


def show_untold(plan: Plan, output: Output) -> None:
    """Print what was read and not taken over."""
    if plan.untold:
        output.line("Not taken over, or not told by the files", style="bold")
        for one in dict.fromkeys(plan.untold):
            output.line(f"  {one.origin}: {one.text}")
        output.line()


def next_command(pythons: Sequence[str], here: str, taken: Collection[str] = ()) -> str:
    """Return the one command to type next: one cell, of the Python that runs here where it is in the table.

    Args:
        pythons: those of the table.
        here: the one that runs.
        taken: names of sessions that the noxfile has of its own: ours are then called otherwise.
    """
    python = here if here in pythons else next(iter(pythons), PYTHONS[0])
    names = (
        f"{'diptych-' if {kind, f'{kind}-{python}'} & set(taken) else ''}{kind}-{python}"
        for kind in ("build", "verify")
    )
    return f"nox -s {' '.join(names)}"


def to_json(
    plan: Plan | None, edits: Sequence[Edit], root: Path, *, written: bool, command: str
) -> dict[str, Any]:
    """Return the adoption as JSON values."""
    return {
        "format": 1,
        "written": written,
        "files": [
            {
                "path": edit.path.relative_to(root).as_posix(),
                "action": "change" if edit.before is not None else "create",
                "diff": edit.diff(root),
            }
            for edit in edits
        ],
        "table": [
            {"key": line.key, "value": line.value, "from": list(line.why)}
            for line in (plan.lines if plan else ())
        ],
        "not-taken": [
            {"where": str(one.origin), "what": one.text} for one in dict.fromkeys(plan.untold if plan else ())
        ],
        "next": command,
    }
