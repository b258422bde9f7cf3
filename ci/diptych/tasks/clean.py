"""``diptych clean``: remove what Diptych made, after showing what that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diptych.cell.cleaning import apply_clean, plan_clean
from diptych.output import human_size
from diptych.tasks.surface import process_workspace, surface

if TYPE_CHECKING:
    from invoke.context import Context


@surface(
    help={
        "yes": "act; without it the plan is only shown",
        "channel": "also the local channel with its downloads",
        "dist": "also the packages in dist/ that Diptych made",
        "json": "print the plan as JSON",
    }
)
def clean(
    _context: Context,
    yes: bool = False,  # noqa: FBT001, FBT002 -- an invoke flag
    channel: bool = False,  # noqa: FBT001, FBT002 -- as above
    dist: bool = False,  # noqa: FBT001, FBT002 -- as above
    json: bool = False,  # noqa: FBT001, FBT002 -- as above
) -> None:
    """Show what would be removed; remove it with --yes."""
    workspace = process_workspace()
    plan = plan_clean(workspace, channel=channel, dist=dist)
    output = workspace.output
    if json:
        output.json([{"path": str(one.path), "what": one.why, "bytes": one.size} for one in plan])
    for one in plan if not json else ():
        output.line(f"  {human_size(one.size):>9}  {one.path.relative_to(workspace.root)}  ({one.why})")
    if yes:
        apply_clean(plan, workspace)
    if not json:
        total = human_size(sum(one.size for one in plan))
        if not plan:
            output.line("nothing to remove")
        else:
            output.line(f"removed {total}" if yes else f"{total} would be removed; run again with --yes")
