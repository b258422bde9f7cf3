"""The style of all tables: a bold title, a line below the heads, no box."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table


def plain_table(title: str, *, tight: bool = False, heads: bool = True) -> Table:
    """Return an empty table.

    Args:
        title: stands above it, on the left.
        tight: one blank between columns instead of two, for tables of many figures.
        heads: show the heads of the columns.
    """
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 0, 0, 1) if tight else (0, 1),
        show_header=heads,
    )
