"""What a person sees before and after the work: the resolved options, the artefacts, the matrix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from diptych.channel import LOCAL
from diptych.compare import Comparison, Severity
from diptych.compare.linewrap import Wrapped
from diptych.compare.table import STYLES, across_table, differences_table
from diptych.environments import Environment
from diptych.matrix import Cell
from diptych.output import human_size
from diptych.records import CellRecord
from diptych.tables import plain_table
from diptych.workspace import Workspace


def preamble(workspace: Workspace, cell: Cell, environment: Environment) -> None:
    """Say what was resolved, before anything runs."""
    output, settings = workspace.output, cell.settings
    output.line(f"{workspace.config.project.name} · {cell.id} · {cell.platform}", style="bold")
    rows = (
        ("source", _relative(workspace.config.source, workspace.root)),
        ("host", ", ".join(settings.host) or "-"),
        ("channels", ", ".join(_short_url(url, workspace.root) for url in environment.channels)),
        (
            "environment",
            f"{_relative(environment.prefix, workspace.root)} ({len(environment.lock)} packages)",
        ),
        ("test", settings.test),
        *([("", _stand_in(cell))] if environment.fallback else []),
    )
    for name, value in rows:
        output.line(f"  {name:<14} {value}", style="dim")


def artefact_table(workspace: Workspace, records: Sequence[CellRecord]) -> Table:
    """Tabulate the finished packages with size and hash; the file's name tells its platform."""
    table = plain_table("artefacts")
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("sha256", no_wrap=True)
    table.add_column("file")
    for record in records:
        artefacts = (record.wheel, *record.conda.together)
        for artefact, path in zip(artefacts, record.published, strict=True):
            table.add_row(
                human_size(artefact.size), artefact.sha256[:12], Wrapped(_relative(path, workspace.root))
            )
    return table


def matrix_tables(workspace: Workspace, comparisons: Sequence[Comparison]) -> Iterator[Table]:
    """Yield the tables that tell of a whole matrix: verdicts, differences, what only all cells show, costs."""
    yield matrix_table(workspace, comparisons)
    for table in (differences_table(comparisons), across_table(comparisons), costs_table(comparisons)):
        if table:
            yield table


def matrix_table(workspace: Workspace, comparisons: Sequence[Comparison]) -> Table:
    """Tabulate the verdicts, one cell a line."""
    table = plain_table(f"{workspace.config.project.name}: wheel | conda", tight=True)
    table.add_column("cell", overflow="fold")
    table.add_column("verdict", no_wrap=True)
    for name in ("code", "wheel", "conda", "copies", "error", "drift"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in comparisons:
        verdict = one.verdict if one else "DIFFERENT"
        table.add_row(
            one.cell,
            Text(verdict, style=STYLES[one.verdict]),
            f"{sum(row.equal for row in one.code)}/{len(one.code)}",
            human_size(one.wheel.size),
            human_size(one.conda.size),
            human_size(one.wheel.private) if one.wheel.private else "-",
            str(one.count(Severity.ERROR)),
            str(one.count(Severity.DRIFT)),
        )
    return table


def _stand_in(cell: Cell) -> str:
    """Say in few words that the local channel serves; the reason is in the note before, and in the provenance."""
    asked = [name for name in cell.settings.channels if name != LOCAL]
    return (
        f"the local channel stands in for {', '.join(asked)}"
        if asked
        else "the local channel, as the table says"
    )


def _short_url(url: str, root: Path) -> str:
    return url.removeprefix(f"{root.as_uri()}/")


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def costs_table(comparisons: Sequence[Comparison]) -> Table | None:
    """Tabulate what was measured in clean environments, wheel | conda package; None when nothing was."""
    known = [(one.cell, one.facts["cost"]) for one in comparisons if one.facts.get("cost")]
    if not known:
        return None
    table = plain_table("cost in clean environments: wheel | conda", tight=True)
    table.add_column("cell", overflow="fold")
    for name in ("with shared\nMB", "install\ns", "import\nms", "load\nms"):
        table.add_column(name, justify="right", overflow="fold")
    if any(cost["command"] for _, cost in known):
        table.add_column("benchmark\ns", justify="right", overflow="fold")
    for cell, cost in known:
        row = [
            _pair(cost, "with_shared", 1e-6),
            _pair(cost, "install_seconds", 1),
            _pair(cost, "import_seconds", 1000),
            _pair(cost, "load_seconds", 1000),
        ]
        if cost["command"]:
            runs = {side: cost[side]["benchmark"] for side in ("left", "right")}
            row.append(_pair(runs, "seconds", 1))
        table.add_row(cell, *row)
    return table


def _pair(sides: Mapping[str, Any], name: str, factor: float) -> str:
    """Write a figure of both sides in a unit, with three digits."""
    return " | ".join(
        "-" if value is None else _three(value * factor)
        for value in (sides["left"][name], sides["right"][name])
    )


def _three(value: float) -> str:
    digits = 2 if value < 10 else 1 if value < 100 else 0  # noqa: PLR2004 -- three digits
    return f"{value:.{digits}f}"
