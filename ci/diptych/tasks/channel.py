"""``diptych channel``: the local channel."""

from __future__ import annotations

import threading
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from diptych import channel as channels
from diptych.cell.hosts import specs_of, summary_of
from diptych.errors import ConfigError
from diptych.matrix import select as select_cells
from diptych.output import human_size
from diptych.tasks.surface import process_workspace, surface
from diptych.workspace import Workspace

if TYPE_CHECKING:
    from invoke.context import Context


@surface(
    builds=True,
    help={
        "add": "put this .whl or .conda into the channel; repeatable",
        "fill": "make what the selected cells need",
        "rebuild": "make everything that was ever asked for again",
        "select": "with --fill: only cells that match; repeatable",
        "serve": "serve the channel over HTTP on 127.0.0.1 at this port, until Ctrl-C",
        "json": "print JSON instead of a table",
    },
    iterable=["add", "select"],
)
def channel(
    _context: Context,
    add: list[str],
    select: list[str],
    fill: bool = False,  # noqa: FBT001, FBT002 -- an invoke flag
    rebuild: bool = False,  # noqa: FBT001, FBT002 -- as above
    serve: int = 0,
    json: bool = False,  # noqa: FBT001, FBT002 -- as above
) -> None:
    """List the local channel, add to it, fill it, rebuild or serve it."""
    workspace = process_workspace()
    root = workspace.store.root / "channel"
    for name in add:
        _add(root, Path(name), workspace)
    if fill or select:
        _fill(workspace, root, select)
    if rebuild:
        channels.rebuild(root=root, store=workspace.store, env=workspace.env, say=workspace.output.note)
    if serve:
        _serve(workspace, root, serve)
        return
    _list(workspace, root, as_json=json)


def _add(root: Path, path: Path, workspace: Workspace) -> None:
    if path.suffix not in {".whl", ".conda"}:
        raise ConfigError(f'"{path}" is neither a .whl nor a .conda file')
    if not path.is_file():
        raise ConfigError(f'there is no file "{path}"')
    channels.add(
        path,
        root=root,
        store=workspace.store,
        env=workspace.env,
        say=workspace.output.note,
        python=workspace.cells[0].python,
    )


def _fill(workspace: Workspace, root: Path, select: list[str]) -> None:
    chosen = select_cells(workspace.cells, select) if select else workspace.cells
    for cell in chosen:
        with workspace.output.step(cell.id) as step:
            made = channels.ensure(
                specs_of(cell, workspace.config.project),
                python=cell.python,
                root=root,
                store=workspace.store,
                env=workspace.env,
                say=step.progress,
            )
            step.text, step.kept = summary_of(made), not any(one.made for one in made.packages)


def _serve(workspace: Workspace, root: Path, port: int) -> None:
    with channels.serve(root, port=port) as url:
        workspace.output.line(f"serving {url} (Ctrl-C ends)")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            workspace.output.line("ended")


def _list(workspace: Workspace, root: Path, *, as_json: bool) -> None:
    from diptych.tables import plain_table  # noqa: PLC0415 -- not needed for --json

    rows = channels.listing(root)
    if as_json:
        workspace.output.json([asdict(row) for row in rows])
        return
    table = plain_table(f"local channel {root.as_uri()}")
    for name in ("name", "version", "build", "size", "origin"):
        table.add_column(name, overflow="fold", justify="right" if name == "size" else "left")
    for row in rows:
        table.add_row(row.name, row.version, row.build, human_size(row.size), row.origin)
    workspace.output.show(table)
