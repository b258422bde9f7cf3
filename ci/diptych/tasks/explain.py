"""``diptych explain``: one rule or symptom at length, or all in a list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from diptych.tasks.surface import process_output, surface

if TYPE_CHECKING:
    from invoke.context import Context

    from diptych.compare.model import Rule as ComparisonRule
    from diptych.doctor.text import Line
    from diptych.doctor.triage import Symptom
    from diptych.rules import Rule


@surface(help={"words": "codes such as DIP101 or LOG307; none lists all"})
def explain(_context: Context, words: list[str]) -> None:
    """Explain a finding's code: what, why, how to mend, where it is known from."""
    from diptych import compare  # noqa: PLC0415 -- as above
    from diptych.doctor.triage import symptoms  # noqa: PLC0415 -- a listing needs no rules
    from diptych.rules import all_rules, rule_named  # noqa: PLC0415 -- as above

    compared = {rule.code: rule for rule in compare.all_rules()}
    known = {symptom.code: symptom for symptom in symptoms()}
    lines: list[Line] = []
    for word in words:
        symptom = known.get(word.upper())
        lines += _symptom(symptom) if symptom else _rule(compared.get(word.upper()) or rule_named(word))
    if not words:
        lines += _list((*all_rules(), *compared.values()), symptoms())
    output = process_output()
    for line in lines:
        output.line(line.text, style=line.style or None)


def _rule(rule: Rule | ComparisonRule) -> Iterator[Line]:
    from diptych.doctor.text import Line, wrapped  # noqa: PLC0415 -- as above

    yield Line(text=f"{rule.code} {rule.title} ({rule.severity.value})", style="bold")
    yield Line(text=f"{rule.family}")
    not_seen = [("Not seen", rule.not_seen)] if rule.not_seen else []
    parts = (
        ("", rule.what),
        ("Why", rule.why),
        ("How to mend", rule.mend),
        *not_seen,
        ("Source", rule.source),
    )
    for title, text in parts:
        yield Line()
        if title:
            yield Line(text=title, style="bold")
        yield from wrapped(text, "  ")
    yield Line()


def _symptom(symptom: Symptom) -> Iterator[Line]:
    from diptych.doctor.text import Line, wrapped  # noqa: PLC0415 -- as above

    yield Line(text=f"{symptom.code} {symptom.title} (symptom in a log)", style="bold")
    parts = (("Cause", symptom.cause), ("Fix", symptom.fix), ("Rules", ", ".join(symptom.rules)))
    for title, text in (*parts, ("Source", symptom.source)):
        yield Line()
        yield Line(text=title, style="bold")
        yield from wrapped(text, "  ")
    yield Line()


def _list(rules: Sequence[Rule | ComparisonRule], symptoms: tuple[Symptom, ...]) -> Iterator[Line]:
    from diptych.doctor.text import Line  # noqa: PLC0415 -- as above

    family = ""
    for rule in rules:
        if rule.family != family:
            family = rule.family
            yield Line(text=family, style="bold")
        yield Line(text=f"  {rule.code} {rule.severity.value:<8} {rule.title}")
    yield Line(text="symptoms in logs (doctor --log)", style="bold")
    for symptom in symptoms:
        yield Line(text=f"  {symptom.code} {symptom.title}")
