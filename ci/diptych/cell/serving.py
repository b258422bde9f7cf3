"""One build of the stable ABI serves every newer Python of the table: those cells compile nothing and verify the same packages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace

from diptych.build.sources import source_hash, version_facts
from diptych.build.toolenv import steering
from diptych.cell.publish import withdraw
from diptych.matrix import Cell
from diptych.pythons import numbers
from diptych.records import CellRecord, read_record, write_record
from diptych.store import digest
from diptych.workspace import Workspace

FLOOR = "stable_abi"
"""In a cell's provenance: the oldest Python that its packages serve; empty when they are for one."""


def served(workspace: Workspace, cell: Cell) -> CellRecord | None:
    """Return the record of a cell that another one's packages serve, and leave it; None when it has to be built.

    They do when an older Python of the same compiler and with the same settings has built them from the sources as they are now,
    and they are of the stable ABI of a Python that is no newer than the cell's (PEP 384).
    """
    for other in _older(workspace, cell):
        record = read_record(workspace.store, other.id)
        if record is None or record.served_by or not _fits(workspace, cell, record):
            continue
        found = replace(record, cell=cell.id, served_by=other.id)
        withdraw(workspace, cell, keep=record.published)
        write_record(workspace.store, found)
        return found
    return None


def _older(workspace: Workspace, cell: Cell) -> Iterator[Cell]:
    """Yield the cells that may serve another, the oldest Python first; none serves a Python without the GIL (PEP 703)."""
    if cell.free_threaded:
        return
    for other in sorted(workspace.cells, key=lambda one: numbers(one.python)):
        same = (other.compiler, other.platform, other.settings) == (
            cell.compiler,
            cell.platform,
            cell.settings,
        )
        if same and not other.free_threaded and numbers(other.python) < numbers(cell.python):
            yield other


def _fits(workspace: Workspace, cell: Cell, record: CellRecord) -> bool:
    floor = record.provenance.get(FLOOR, "")
    then = record.provenance.get("inputs", {}).get("conditions")
    return bool(floor) and numbers(floor) <= numbers(cell.python) and then == conditions(workspace, cell)


def conditions(workspace: Workspace, cell: Cell) -> str:
    """Hash all that makes the packages of two cells of one compiler alike, but for Python and its host environment.

    That are the table's settings, the sources with what a version is made from, a recipe of the project's own, and the variables that a
    person has set on purpose. Another release of the compiler, or of a package of the host environment, shows when the oldest is built.
    """
    config, env = workspace.config, workspace.env
    recipe = config.recipe and source_hash(config.recipe.parent, env=env)
    sources = [source_hash(config.source, env=env), version_facts(config.source, env=env)]
    return digest(
        asdict(cell.settings), asdict(cell.compiler), config.package, recipe, sources, steering(env)
    )
