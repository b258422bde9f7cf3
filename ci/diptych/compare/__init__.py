"""Lay a wheel and a conda package, or any two packages, side by side.

>>> from diptych.compare import compare_packages
>>> found = compare_packages(wheel, conda)  # doctest: +SKIP
>>> found.verdict  # doctest: +SKIP
'drift'
"""

from diptych.compare.cell import Comparison, compare_cell, compare_packages
from diptych.compare.model import Difference, Rule, Severity
from diptych.compare.pairing import Pair
from diptych.compare.rulebook import all_rules
from diptych.compare.side import Side, read_side
from diptych.compare.waivers import Waiver

__all__ = [
    "Comparison",
    "Difference",
    "Pair",
    "Rule",
    "Severity",
    "Side",
    "Waiver",
    "all_rules",
    "compare_cell",
    "compare_packages",
    "read_side",
]
