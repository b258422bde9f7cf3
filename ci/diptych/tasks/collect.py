"""``diptych collect``: the pieces of all machines, put together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from diptych.errors import ConfigError
from diptych.output import many
from diptych.tasks.plan import PLATFORM_HELP, platforms_of
from diptych.tasks.surface import process_workspace, surface
from diptych.workspace import Workspace

if TYPE_CHECKING:
    from invoke.context import Context

    from diptych.fanout.collect import Placed


@surface(
    help={
        "words": "pieces that `diptych cell` left, or folders of them",
        "out": "where the packages go (default: dist)",
        "platform": PLATFORM_HELP,
        "report": "also compare wheel and conda package of every cell: OUT/report, and the summary of the job",
    },
    iterable=["platform"],
)
def collect(
    _context: Context,
    words: list[str],
    platform: list[str],
    out: str = "dist",
    report: bool = False,  # noqa: FBT001, FBT002 -- an invoke flag
) -> None:
    """Check pieces against the plan (missing, doubled, tampered with, foreign), then lay them out as packages to ship."""
    if not words:
        raise ConfigError("no folder given", hint="diptych collect DIR…: what `diptych cell --out` left")
    workspace = process_workspace()
    from diptych.fanout.collect import collect as collect_pieces  # noqa: PLC0415 -- a listing needs none of it
    from diptych.fanout.collect import summary_of  # noqa: PLC0415 -- as above

    target = Path.cwd() / out
    placed = collect_pieces(
        workspace,
        [Path.cwd() / word for word in words],
        platforms=platforms_of(workspace, platform),
        out=target,
    )
    workspace.output.line(f"  {target}: {many(len(placed), 'cell')} put together")
    workspace.output.summary(summary_of(placed))
    if report:
        _report(workspace, placed, target)


def _report(workspace: Workspace, placed: Sequence[Placed], out: Path) -> None:
    """Compare wheel and conda package of every cell; the page and the JSON go beside the packages.

    Raises:
        CompareError: a cell's two packages differ.
    """
    from diptych.fanout.compared import compare_collected  # noqa: PLC0415 -- as above
    from diptych.report.gather import require_all_equal  # noqa: PLC0415 -- as above
    from diptych.report.markdown import markdown_of  # noqa: PLC0415 -- as above

    comparisons, document = compare_collected(workspace, placed, out)
    workspace.output.summary(markdown_of(document))
    workspace.output.line(f"  {out / 'report' / 'index.html'} shows them side by side")
    require_all_equal(comparisons)
