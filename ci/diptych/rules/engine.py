"""Choosing rules by code, and running them over evidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from diptych.errors import ConfigError, nearest
from diptych.rules.coverage import unseen
from diptych.rules.evidence import Evidence
from diptych.rules.model import Finding, Rule


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What the rules say about one target.

    Attributes:
        evidence: what they looked at.
        findings: worst first, then by code and place.
        skipped: code → why that rule had nothing to look at.
    """

    evidence: Evidence
    findings: tuple[Finding, ...]
    skipped: dict[str, str]

    @property
    def unseen(self) -> tuple[str, ...]:
        """What is there and was not looked at, a line each: silence about it is no verdict."""
        return unseen(self.evidence)


def judge(evidence: Evidence, rules: Iterable[Rule]) -> Judged:
    """Run rules over evidence."""
    findings: list[Finding] = []
    skipped: dict[str, str] = {}
    for rule in rules:
        reason = rule.skip_reason(evidence)
        if reason:
            skipped[rule.code] = reason
        else:
            findings += rule.findings(evidence)
    findings.sort(key=lambda found: (found.severity.rank, found.code, found.place, found.message))
    return Judged(evidence=evidence, findings=tuple(findings), skipped=skipped)


def choose(
    rules: Sequence[Rule], *, select: Sequence[str] = (), ignore: Sequence[str] = ()
) -> tuple[Rule, ...]:
    """Return the rules to run.

    Args:
        rules: all.
        select: only these: a code, or the beginning of codes (``DIP1``); empty: all.
        ignore: without these.

    Raises:
        ConfigError: a word matches no code.
    """
    wanted, unwanted = _codes(rules, select), _codes(rules, ignore)
    return tuple(rule for rule in rules if (not select or rule.code in wanted) and rule.code not in unwanted)


def _codes(rules: Sequence[Rule], words: Sequence[str]) -> set[str]:
    codes = [rule.code for rule in rules]
    found: set[str] = set()
    for word in (part.strip() for several in words for part in several.split(",")):
        matching = {code for code in codes if word and code.startswith(word.upper())}
        if not matching:
            raise ConfigError(
                f'"{word}" is no rule{nearest(word.upper(), codes)}', hint="diptych explain lists all rules"
            )
        found |= matching
    return found
