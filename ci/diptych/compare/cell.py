"""Compare two packages with each other, and the two of one cell also with the stage that both came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from diptych.compare.dependencies import DependencyRow, dependency_rows
from diptych.compare.model import Difference, Severity
from diptych.compare.pairing import CodeRow, Pair, lay_out
from diptych.compare.providers import LibraryRow, library_rows
from diptych.compare.rulebook import judge
from diptych.compare.side import Side, read_side
from diptych.compare.waivers import Waiver, waived
from diptych.records import OUTSIDE, CondaPackages


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The verdict over two packages.

    Attributes:
        cell: the cell's id, or a name for any two packages.
        pair: the two sides, matched.
        findings: every difference, worst first.
        facts: what is known of the build: provenance, as plain values.
    """

    cell: str
    pair: Pair
    findings: tuple[Difference, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether the two packages hold the same."""
        return not any(one.counts for one in self.findings)

    @property
    def wheel(self) -> Side:
        """The left side."""
        return self.pair.left

    @property
    def conda(self) -> Side:
        """The right side."""
        return self.pair.right

    @property
    def code(self) -> tuple[CodeRow, ...]:
        """Every code section of every binary of the project."""
        return self.pair.code

    @property
    def differences(self) -> tuple[str, ...]:
        """What makes the comparison fail, a sentence each; empty when all is well."""
        return tuple(str(one) for one in self.findings if one.counts)

    @property
    def verdict(self) -> str:
        """``different``, ``drift`` or ``equal``: the worst of what is not waived."""
        if not self:
            return "different"
        return "drift" if self.count(Severity.DRIFT) else "equal"

    def count(self, severity: Severity) -> int:
        """Count the differences of a severity that no waiver covers."""
        return sum(one.severity is severity and not one.waived for one in self.findings)

    @cached_property
    def libraries(self) -> tuple[LibraryRow, ...]:
        """The libraries that the project does not own, and where each side gets them."""
        return library_rows(self.pair)

    @cached_property
    def dependencies(self) -> tuple[DependencyRow, ...]:
        """The dependencies of both sides."""
        return dependency_rows(self.pair)


def compare_cell(
    cell: str,
    *,
    stage: Path,
    wheel: Path,
    conda: CondaPackages,
    provenance: Mapping[str, Any] | None = None,
    waivers: Sequence[Waiver] = (),
) -> Comparison:
    """Read the two packages of a cell and the stage, and hold them against each other.

    Args:
        cell: its id.
        stage: the install tree.
        wheel: the wheel.
        conda: the conda package, with that of the C++ library which it was split from.
        provenance: what the cell's record says about the build, for versions of libraries.
        waivers: differences that the table accepts.

    Raises:
        FormatError: a package or a binary is damaged.
    """
    return compare_packages(
        wheel,
        conda.main,
        name=cell,
        stage=stage,
        beside=conda.library,
        one_build=True,
        provenance=provenance,
        waivers=waivers,
    )


def compare_packages(
    left: Path,
    right: Path,
    *,
    name: str = "",
    stage: Path | None = None,
    beside: Path | None = None,
    one_build: bool = False,
    provenance: Mapping[str, Any] | None = None,
    waivers: Sequence[Waiver] = (),
) -> Comparison:
    """Read any two packages and hold them against each other.

    Args:
        left: a wheel, a conda package, or a folder laid out as site-packages.
        right: likewise.
        name: what to call the comparison.
        stage: what both were packed from.
        beside: a package that ``right`` depends on and that was packed together with it.
        one_build: unlike code is an error; else it is drift, as two compiles need not give the same bytes.
        provenance: what is known of the build.
        waivers: differences that the table accepts.

    Raises:
        FormatError: a package or a binary is damaged.
    """
    facts = provenance or {}
    second = read_side(right, placed=one_build)
    pair = lay_out(
        read_side(left, placed=one_build),
        second.joined(read_side(beside, placed=one_build)) if beside else second,
        stage=read_side(stage) if stage else None,
        one_build=one_build,
        lock={str(one["name"]): str(one["version"]) for one in facts.get("lock", ())},
        outside=(f"$PREFIX/{name}" for name in facts.get(OUTSIDE, ())),
    )
    return Comparison(
        cell=name or f"{pair.left.title} | {pair.right.title}",
        pair=pair,
        findings=waived(judge(pair), waivers),
        facts=facts,
    )
