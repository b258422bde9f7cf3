"""What each session does: one call of the library, and its output on the terminal.

The flow is imported by the sessions that run, not by this module: ``nox -l`` reads it and needs none of that.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import nox

from diptych.errors import DiptychError
from diptych.matrix import Cell
from diptych.output import Output
from diptych.sessions.hostenv import HostParams, environment_of, told
from diptych.workspace import Workspace

if TYPE_CHECKING:
    from diptych.testing.insource import InSourceJob

T = TypeVar("T")


def or_exit(output: Output, action: Callable[[], T]) -> T:
    """Run ``action``; on an error of ours show it and end the process with its exit code.

    For the noxfile's import, where nox would print a traceback.
    """
    try:
        return action()
    except DiptychError as error:
        output.error(error)
        sys.exit(error.exit_code)


@contextmanager
def session_errors(workspace: Workspace) -> Iterator[None]:
    """Let a session fail with our words, and skip with a reason."""
    with told(workspace):
        yield


def build(session: nox.Session, workspace: Workspace, cell: Cell, params: HostParams) -> None:
    """Build a cell and show its table."""
    from diptych.cell.pipeline import build_cell
    from diptych.cell.stages import examine_cell
    from diptych.cell.summary import artefact_table, preamble
    from diptych.compare.table import cell_table

    environment = environment_of(session, params)
    preamble(workspace, cell, environment)
    if cell.sanitizer:
        examine_cell(workspace, cell, environment)
        return
    built = build_cell(workspace, cell, environment)
    workspace.output.line()
    workspace.output.show(cell_table(built.comparison))
    workspace.output.line()
    workspace.output.show(artefact_table(workspace, [built.record]))


def test(session: nox.Session, workspace: Workspace, cell: Cell, params: HostParams) -> None:
    """Run the in-source tests with the person's own arguments."""
    from diptych.testing.insource import test_by_hand

    job = insource_job(session, workspace, cell, params)
    with tempfile.TemporaryDirectory(prefix="diptych-test-") as results:
        test_by_hand(job, session.posargs, Path(results))


def shell(session: nox.Session, workspace: Workspace, cell: Cell, params: HostParams) -> None:
    """Open a shell, or run the command given after ``--``, with all paths set."""
    from diptych import process
    from diptych.build.toolenv import without_steering
    from diptych.testing.insource import shell_environment

    job = insource_job(session, workspace, cell, params)
    env = {
        **without_steering(workspace.env),
        **cell.settings.env,
        **shell_environment(job, path=workspace.env.get("PATH", "")),
        "DIPTYCH_CELL": cell.id,
    }
    command = session.posargs or [workspace.env.get("SHELL") or "/bin/sh"]
    workspace.output.line(
        f"  {cell.id}: `import {workspace.config.package}` works here, from source; leave with exit"
    )
    done = process.run(command, env=env, cwd=workspace.root, stream=True, check=False)
    if session.posargs and done.returncode:
        session.error(f"the command ended with exit code {done.returncode}")


def verify(session: nox.Session, workspace: Workspace, cell: Cell, _params: HostParams) -> None:
    """Verify both packages of a cell; nox has run its build before, which may have been skipped."""
    from diptych.cell.stages import without_packages
    from diptych.cell.verification import verify_cell
    from diptych.records import read_record

    if cell.sanitizer:
        session.skip(without_packages(cell))
    if read_record(workspace.store, cell.id) is None:
        session.skip(f"{cell.id} is not built")
    verify_cell(workspace, cell)


def compare(session: nox.Session, workspace: Workspace) -> None:
    """Lay every built cell side by side, say which are missing, and leave the page and the JSON in dist/report.

    With ``-- --measure`` both packages of each cell are also measured in clean environments.

    Raises:
        ConfigError: no cell is built, or a waiver is for nothing.
        CompareError: a cell's two packages differ.
    """
    from diptych.cell.summary import artefact_table, matrix_tables
    from diptych.report.files import write_report
    from diptych.report.gather import gather, require_all_equal

    if unknown := [word for word in session.posargs if word != "--measure"]:
        workspace.output.note(f"compare takes --measure after the dashes, nothing else: {' '.join(unknown)}")
    found = gather(workspace, measure="--measure" in session.posargs)
    for table in matrix_tables(workspace, found.comparisons):
        workspace.output.show(table)
    workspace.output.show(artefact_table(workspace, found.records))
    if found.missing:
        workspace.output.note(f"not built: {', '.join(found.missing)}")
    if apart := [cell.id for cell in workspace.cells if cell.sanitizer]:
        workspace.output.note(f"not compared, since no packages are made of them: {', '.join(apart)}")
    page = write_report(workspace, found)
    workspace.output.line(f"  {page} shows it all; report.json beside it is for machines")
    require_all_equal(found.comparisons)


def insource_job(session: nox.Session, workspace: Workspace, cell: Cell, params: HostParams) -> InSourceJob:
    """Compile if needed and return what in-source tests start from."""
    from diptych.cell.stages import stage_of
    from diptych.testing.insource import in_source_job

    environment = environment_of(session, params)
    return in_source_job(
        cell,
        workspace.config,
        environment=environment,
        stage=stage_of(workspace, cell, environment),
        store=workspace.store,
        env=workspace.env,
    )
