"""What a person sees before and after the work: the resolved options, the artefacts, the matrix."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from diptych.channel import LOCAL
from diptych.compare import Comparison, Severity
from diptych.compare.table import STYLES
from diptych.environments import Environment
from diptych.flow.record import CellRecord
from diptych.flow.workspace import Workspace
from diptych.matrix import Cell
from diptych.output import human_size, human_time


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
    """Tabulate the finished packages with size, tag and hash."""
    table = Table(title="artefacts", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("file", overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("platform", overflow="fold")
    table.add_column("sha256", no_wrap=True)
    for record in records:
        for artefact, path in zip((record.wheel, record.conda), record.published, strict=True):
            table.add_row(
                Text(_relative(path, workspace.root)),
                human_size(artefact.size),
                artefact.tag,
                Text(artefact.sha256[:12]),
            )
    return table


def matrix_table(workspace: Workspace, comparisons: Sequence[Comparison]) -> Table:
    """Tabulate the verdicts, one cell a line."""
    title = f"{workspace.config.project.name}: wheel | conda"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("cell", "verdict"):
        table.add_column(name, no_wrap=True)
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
    table = Table(title="cost: wheel | conda", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("cell", no_wrap=True)
    for name in ("with shared", "install", "import", "load"):
        table.add_column(name, justify="right", no_wrap=True)
    if any(cost["command"] for _, cost in known):
        table.add_column("benchmark", justify="right", no_wrap=True)
    for cell, cost in known:
        sides = cost["left"], cost["right"]
        row = [
            _pair(human_size(side["with_shared"]) for side in sides),
            *(
                _pair("-" if side[name] is None else human_time(side[name]) for side in sides)
                for name in ("install_seconds", "import_seconds", "load_seconds")
            ),
        ]
        if cost["command"]:
            row.append(_pair(human_time(side["benchmark"]["seconds"]) for side in sides))
        table.add_row(cell, *row)
    return table


def _pair(texts: Iterable[str]) -> str:
    """Join both sides; a unit that both have is said once."""
    left, right = texts
    value, _, unit = left.rpartition(" ")
    return f"{value} | {right}" if value and right.endswith(f" {unit}") else f"{left} | {right}"
