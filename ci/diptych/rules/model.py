"""What a rule is, and what it says."""

from __future__ import annotations

import enum
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from diptych import DOCUMENTATION
from diptych.rules.evidence import Evidence


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
Premise = Callable[[Evidence], str]
"""Returns why a rule has nothing to say about some evidence, or an empty string."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One numbered rule. Its words are the docstring of its check: what, why, how to mend, what is not seen, source.

    Attributes:
        code: like ``DIP101``.
        title: a few words.
        severity: of its findings, unless they say otherwise.
        check: yields the findings.
        premises: what must hold for the rule to look at all.
    """

    code: str
    title: str
    severity: Severity
    check: Check = field(repr=False)
    premises: tuple[Premise, ...] = ()

    @property
    def family(self) -> str:
        """The group that the first digit stands for."""
        return FAMILIES[self.code[3]]

    @property
    def page(self) -> str:
        """The address of the rule in the documentation."""
        return f"{DOCUMENTATION}/reference/rules.html#{self.code.lower()}"

    @property
    def what(self) -> str:
        """What the rule says."""
        return self._part("")

    @property
    def why(self) -> str:
        """Why it matters."""
        return self._part("Why")

    @property
    def mend(self) -> str:
        """What to do."""
        return self._part("Mend")

    @property
    def not_seen(self) -> str:
        """What of this kind the rule does not find."""
        return self._part("Not seen")

    @property
    def source(self) -> str:
        """Where this is known from."""
        return self._part("Source")

    def skip_reason(self, evidence: Evidence) -> str:
        """Return why the rule has nothing to look at, or an empty string."""
        return next((reason for premise in self.premises if (reason := premise(evidence))), "")

    def findings(self, evidence: Evidence) -> Iterator[Finding]:
        """Yield what the rule finds, under its code."""
        for finding in self.check(evidence):
            yield replace(finding, code=self.code, given=finding.given or self.severity)

    def _part(self, name: str) -> str:
        """Return one part of the docstring; the parts begin with ``Why:``, ``Mend:``, ``Not seen:`` and ``Source:``."""
        text = inspect.getdoc(self.check) or ""
        parts = re.split(r"^(Why|Mend|Not seen|Source): ", text, flags=re.MULTILINE)
        named = dict(zip(["", *parts[1::2]], parts[::2], strict=True))
        words = " ".join(named.get(name, "").split())
        return words if name == "Source" else words[:1].upper() + words[1:]  # names keep their case: ld.so(8)


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
    code: str, title: str, severity: Severity, *premises: Premise
) -> Callable[[Callable[[Evidence], Iterable[Finding]]], Check]:
    """Make a rule of a function; see :class:`Rule` for its docstring.

    Args:
        code: unique.
        title: a few words.
        severity: what its findings are unless they say otherwise.
        premises: what must hold for it to look at all.
    """

    def decorate(check: Check) -> Check:
        if code in REGISTRY:
            raise ValueError(f"two rules are called {code}")
        REGISTRY[code] = Rule(code=code, title=title, severity=severity, check=check, premises=premises)
        return check

    return decorate
