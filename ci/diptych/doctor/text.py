"""A report for a person, in 80 columns: what, the evidence, the cause, the next step."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from diptych.doctor.examine import Report
from diptych.rules import Finding, Judged, Rule, Severity

_WIDTH = 80
_PLACES = 4
_STYLES = {Severity.ERROR: "bold red", Severity.DRIFT: "yellow", Severity.NOTE: "cyan"}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line, and how it is shown."""

    text: str = ""
    style: str = ""


def report_lines(report: Report) -> Iterator[Line]:
    """Yield the report: by target, findings of one rule and message together, worst first."""
    rules = {rule.code: rule for rule in report.rules}
    for judged in report.judged:
        yield from _target(judged, rules)
    yield Line(text=summary(report), style="bold")


def summary(report: Report) -> str:
    """Return the last line: how many of each."""
    counts = ", ".join(_plural(report.count(severity), severity.value) for severity in Severity)
    return f"{counts} in {_plural(len(report.judged), 'target')}"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _target(judged: Judged, rules: dict[str, Rule]) -> Iterator[Line]:
    evidence = judged.evidence
    yield from wrapped(evidence.target, "", style="bold")
    count = len(evidence.items)
    binaries = "1 binary" if count == 1 else f"{count} binaries"
    looked = len(rules) - len(judged.skipped)
    yield Line(
        text=f"  {evidence.kind}, {binaries}; {looked} of {_plural(len(rules), 'rule')} had something to look at"
    )
    for line in judged.unseen:
        yield from wrapped(f"not looked at: {line}", "  ", hang="    ")
    yield Line()
    for group in _groups(judged.findings):
        yield from _group(group, rules[group[0].code])
        yield Line()


def _groups(findings: tuple[Finding, ...]) -> list[list[Finding]]:
    groups: dict[tuple[str, Severity, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.code, finding.severity, finding.message), []).append(finding)
    return list(groups.values())


def _group(group: list[Finding], rule: Rule) -> Iterator[Line]:
    first = group[0]
    title = f"{first.code} {first.severity.value}: {first.message}"
    yield from wrapped(title, "", hang="  ", style=f"{_STYLES[first.severity]} link {rule.page}")
    places = list(dict.fromkeys(finding.place for finding in group if finding.place))
    for place in places[:_PLACES]:
        yield from wrapped(place, "  ", hang="    ")
    if len(places) > _PLACES:
        yield Line(text=f"  and {len(places) - _PLACES} more")
    for line in first.evidence:
        if line not in {f"in {place}" for place in places}:
            yield from wrapped(line, "    ", hang="      ")
    yield from wrapped(_beginning(rule.why, 2), "  cause: ", hang="         ")
    yield from wrapped(first.next_step or _beginning(rule.mend, 1), "  next:  ", hang="         ")


def _beginning(text: str, sentences: int) -> str:
    """Return a paragraph's first sentences: a full stop that a capital follows ends one."""
    parts = re.split(r"(?<=[.)])\s+(?=[A-Z])", text)
    return " ".join(parts[:sentences])


def wrapped(text: str, indent: str, *, hang: str = "", style: str = "") -> Iterator[Line]:
    """Yield a paragraph in 80 columns; a longer word (a path) gets a line of its own."""
    for line in textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=hang or indent,
        break_on_hyphens=False,
        break_long_words=False,
    ) or [indent.rstrip()]:
        yield Line(text=line, style=style)
