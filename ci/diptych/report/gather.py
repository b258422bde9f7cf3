"""The built cells of a checkout, compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.archives import open_package
from diptych.compare import Comparison, compare_cell, compare_packages
from diptych.compare.waivers import refuse_idle, refuse_unknown, waivers_of
from diptych.errors import CompareError, ConfigError
from diptych.matrix import find_with_packages, with_packages
from diptych.published import packed_together
from diptych.records import PROVENANCE, CellRecord, read_record
from diptych.report.measure import with_costs
from diptych.store import read_json
from diptych.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What is built of a matrix, compared.

    Attributes:
        records: of the built cells.
        comparisons: of the same cells, in the same order.
        missing: ids of the cells that are not built.
    """

    records: tuple[CellRecord, ...]
    comparisons: tuple[Comparison, ...]
    missing: tuple[str, ...]


def gather(workspace: Workspace, *, cell: str = "", measure: bool = False) -> Gathered:
    """Compare every built cell, or one.

    Args:
        workspace: the checkout.
        cell: the id of the one to look at; all of them when empty.
        measure: also measure in clean environments what the packages cost; what an earlier run measured is there anyway.

    Raises:
        ConfigError: no cell is built, there is no such cell, or a waiver is for nothing.
        FormatError: a package or a binary is damaged.
    """
    waivers = waivers_of(workspace.config)
    refuse_unknown(waivers)
    wanted = (find_with_packages(workspace.cells, cell),) if cell else with_packages(workspace.cells)
    records = tuple(record for one in wanted if (record := read_record(workspace.store, one.id)) is not None)
    if not records:
        raise ConfigError(f"{cell or 'no cell'} is {'not ' if cell else ''}built", hint="run: nox -t build")
    comparisons = tuple(
        compare_cell(
            record.cell,
            stage=record.stage,
            wheel=record.wheel.path,
            conda=record.conda_packages,
            provenance=_facts(record),
            waivers=waivers,
        )
        for record in records
    )
    built = {record.cell for record in records}
    missing = tuple(one.id for one in wanted if one.id not in built)
    if not missing and not cell:  # a waiver may be for a cell that is not built yet
        refuse_idle(waivers, [one for comparison in comparisons for one in comparison.findings])
    comparisons = with_costs(workspace, records, comparisons, measure=measure)
    return Gathered(records=records, comparisons=comparisons, missing=missing)


def compare_files(left: Path, right: Path, *, one_build: bool = False) -> Comparison:
    """Compare any two packages; provenance that lies beside both tells whether they are of one build.

    A conda package that the right one depends on by version and build, and that lies beside it, is taken with it against a wheel: a C++
    library and its bindings.

    Args:
        left: a wheel, a conda package or a folder.
        right: likewise.
        one_build: insist that they are.

    Raises:
        FormatError: a package or a binary is damaged.
    """
    beside = [read_json(path.with_name(path.name + PROVENANCE)) for path in (left, right)]
    stages = [found.get("inputs", {}).get("stage") for found in beside]
    same = stages[0] is not None and stages[0] == stages[1]
    return compare_packages(
        left,
        right,
        beside=_packed_together(left, right),
        one_build=one_build or same,
        provenance=beside[0] if same else None,
    )


def _packed_together(left: Path, right: Path) -> Path | None:
    if left.suffix != ".whl" or not right.name.endswith((".conda", ".tar.bz2")):
        return None
    with open_package(right) as package:
        found = packed_together(package.metadata.index.get("depends", ()))
    names = (f"{stem}{suffix}" for stem in found for suffix in (".conda", ".tar.bz2"))
    return next((path for name in names if (path := right.with_name(name)).is_file()), None)


def require_all_equal(comparisons: Sequence[Comparison]) -> None:
    """Refuse packages that differ, and name every difference of every cell.

    Raises:
        CompareError: at least one comparison has an error that is not waived.
    """
    failed = [one for one in comparisons if not one]
    if failed:
        raise CompareError(
            f"{', '.join(one.cell for one in failed)}: the packages differ",
            details=[
                line
                for one in failed
                for line in (f"{one.cell}:", *(f"  {text}" for text in one.differences))
            ]
            if len(failed) > 1
            else failed[0].differences,
            hint="diptych compare --html PAGE shows them side by side; each rule's mend is there",
        )


def _facts(record: CellRecord) -> Mapping[str, Any]:
    """Return the provenance beside the published wheel: its times are those of the run that did the work."""
    published = record.published[0]
    beside = read_json(published.with_name(published.name + PROVENANCE))
    return beside if beside.get("sha256") == record.wheel.sha256 else record.provenance
