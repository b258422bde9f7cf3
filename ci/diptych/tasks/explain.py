"""``diptych explain``: one rule or symptom at length, or all in a list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from invoke.context import Context

from diptych.tasks.surface import process_output, surface
from diptych.tasks.words import WordsTask

if TYPE_CHECKING:
    from diptych.doctor.text import Line
    from diptych.doctor.triage import Symptom
    from diptych.rules import Rule


@surface(
    klass=WordsTask, help={"words": "codes such as DIP101 or LOG307; none lists all"}, iterable=["words"]
)
def explain(_context: Context, words: list[str]) -> None:
    """Explain a finding's code: what, why, how to mend, where it is known from."""
    from diptych.doctor.triage import symptoms  # noqa: PLC0415 -- a listing needs no rules
    from diptych.rules import all_rules, rule_named  # noqa: PLC0415 -- as above

    known = {symptom.code: symptom for symptom in symptoms()}
    lines: list[Line] = []
    for word in words:
        symptom = known.get(word.upper())
        lines += _symptom(symptom) if symptom else _rule(rule_named(word))
    if not words:
        lines += _list(all_rules(), symptoms())
    output = process_output()
    for line in lines:
        output.line(line.text, style=line.style or None)


def _rule(rule: Rule) -> Iterator[Line]:
    from diptych.doctor.text import Line, wrapped  # noqa: PLC0415 -- as above

    yield Line(text=f"{rule.code} {rule.title} ({rule.severity.value})", style="bold")
    yield Line(text=f"{rule.family}")
    parts = (("", rule.what), ("Why", rule.why), ("How to mend", rule.mend), ("Source", rule.source))
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


def _list(rules: tuple[Rule, ...], symptoms: tuple[Symptom, ...]) -> Iterator[Line]:
    from diptych.doctor.text import Line  # noqa: PLC0415 -- as above

    family = ""
    for rule in rules:
        if rule.family != family:
            family = rule.family
            yield Line(text=family, style="bold")
        yield Line(text=f"  {rule.code} {rule.severity.value:<5} {rule.title}")
    yield Line(text="symptoms in logs (doctor --log)", style="bold")
    for symptom in symptoms:
        yield Line(text=f"  {symptom.code} {symptom.title}")
