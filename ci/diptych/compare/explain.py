"""Which rule explains that a file differs; every file that differs has one."""

from __future__ import annotations

from collections.abc import Mapping

from diptych.compare.cell import Comparison
from diptych.compare.pairing import FilePair, State

_BY_ROLE: Mapping[str, tuple[str, ...]] = {
    "bytecode": ("DIP823",),
    "metadata": ("DIP824", "DIP825", "DIP826"),
    "grafted": ("DIP812", "DIP813", "DIP814", "DIP815"),
}


def explanation_of(row: FilePair, comparison: Comparison) -> str:
    """Return the code of the rule that explains why a file is not equal; empty when it is, or when none does."""
    if row.state is State.EQUAL:
        return ""
    for one in comparison.findings:
        if one.place == row.place:
            return one.code
    wanted = _BY_ROLE.get(row.role, ())
    there = [one for one in comparison.findings if one.code in wanted]
    name = row.place.rpartition("/")[2]
    for one in there:
        if row.role != "grafted" or name.startswith(one.place):
            return one.code
    if row.role == "grafted":
        return "DIP812" if row.left and row.right else ""
    return ""


def unexplained(comparison: Comparison) -> tuple[str, ...]:
    """Return the places of files that differ and that no rule explains."""
    return tuple(
        row.place
        for row in comparison.pair.files
        if row.state is not State.EQUAL and not explanation_of(row, comparison)
    )
