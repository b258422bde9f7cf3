"""``diptych matrix``: the cells of the table."""

from __future__ import annotations

from invoke.context import Context

from diptych import matrix as cells
from diptych.tasks.surface import process_workspace, surface


@surface(
    help={
        "json": "print JSON instead of a table",
        "select": "only cells that match: an id such as 3.11-gcc, a Python, a compiler, a glob; repeatable",
    },
    iterable=["select"],
)
def matrix(_context: Context, select: list[str], json: bool = False) -> None:  # noqa: FBT001, FBT002 -- an invoke flag
    """List the cells of the matrix; contacts nobody."""
    workspace = process_workspace()
    chosen = cells.select(workspace.cells, select) if select else workspace.cells
    if json:
        workspace.output.json(cells.to_json(chosen))
        return
    from rich.table import Table  # noqa: PLC0415 -- not needed for --json

    table = Table(title=f"{workspace.config.project.name}: {len(chosen)} cells", title_justify="left")
    for name in cells.ROW_TITLES:
        table.add_column(name, overflow="fold")
    for row in cells.rows(chosen):
        table.add_row(*row)
    workspace.output.show(table)
