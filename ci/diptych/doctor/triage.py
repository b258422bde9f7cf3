"""An error text in, causes out: known symptom lines, and the binary that proves it when one is given."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from diptych.doctor.examine import Report
from diptych.doctor.text import Line, wrapped
from diptych.output import many
from diptych.rules import Item

_MAX_LINE = 4000
_SHOWN = 5
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True, kw_only=True)
class Symptom:
    """A known error text; the data stand in ``data/symptoms.json``.

    Attributes:
        code: like ``LOG101``.
        title: a few words.
        patterns: regular expressions; groups ``library``, ``symbol``, ``version``, ``file`` say what it is about.
        cause: why it happens.
        fix: what to do.
        rules: the rules that find it in binaries.
        source: threads and documents.
        instead_of: symptoms that it explains better, where another line of the same text shows these.
    """

    code: str
    title: str
    patterns: tuple[re.Pattern[str], ...]
    cause: str
    fix: str
    rules: tuple[str, ...]
    source: str
    instead_of: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Match:
    """A symptom that a text shows.

    Attributes:
        symptom: which.
        number: line number of its first occurrence.
        line: that line.
        about: what the text names: a library, symbol, version or file.
        count: how many lines show it.
        proof: what in the given binaries goes with it.
    """

    symptom: Symptom
    number: int
    line: str
    about: tuple[str, ...] = ()
    count: int = 1
    proof: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Triage:
    """What a text shows.

    Attributes:
        matches: in order of appearance.
        lines: how many lines were read.
        with_binaries: whether there was something to prove it with.
    """

    matches: tuple[Match, ...]
    lines: int
    with_binaries: bool

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "lines": self.lines,
            "symptoms": [
                {
                    "code": match.symptom.code,
                    "title": match.symptom.title,
                    "line": match.number,
                    "text": match.line,
                    "count": match.count,
                    "about": list(match.about),
                    "cause": match.symptom.cause,
                    "fix": match.symptom.fix,
                    "rules": list(match.symptom.rules),
                    "proof": list(match.proof),
                    "source": match.symptom.source,
                }
                for match in self.matches
            ],
        }


@functools.cache
def symptoms() -> tuple[Symptom, ...]:
    """Return all known symptoms; of two that fit a line the first counts."""
    text = resources.files("diptych").joinpath("data/symptoms.json").read_text(encoding="utf-8")
    return tuple(
        Symptom(
            code=one["code"],
            title=one["title"],
            patterns=tuple(re.compile(pattern) for pattern in one["patterns"]),
            cause=one["cause"],
            fix=one["fix"],
            rules=tuple(one["rules"]),
            source=one["source"],
            instead_of=tuple(one.get("instead_of", ())),
        )
        for one in json.loads(text)["symptoms"]
    )


def triage(text: str, report: Report) -> Triage:
    """Look for known symptoms in a text.

    Args:
        text: a log, or one line of it.
        report: on the binaries given with it; may be of none.
    """
    found: dict[str, Match] = {}
    lines = text.splitlines()
    for number, raw in enumerate(lines, 1):
        line = _ESCAPES.sub("", raw[:_MAX_LINE])
        hit = _first(line)
        if hit is None:
            continue
        symptom, about = hit
        known = found.get(symptom.code)
        if known is None:
            known = Match(symptom=symptom, number=number, line=line.strip(), count=0)
        found[symptom.code] = Match(
            symptom=symptom,
            number=known.number,
            line=known.line,
            about=tuple(dict.fromkeys((*known.about, *about))),
            count=known.count + 1,
        )
    explained = {code for match in found.values() for code in match.symptom.instead_of}
    proven = tuple(_proven(match, report) for code, match in found.items() if code not in explained)
    return Triage(matches=proven, lines=len(lines), with_binaries=bool(report.judged))


def _first(line: str) -> tuple[Symptom, tuple[str, ...]] | None:
    for symptom in symptoms():
        for pattern in symptom.patterns:
            if match := pattern.search(line):
                return symptom, tuple(value for value in match.groupdict().values() if value)
    return None


def _proven(match: Match, report: Report) -> Match:
    """Add what the binaries show: findings of the symptom's rules, and who names what the text is about."""
    proof: list[str] = []
    for judged in report.judged:
        for finding in judged.findings:
            if finding.code in match.symptom.rules:
                place = f"{finding.place}: " if finding.place else ""
                proof.append(f"{finding.code} {place}{finding.message}")
        for item in judged.evidence.items:
            proof += _named(item, match.about)
    return Match(
        symptom=match.symptom,
        number=match.number,
        line=match.line,
        about=match.about,
        count=match.count,
        proof=tuple(dict.fromkeys(proof)),
    )


def _named(item: Item, about: Sequence[str]) -> Iterator[str]:
    for word in about:
        leaf = word.rpartition("/")[2]
        for name in item.binary.needed:
            if leaf and name.rpartition("/")[2] == leaf:
                yield f"{item.label} needs {name}"
        for need in item.binary.version_needs:
            if need.version == word:
                yield f"{item.label} needs {word} of {need.library}"


def triage_lines(found: Triage) -> Iterator[Line]:
    """Yield the result for a person, in 80 columns."""
    for match in found.matches:
        times = f" ({match.count} lines)" if match.count > 1 else ""
        yield from wrapped(f"{match.symptom.code}: {match.symptom.title}{times}", "", style="bold red")
        yield from wrapped(f"line {match.number}: {match.line}", "  ", hang="    ")
        if match.about:
            yield from wrapped(", ".join(match.about[:_SHOWN]), "  names: ", hang="         ")
        yield from wrapped(match.symptom.cause, "  cause: ", hang="         ")
        yield from wrapped(match.symptom.fix, "  next:  ", hang="         ")
        for line in match.proof[:_SHOWN]:
            yield from wrapped(line, "  proof: ", hang="         ")
        if len(match.proof) > _SHOWN:
            yield Line(text=f"         and {len(match.proof) - _SHOWN} more")
        if found.with_binaries and not match.proof:
            yield Line(text="  proof: none in the binaries given; the fault lies elsewhere")
        yield from wrapped(
            f"rules: {', '.join(match.symptom.rules)}; see {match.symptom.source}", "  ", hang="    "
        )
        yield Line()
    if not found.matches:
        yield Line(text=f"{many(found.lines, 'line')}, no symptom that is known here")
