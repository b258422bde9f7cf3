"""A release for a person at a terminal, and as plain values for a program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diptych.output import Output, human_size
from diptych.release.model import Check
from diptych.release.planning import ReleasePlan, ReleaseRequest
from diptych.release.run import Outcome

SCHEMA = 1


def show_plan(output: Output, project: str, planned: ReleasePlan, request: ReleaseRequest) -> None:
    """Print what will be built, checked and sent where."""
    from diptych.tables import plain_table  # noqa: PLC0415 -- not needed for --json

    cells = ", ".join(job.name for job in planned.jobs)
    source = (
        f"taken from {', '.join(map(str, request.pieces))}" if request.pieces else "built and verified here"
    )
    places = (
        " · ".join(one.name for one in planned.destinations) or "nowhere: no index and no channel is named"
    )
    sent = "sent to" if request.publish else "would be sent to"
    table = plain_table(f"release of {project} {planned.version}", heads=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("commit", f"{planned.commit[:12] or 'none'}, tag {planned.tag}")
    table.add_row("cells", f"{cells} ({source})")
    table.add_row("laid out in", str(request.out))
    table.add_row(sent, places)
    output.show(table)
    show_checks(output, planned.checks)


def show_checks(output: Output, checks: Sequence[Check]) -> None:
    """Print a line a check; the faults in full come with the error at the end."""
    for check in checks:
        mark, style = ("ok", "green") if not check.fault else ("no", "red")
        output.line(f"  {mark}  {check.name:<13} {check.detail}", style=style)


def show_outcome(output: Output, outcome: Outcome, *, published: bool) -> None:
    """Print every artefact, its size, and how it stands to where it goes."""
    from diptych.tables import plain_table  # noqa: PLC0415 -- as above

    there = {one.item.name: one for one in outcome.statuses}
    table = plain_table("artefacts")
    for title in ("file", "size", "sha256", "state"):
        table.add_column(title, overflow="fold", justify="right" if title == "size" else "left")
    for item in outcome.release.items:
        state = there[item.name].state.value if item.name in there else "goes nowhere"
        table.add_row(item.name, human_size(item.size), item.sha256[:12], state)
    output.show(table)
    if not published and not any(check.fault for check in outcome.checks):
        output.line(f"  {outcome.release.folder}: nothing was sent (--publish sends)")


def to_json(planned: ReleasePlan, outcome: Outcome | None, *, published: bool) -> dict[str, Any]:
    """Return plan and outcome as plain values."""
    checks = outcome.checks if outcome else planned.checks
    return {
        "schema": SCHEMA,
        "version": planned.version,
        "tag": planned.tag,
        "commit": planned.commit,
        "cells": [job.name for job in planned.jobs],
        "destinations": [one.name for one in planned.destinations],
        "published": published,
        "checks": [{"name": one.name, "detail": one.detail, "fault": one.fault} for one in checks],
        "folder": str(outcome.release.folder) if outcome else None,
        "artefacts": _artefacts(outcome) if outcome else [],
    }


def _artefacts(outcome: Outcome) -> list[dict[str, Any]]:
    there = {one.item.name: one for one in outcome.statuses}
    return [
        {
            "kind": item.kind.name.lower(),
            "file": item.name,
            "sha256": item.sha256,
            "size": item.size,
            "destination": there[item.name].destination if item.name in there else None,
            "state": there[item.name].state.value if item.name in there else None,
        }
        for item in outcome.release.items
    ]
