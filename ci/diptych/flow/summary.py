"""What a person sees before and after the work: the resolved options, the artefacts, the matrix."""

from __future__ import annotations

from collections.abc import Sequence
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
from diptych.output import human_size


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
