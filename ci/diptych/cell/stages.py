"""The two stages that need no packaging: compile, and test in source; each with its line on the terminal."""

from __future__ import annotations

from diptych.build.stage import Stage, compile_job, compile_stage
from diptych.cell.abi import check_abi
from diptych.cell.forecast import forecast_floor
from diptych.environments import Environment
from diptych.matrix import Cell
from diptych.sanitizers import NAMES
from diptych.testing.insource import InSource, in_source_job, test_in_source
from diptych.workspace import Workspace


def stage_of(workspace: Workspace, cell: Cell, environment: Environment, *, shipped: bool = False) -> Stage:
    """Compile the cell if needed, with a line that says so.

    Args:
        workspace: the checkout.
        cell: the cell.
        environment: its host environment.
        shipped: packages are made of it, so it is said before whether the compiler can keep the cell's floor.

    Raises:
        HostEnvironmentError: a host package was compiled for another C++ standard library.
        PackageError: a host package cannot keep the cell's floor.
        MissingToolError, CompileError, LinkageError: as the compile stage says.
    """
    compiler = workspace.compiler_of(cell, prefix=environment.prefix)
    check_abi(cell, compiler, environment)
    if shipped and cell.settings.floor and cell.platform.startswith("linux"):
        with workspace.output.step("floor") as step:
            forecast = forecast_floor(cell, compiler, environment, workspace.env)
            if forecast:
                step.text, step.more = forecast.sentence, forecast.newer
    job = compile_job(
        cell,
        workspace.config,
        environment=environment,
        compiler=compiler,
        store=workspace.store,
        env=workspace.env,
    )
    with workspace.output.step("compile") as step:
        stage = compile_stage(job)
        step.text = f"{compiler.family} {compiler.version}, {compiler.library} {compiler.library_version}"
        step.kept = stage.kept
        if stage.objects.taken:
            of = stage.objects.taken + stage.objects.compiled
            step.text += f", {stage.objects.taken} of {of} objects from the cache"
    return stage


def tests_of(workspace: Workspace, cell: Cell, environment: Environment, stage: Stage) -> InSource:
    """Run the in-source tests unless they passed with these inputs, with a line that says so.

    Raises:
        TestsFailedError, LinkageError: as :func:`diptych.testing.insource.test_in_source` says.
    """
    with workspace.output.step("test in source") as step:
        result = test_in_source(
            in_source_job(
                cell,
                workspace.config,
                environment=environment,
                stage=stage,
                store=workspace.store,
                env=workspace.env,
            )
        )
        count = "passed" if result.tests is None else f"{result.tests} tests passed"
        under = f" under {NAMES[cell.sanitizer]}, which found nothing" if cell.sanitizer else ""
        step.text = (
            f"{count}{under}, {len(result.libraries)} libraries loaded, all of this cell or the system"
        )
        step.kept = result.kept
    return result


def examine_cell(workspace: Workspace, cell: Cell, environment: Environment) -> InSource:
    """Take the cell of a sanitizer from sources to its tests in source, where it ends.

    Raises:
        MissingToolError, CompileError, LinkageError: as :func:`stage_of` says.
        TestsFailedError: the tests failed, or the sanitizer has found something.
    """
    done = tests_of(workspace, cell, environment, stage_of(workspace, cell, environment))
    workspace.output.note(f"{without_packages(cell)}, so there is nothing to verify, compare or release")
    return done


def without_packages(cell: Cell) -> str:
    """Say why no package is made of the cell of a sanitizer."""
    return f"no package is made of {cell.id}: its tests run under {NAMES[cell.sanitizer] if cell.sanitizer else 'nothing'}"
