"""The floor of a wheel: the oldest glibc that the table promises, held against what was built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from diptych.cell.forecast import what_would_do
from diptych.doctor.why_tag import Reason, why_tag
from diptych.errors import PackageError
from diptych.matrix import Cell
from diptych.policy import Level

_SHOWN = 3  # symbols of one version


def hold_floor(cell: Cell, wheel: Path) -> None:
    """Refuse a wheel that needs a newer glibc than the table's ``floor``; on macOS there is no such thing.

    Raises:
        PackageError: naming each symbol version above the floor, its symbols and the objects that want them.
    """
    floor = cell.settings.floor
    if floor is None or not cell.platform.startswith("linux"):
        return
    promised = Level.parse(f"manylinux_{floor}")
    found = why_tag(wheel, shown=wheel.name)
    if found.lowest is not None and found.lowest <= promised:
        return
    above = [one for one in found.reasons if one.level is None or one.level > promised]
    raise PackageError(
        f"{cell.id}: the wheel needs {found.lowest or 'a system that no policy describes'}, and the floor is {promised}",
        details=[line for one in above for line in _lines(one)] or [f"the lowest policy is {found.floor}"],
        hint=f"what would do: {what_would_do(cell, promised)}; what is grafted from host packages has to keep it too",
    )


def _lines(reason: Reason) -> Iterator[str]:
    users: dict[tuple[str, ...], list[str]] = {}
    for symbol, objects in reason.users.items():
        users.setdefault(objects, []).append(symbol)
    for objects, symbols in users.items():
        named = [name for name in symbols if name]
        more = f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
        words = f" ({', '.join(named[:_SHOWN])}{more})" if named else ""
        yield f"{reason.what}{words} in {', '.join(objects)}"
