"""What a comparison says: differences with a code, a severity and a reason, and the rules that find them."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from diptych.ruletext import DocumentedRule

if TYPE_CHECKING:
    from diptych.compare.pairing import Pair


class Severity(enum.Enum):
    """What a difference means to the person who ships both packages."""

    ERROR = "error"
    """Users of the two packages get different things."""
    DRIFT = "drift"
    """The packages say different things, or promise more than the other; it works here and now."""
    EXPECTED = "expected"
    """The two formats are made this way."""

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One difference between two packages, as one rule sees it.

    Attributes:
        code: the rule's.
        severity: the rule's, or less where circumstances explain it.
        place: file, library, dependency or field; empty for the package as a whole.
        message: what differs, in one sentence.
        reason: why this is expected, drift or an error, in one sentence.
        evidence: the facts, a line each.
        waived: the reason of the waiver in the table that covers it; empty when none does.
    """

    code: str
    severity: Severity
    place: str
    message: str
    reason: str
    evidence: tuple[str, ...] = ()
    waived: str = ""

    @property
    def counts(self) -> bool:
        """Whether it makes the comparison fail."""
        return self.severity is Severity.ERROR and not self.waived

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{self.code} {where}{self.message}"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a rule's check yields: a difference without code.

    Attributes:
        message: what differs, in one sentence.
        place: file, library, dependency or field.
        severity: None for the rule's own.
        reason: empty for the rule's own ("Why").
        evidence: the facts, a line each.
    """

    message: str
    place: str = ""
    severity: Severity | None = None
    reason: str = ""
    evidence: tuple[str, ...] = ()


Check = Callable[["Pair"], Iterable[Found]]


@dataclass(frozen=True, kw_only=True)
class Rule(DocumentedRule):
    """A rule over two packages, side by side.

    Attributes:
        severity: of its differences, unless they say otherwise.
        check: yields the differences.
    """

    reference: ClassVar[str] = "reference/compare-rules"

    severity: Severity
    check: Check = field(repr=False)

    @property
    def family(self) -> str:
        """The group that the code belongs to."""
        return "wheel and conda package side by side"

    def differences(self, pair: Pair) -> Iterator[Difference]:
        """Yield what the rule finds, under its code and with a reason."""
        for found in self.check(pair):
            yield Difference(
                code=self.code,
                severity=found.severity or self.severity,
                place=found.place,
                message=found.message,
                reason=found.reason or self.why,
                evidence=found.evidence,
            )


REGISTRY: dict[str, Rule] = {}


def rule(code: str, title: str, severity: Severity) -> Callable[[Check], Check]:
    """Make a rule of a function whose docstring has the four parts; its findings get ``severity`` by name.

    Raises:
        ValueError: the code is taken.
    """

    def decorate(check: Check) -> Check:
        if code in REGISTRY:
            raise ValueError(f"two rules are called {code}")
        REGISTRY[code] = Rule(code=code, title=title, severity=severity, check=check)
        return check

    return decorate
