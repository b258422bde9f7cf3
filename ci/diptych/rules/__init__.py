"""Numbered rules over frozen evidence: what is wrong with a linked thing, why, and what to do.

A rule is one function; its docstring is what ``diptych explain`` prints and docs/reference/rules.md shows.
"""

from diptych.rules.engine import Judged, choose, judge
from diptych.rules.evidence import CondaFacts, Damage, Deep, Evidence, Item, Unbound, VersionUse
from diptych.rules.model import FAMILIES, Finding, Rule, Severity
from diptych.rules.registry import all_rules, rule_named

__all__ = [
    "FAMILIES",
    "CondaFacts",
    "Damage",
    "Deep",
    "Evidence",
    "Finding",
    "Item",
    "Judged",
    "Rule",
    "Severity",
    "Unbound",
    "VersionUse",
    "all_rules",
    "choose",
    "judge",
    "rule_named",
]
