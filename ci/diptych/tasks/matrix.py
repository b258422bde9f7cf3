"""``diptych matrix``: the cells of the table."""

from __future__ import annotations

import json as json_text
from collections.abc import Sequence
from typing import TYPE_CHECKING

from diptych import matrix as cells
from diptych.errors import ConfigError
from diptych.output import many
from diptych.tasks.plan import PLATFORM_HELP, platforms_of
from diptych.tasks.surface import process_workspace, surface
from diptych.workspace import Workspace

if TYPE_CHECKING:
    from invoke.context import Context


@surface(
    help={
        "json": "print JSON instead of a table",
        "select": "only cells that match: an id such as 3.11-gcc, a Python, a compiler, a glob; repeatable",
        "github": "print the value of a GitHub `strategy.matrix`, on one line",
        "platform": f"with --github: {PLATFORM_HELP}",
        "shard": "with --github: only part i/n of the cells, such as 1/2; a GitHub matrix takes 256",
    },
    iterable=["select", "platform"],
)
def matrix(
    _context: Context,
    select: list[str],
    platform: list[str],
    shard: str = "",
    github: bool = False,  # noqa: FBT001, FBT002 -- an invoke flag
    json: bool = False,  # noqa: FBT001, FBT002 -- as above
) -> None:
    """List the cells of the matrix; contacts nobody."""
    if not github and (shard or platform):
        raise ConfigError(
            "--shard and --platform go with --github", hint="diptych matrix --github --shard 1/2"
        )
    workspace = process_workspace()
    chosen = cells.select(workspace.cells, select) if select else workspace.cells
    if github:
        _github(workspace, {cell.id for cell in chosen}, platform, shard)
    elif json:
        workspace.output.json(cells.to_json(chosen))
    else:
        _table(workspace, chosen)


def _github(workspace: Workspace, chosen: set[str], platforms: Sequence[str], shard: str) -> None:
    from diptych.fanout import plan  # noqa: PLC0415 -- a plain listing needs no plan

    jobs = [
        job
        for job in plan.plan(workspace.config, platforms_of(workspace, platforms))
        if job.cell.id in chosen
    ]
    value = plan.github_matrix(plan.shard(jobs, shard) if shard else jobs)
    workspace.output.raw(json_text.dumps(value, separators=(",", ":")) + "\n")


def _table(workspace: Workspace, chosen: Sequence[cells.Cell]) -> None:
    """Show a line a cell; what is the same for all of them is said once."""
    from diptych.tables import plain_table  # noqa: PLC0415 -- not needed for --json

    table = plain_table(f"{workspace.config.project.name}: {many(len(chosen), 'cell')}")
    columns = list(zip(cells.ROW_TITLES, *cells.rows(chosen), strict=True))
    shared = [column for column in columns[3:] if len(set(column[1:])) == 1]
    for title, *values in columns:
        if (title, *values) not in shared:
            table.add_column(title, overflow="fold")
    for row in zip(*(column[1:] for column in columns if column not in shared), strict=True):
        table.add_row(*row)
    workspace.output.show(table)
    for title, value, *_ in shared:
        workspace.output.line(f"  {title:<17} {value}", style="dim")
