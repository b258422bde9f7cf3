"""``diptych plan``: every cell as a job, for any engine that fans out."""

from __future__ import annotations

import json as json_text
from collections.abc import Sequence
from typing import TYPE_CHECKING

from diptych.matrix import Platform
from diptych.tasks.surface import process_workspace, surface
from diptych.workspace import Workspace

if TYPE_CHECKING:
    from invoke.context import Context

PLATFORM_HELP = "conda's name of a platform, such as osx-arm64; repeatable; default: that of this machine"


@surface(
    help={
        "json": "print a JSON object a line, for parallel jobs of any engine",
        "platform": PLATFORM_HELP,
        "shard": "only part i/n of the cells, such as 1/2",
    },
    iterable=["platform"],
)
def plan(
    _context: Context,
    platform: list[str],
    shard: str = "",
    json: bool = False,  # noqa: FBT001, FBT002 -- an invoke flag
) -> None:
    """List the jobs: cell, machine, packages of the compiler, command; contacts nobody."""
    from diptych.fanout import plan as plans  # noqa: PLC0415 -- a listing of tasks needs no plan

    workspace = process_workspace()
    jobs = plans.plan(workspace.config, platforms_of(workspace, platform))
    jobs = plans.shard(jobs, shard) if shard else jobs
    if json:
        for job in jobs:
            workspace.output.raw(json_text.dumps(job.to_json()) + "\n")
        return
    from diptych.tables import plain_table  # noqa: PLC0415 -- not needed for --json

    table = plain_table(f"{workspace.config.project.name}: {len(jobs)} jobs")
    for name in ("cell", "platform", "GitHub machine", "packages", "command"):
        table.add_column(name, overflow="fold")
    for job in jobs:
        shown = job.to_json()
        table.add_row(*(shown[key] or "-" for key in ("id", "platform", "runner", "packages", "command")))
    workspace.output.show(table)


def platforms_of(workspace: Workspace, names: Sequence[str]) -> tuple[Platform, ...]:
    """Return the platforms of a command line, by default the one of this machine.

    Raises:
        UnsupportedError: one is not known.
    """
    from diptych.fanout.runners import platform_named  # noqa: PLC0415 -- as above

    return tuple(map(platform_named, names)) or tuple(
        dict.fromkeys(cell.platform for cell in workspace.cells)
    )
