"""``diptych workflow``: the GitHub Actions workflow, written from the table or held against it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diptych.tasks.surface import process_workspace, surface

if TYPE_CHECKING:
    from invoke.context import Context


@surface(
    help={
        "check": "write nothing; end with 3 and the difference when a file is not as the table asks",
        "platform": "conda's name of a platform, such as osx-arm64; repeatable; default: those of the workflow there now",
    },
    iterable=["platform"],
)
def workflow(_context: Context, platform: list[str], check: bool = False) -> None:  # noqa: FBT001, FBT002 -- an invoke flag
    """Write .github/workflows/diptych.yml from the table, or --check that it is current."""
    from diptych.workflow import write  # noqa: PLC0415 -- a listing of tasks needs no plan

    workspace = process_workspace()
    files = write.texts(workspace.config, tuple(platform), workspace.cells[0].platform)
    if check:
        write.check(workspace.root, files)
        workspace.output.line(f"current: {', '.join(map(str, files))}")
        return
    written = write.write(workspace.root, files)
    for path in files:
        workspace.output.line(f"{'wrote' if path in written else 'unchanged:'} {path}")
