"""The doctor's look at what a cell left, before it goes to ``dist/``: told, with the errors first."""

from __future__ import annotations

from pathlib import Path

from diptych.annotations import Level
from diptych.doctor import examine, find_target
from diptych.rules import Severity, all_rules
from diptych.workspace import Workspace

_LEVELS: dict[Severity, Level] = {
    Severity.ERROR: "error",
    Severity.DRIFT: "warning",
    Severity.NOTE: "notice",
}


def judge_packages(workspace: Workspace, packages: tuple[Path, ...]) -> None:
    """Hold the finished packages against every rule, and say what is found.

    It does not stop the cell: *verify* proves what works. A rule knows what tends to break elsewhere, and a library
    that the table excludes on purpose is one that a rule misses.
    """
    with workspace.output.step("judge") as step:
        targets = [find_target(str(path), cwd=workspace.root, search=[]) for path in packages]
        rules = all_rules()
        report = examine(targets, rules=rules, host=None)
        counts = [f"{report.count(severity)} {severity.value}s" for severity in Severity]
        step.text = f"{len(rules)} rules: {', '.join(counts)}"
    for finding in report.findings:
        workspace.output.annotate(
            _LEVELS[finding.severity], f"{finding.place}: {finding.message}", title=finding.code
        )
        if finding.severity is Severity.ERROR:
            workspace.output.note(
                f"{finding.code} {finding.place}: {finding.message} (diptych explain {finding.code})"
            )
