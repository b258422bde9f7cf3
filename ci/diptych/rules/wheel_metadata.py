"""DIP523: what METADATA, WHEEL and entry_points.txt say in a form that installers refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator

from diptych.rules import conditions
from diptych.rules.container import ContainerFacts
from diptych.rules.evidence import Evidence
from diptych.rules.model import Finding, Severity, rule

_VERSION = re.compile(r"(\d+)\.(\d+)")
_SECTION = re.compile(r"\s*\[(.+)\]\s*")
_SCRIPT = re.compile(r"\s*[^=\s\[][^=]*=\s*[\w.]+:[\w.]+\s*(\[[^\]]*\])?\s*")
_SIMPLE = re.compile(
    r"[A-Za-z0-9][\w.-]*(\s*\[[\w., -]*\])?(\s*[(]?\s*(===|[<>=!~]=|[<>])\s*[\w.*+!-]+\s*[)]?)?\s*"
)
"""Most requirements, and only right ones; the others are for the packaging library."""


@rule("DIP523", "metadata that installers refuse", Severity.ERROR, conditions.wheel)
def refused(evidence: Evidence) -> Iterator[Finding]:
    """A Wheel-Version, a Requires-Dist or the entry point of a script is not written as the specifications ask.

    Why: pip refuses the whole wheel: "Wheel is missing Wheel-Version", "incompatible with this version of pip", "Invalid requirement",
    "A callable suffix is required". A newer minor Wheel-Version is a warning of pip's, and a drift here.

    Mend: let the build backend write these files; a script is `name = package.module:function`, a requirement what PEP 508 allows.

    Not seen: whether the function of an entry point exists; entry points of other groups than scripts; the other fields.

    Source: binary distribution format, "File contents"; PEP 508; entry points specification; pip 26, `_internal/operations/install/wheel.py`.
    """
    facts = evidence.container
    if facts is None or not facts.dist_info:
        return
    yield from _wheel_version(facts)
    for text in facts.metadata.get("requires-dist", ()):
        if problem := _requirement_problem(text):
            yield Finding(
                place=f"{facts.dist_info}/METADATA",
                message=f'Requires-Dist "{text}" is no requirement',
                evidence=tuple(problem.splitlines()),
            )
    for line in _scripts(facts.entry_points):
        if not _SCRIPT.fullmatch(line):
            yield Finding(
                place=f"{facts.dist_info}/entry_points.txt",
                message=f'the script "{line.strip()}" names no function',
                evidence=("name = package.module:function",),
            )


def _wheel_version(facts: ContainerFacts) -> Iterator[Finding]:
    said = facts.wheel.get("wheel-version", ("",))[0]
    match = _VERSION.fullmatch(said)
    if match is None or int(match[1]) > 1:
        problem = f"Wheel-Version is {said}" if said else "WHEEL has no Wheel-Version"
        yield Finding(place=f"{facts.dist_info}/WHEEL", message=problem, evidence=("1.0 is known",))
    elif match[0] != "1.0":
        yield Finding(
            given=Severity.DRIFT, place=f"{facts.dist_info}/WHEEL", message=f"Wheel-Version is {said}"
        )


def _requirement_problem(text: str) -> str:
    """Return what is wrong with a requirement."""
    if _SIMPLE.fullmatch(text):
        return ""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 -- most wheels do without

    try:
        Requirement(text)
    except InvalidRequirement as error:
        return str(error)
    return ""


def _scripts(text: str) -> Iterator[str]:
    """Yield the lines of entry_points.txt that become scripts."""
    group = ""
    for line in text.splitlines():
        if found := _SECTION.fullmatch(line):
            group = found[1].strip()
        elif line.strip() and line.lstrip()[0] not in "#;" and group in {"console_scripts", "gui_scripts"}:
            yield line
