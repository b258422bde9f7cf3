"""Targets in, one frozen report out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from diptych.doctor.beside import lay_beside
from diptych.doctor.gather import gather
from diptych.doctor.targets import Target
from diptych.errors import FormatError
from diptych.rules import Damage, Evidence, Finding, Judged, Rule, Severity, judge


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was found, target by target.

    Attributes:
        judged: one for each target, in order.
        rules: those that were run.
    """

    judged: tuple[Judged, ...]
    rules: tuple[Rule, ...] = field(repr=False)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings."""
        return tuple(finding for one in self.judged for finding in one.findings)

    @property
    def worst(self) -> Severity | None:
        """The worst severity found."""
        return min((finding.severity for finding in self.findings), key=lambda one: one.rank, default=None)

    def count(self, severity: Severity) -> int:
        """Return how many findings have that severity."""
        return sum(1 for finding in self.findings if finding.severity is severity)


def examine(
    targets: Sequence[Target], *, rules: Sequence[Rule], host: str | None, beside: Sequence[Target] = ()
) -> Report:
    """Look at every target and judge it.

    Args:
        targets: what to look at.
        rules: the rules to run, as :func:`diptych.rules.choose` returns them.
        host: machine of this Linux system, whose own libraries count for files on disk; None elsewhere.
        beside: packages or environments that every package among the targets is installed with.

    A target that is not there any more, or damaged as a whole, is a finding (DIP502), alone as among others.

    Raises:
        FormatError: one of those beside is damaged.
    """
    laid = lay_beside([(one.shown, one.path) for one in beside])
    judged = []
    for target in targets:
        try:
            evidence = gather(
                target.path,
                shown=target.shown,
                host=host,
                laid=laid,
            )
        except FormatError as error:
            problem = " ".join((error.summary, *error.details))
            damage = Damage(place=target.shown, problem=problem)
            evidence = Evidence(target=target.shown, kind="file", damaged=(damage,))
        judged.append(judge(evidence, rules))
    return Report(judged=tuple(judged), rules=tuple(rules))
