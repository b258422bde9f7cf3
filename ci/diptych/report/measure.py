"""The measured costs of built cells, put into the facts of their comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from diptych.cell.verification import plain_python
from diptych.compare import Comparison
from diptych.cost import CostJob, Costs, kept, measured
from diptych.matrix import find
from diptych.records import CellRecord
from diptych.workspace import Workspace


def with_costs(
    workspace: Workspace, records: Sequence[CellRecord], comparisons: Sequence[Comparison], *, measure: bool
) -> tuple[Comparison, ...]:
    """Return the comparisons with both packages' costs among their facts.

    Args:
        workspace: the checkout.
        records: of the built cells.
        comparisons: of the same cells.
        measure: measure what no earlier run has; else only figures that are kept appear.

    Raises:
        MissingToolError: this machine has no plain interpreter of a cell's version.
        PackageError, HostEnvironmentError: a package cannot be installed or imported.
        TestsFailedError: the project's benchmark failed.
    """
    found = []
    for record, comparison in zip(records, comparisons, strict=True):
        cell = find(workspace.cells, record.cell)
        job = CostJob(
            cell=cell,
            config=workspace.config,
            wheel=record.wheel.path,
            conda=record.conda_packages,
            channels=record.channels,
            store=workspace.store,
            env=workspace.env,
        )
        costs = _measured(workspace, job) if measure else kept(job)
        facts = {**comparison.facts, "cost": costs.to_json()} if costs else comparison.facts
        found.append(replace(comparison, facts=facts))
    return tuple(found)


def _measured(workspace: Workspace, job: CostJob) -> Costs:
    with workspace.output.step(f"cost {job.cell.id}") as step:
        step.progress("installing and timing both packages in clean environments")
        costs, step.kept = measured(job, plain_python(workspace, job.cell))
        left, right = costs.left, costs.right
        step.text = (
            f"import {left.import_seconds * 1000:.0f} | {right.import_seconds * 1000:.0f} ms, "
            f"install {left.install_seconds:.1f} | {right.install_seconds:.1f} s"
        )
    return costs
