"""All comparison rules, in the order of their codes, and running them over a pair."""

from __future__ import annotations

from diptych.compare import rules_code, rules_depends, rules_files, rules_linkage, rules_metadata
from diptych.compare.model import REGISTRY, Difference, Rule
from diptych.compare.pairing import Pair

MODULES = (rules_code, rules_linkage, rules_files, rules_depends, rules_metadata)
"""Importing them registers their rules."""


def all_rules() -> tuple[Rule, ...]:
    """Return every rule, by code."""
    return tuple(REGISTRY[code] for code in sorted(REGISTRY))


def judge(pair: Pair) -> tuple[Difference, ...]:
    """Return every difference, worst first, then by code and place."""
    found = [difference for rule in all_rules() for difference in rule.differences(pair)]
    return tuple(sorted(found, key=lambda one: (one.severity.rank, one.code, one.place, one.message)))
