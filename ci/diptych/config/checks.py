"""Checks across keys: selectors, excludes and overrides must match a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from diptych.config.cellid import CellId, unmatched
from diptych.config.faults import Place
from diptych.config.kinds import keys
from diptych.config.model import CellSettings, Override
from diptych.config.project import ProjectInfo


def selected_ids(product: Sequence[CellId], given: Mapping[str, Any], place: Place) -> tuple[CellId, ...]:
    """Return the cells that ``include`` and ``exclude`` leave, with a fault for each idle selector."""
    include: tuple[str, ...] = given.get("include") or ()
    exclude: tuple[str, ...] = given.get("exclude") or ()
    before = len(place.faults)
    refuse_idle(include, product, place.key("include"))
    refuse_idle(exclude, product, place.key("exclude"))
    left = tuple(
        cell
        for cell in product
        if (not include or any(cell.matches(selector) for selector in include))
        and not any(cell.matches(selector) for selector in exclude)
    )
    if not left and len(place.faults) == before:
        place.key("exclude" if exclude else "include").fault("no cell is left to build")
    return left


def refuse_idle(selectors: Sequence[str], ids: Sequence[CellId], place: Place) -> None:
    """Record a fault for each selector that no cell matches."""
    for index, near in unmatched(selectors, ids):
        place.item(index).wrong(selectors[index], f"matches no cell{near}")


def checked_override(given: Mapping[str, Any], ids: Sequence[CellId] | None, place: Place) -> Override:
    """Make an override from what was read, with a fault for whatever in it has no effect.

    Args:
        given: the values by field name, without faulty ones.
        ids: the product of Pythons and compilers, or ``None`` when that is not known because of other faults.
        place: where the override stands.
    """
    cell_keys = {key.name: key.field for key in keys(CellSettings)}
    values = {field: given[field] for field in cell_keys.values() if field in given}
    inherit: Mapping[str, str] = given.get("inherit") or {}
    for name in inherit:
        if cell_keys[name] not in given:
            place.key("inherit").key(name).fault(f'has no effect: the override has no "{name}"')
    if not values:
        place.fault('changes nothing: give a per-cell key such as "host"')
    select: tuple[str, ...] = given.get("select") or ()
    if ids is not None:
        refuse_idle(select, ids, place.key("select"))
    return Override(select=select, inherit=inherit, values=values)


def refuse_other_pythons(pythons: Sequence[str], project: ProjectInfo, place: Place) -> None:
    """Record a fault for each Python that ``requires-python`` rules out."""
    for index, python in enumerate(pythons):
        if not project.admits(python):
            place.item(index).wrong(python, f'the project says requires-python = "{project.requires_python}"')
