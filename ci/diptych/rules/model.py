"""What a rule is, and what it says."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

from diptych.rules.evidence import Evidence
from diptych.ruletext import DocumentedRule


class Severity(enum.Enum):
    """How bad a finding is."""

    ERROR = "error"
    """Somebody who installs this will meet it."""
    DRIFT = "drift"
    """It works here and now, but not by what the format or the tag promises."""
    NOTE = "note"
    """Worth knowing; nothing has to be done."""

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One result of one rule.

    Attributes:
        code: the rule's; filled in by :meth:`Rule.findings`.
        given: how bad it is; None until the rule has filled in its own severity.
        place: the member or file; empty for the package as a whole.
        message: what was found, in one sentence.
        evidence: the facts that prove it, a line each.
        next_step: what to do here; empty: what the rule says in general.
    """

    code: str = ""
    given: Severity | None = None
    place: str = ""
    message: str
    evidence: tuple[str, ...] = ()
    next_step: str = ""

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return self.given or Severity.ERROR


Check = Callable[[Evidence], Iterable[Finding]]
Condition = Callable[[Evidence], str]
"""Returns why a rule has nothing to say about some evidence, or an empty string."""


@dataclass(frozen=True, kw_only=True)
class Rule(DocumentedRule):
    """A rule over one thing that is linked or packed.

    Attributes:
        severity: of its findings, unless they say otherwise.
        check: yields the findings.
        conditions: what must hold for the rule to look at all.
    """

    reference: ClassVar[str] = "reference/rules"

    severity: Severity
    check: Check = field(repr=False)
    conditions: tuple[Condition, ...] = ()

    @property
    def family(self) -> str:
        """The group that the first digit stands for."""
        return FAMILIES[self.code[3]]

    def skip_reason(self, evidence: Evidence) -> str:
        """Return why the rule has nothing to look at, or an empty string."""
        return next((reason for condition in self.conditions if (reason := condition(evidence))), "")

    def findings(self, evidence: Evidence) -> Iterator[Finding]:
        """Yield what the rule finds, under its code."""
        for finding in self.check(evidence):
            yield replace(finding, code=self.code, given=finding.given or self.severity)


FAMILIES = {
    "1": "Python linkage",
    "2": "Boost.Python and other binding layers",
    "3": "search paths",
    "4": "platform tags and symbol versions",
    "5": "packaging and metadata",
    "6": "Mach-O",
    "7": "runtime duplicates",
}

REGISTRY: dict[str, Rule] = {}


def rule(
    code: str, title: str, severity: Severity, *conditions: Condition
) -> Callable[[Callable[[Evidence], Iterable[Finding]]], Check]:
    """Make a rule of a function; see :class:`Rule` for its docstring.

    Args:
        code: unique.
        title: a few words.
        severity: what its findings are unless they say otherwise.
        conditions: what must hold for it to look at all.
    """

    def decorate(check: Check) -> Check:
        if code in REGISTRY:
            raise ValueError(f"two rules are called {code}")
        REGISTRY[code] = Rule(code=code, title=title, severity=severity, check=check, conditions=conditions)
        return check

    return decorate
