"""Waivers: differences that the table accepts, each with a reason. One that covers no difference is an error."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from diptych.compare.model import REGISTRY, Difference
from diptych.config import Config
from diptych.errors import ConfigError, nearest
from diptych.rules import Finding, all_rules


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """One entry of ``[[tool.diptych.waive]]``.

    Attributes:
        code: the rule's.
        glob: over the difference's place; ``*`` also fits a difference of the package as a whole.
        reason: why it is accepted.
    """

    code: str
    glob: str
    reason: str

    def covers(self, one: Difference | Finding) -> bool:
        """Tell whether this waiver is for a difference, or a finding of the doctor."""
        return one.code == self.code and fnmatch.fnmatchcase(one.place, self.glob)


def waivers_of(config: Config) -> tuple[Waiver, ...]:
    """Return the waivers of the table."""
    return tuple(Waiver(**entry) for entry in config.waive)


def waived(differences: Iterable[Difference], waivers: Sequence[Waiver]) -> tuple[Difference, ...]:
    """Mark the differences that a waiver covers; what is expected anyway needs none and is not marked."""
    return tuple(
        replace(one, waived=found.reason)
        if one.severity.value != "expected" and (found := _first(one, waivers))
        else one
        for one in differences
    )


def _first(difference: Difference, waivers: Sequence[Waiver]) -> Waiver | None:
    return next((waiver for waiver in waivers if waiver.covers(difference)), None)


def is_of_comparison(waiver: Waiver) -> bool:
    """Tell whether a waiver is for a difference; the others are for findings about one package, which a release accepts."""
    return waiver.code.startswith("DIP8")


def refuse_unknown(waivers: Sequence[Waiver]) -> None:
    """Refuse a waiver of a rule that does not exist.

    Raises:
        ConfigError: naming the nearest rule.
    """
    for waiver in waivers:
        known = REGISTRY if is_of_comparison(waiver) else [rule.code for rule in all_rules()]
        if waiver.code not in known:
            raise ConfigError(
                f'tool.diptych.waive: there is no rule "{waiver.code}"{nearest(waiver.code, known)}'
            )


def refuse_idle(waivers: Sequence[Waiver], differences: Sequence[Difference]) -> None:
    """Refuse waivers that cover nothing in the whole matrix: they hide nothing today and a fault tomorrow.

    Raises:
        ConfigError: naming each of them, with the nearest place.
    """
    ours = [waiver for waiver in waivers if is_of_comparison(waiver)]
    idle = [waiver for waiver in ours if not any(waiver.covers(one) and one.waived for one in differences)]
    if idle:
        raise ConfigError(
            f"{len(idle)} of {len(ours)} waivers cover no difference",
            details=[
                f'{waiver.code} "{waiver.glob}"'
                + nearest(
                    waiver.glob, {one.place for one in differences if one.code == waiver.code and one.place}
                )
                for waiver in idle
            ],
            hint="remove them from [[tool.diptych.waive]]",
        )
