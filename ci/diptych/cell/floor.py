"""The floor of a cell: the oldest glibc that the table promises, held against the packages that were built."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from diptych.archives import open_package
from diptych.cell.forecast import what_would_do
from diptych.doctor.why_tag import Reason, why_tag
from diptych.errors import PackageError
from diptych.matrix import Cell
from diptych.policy import Level

_STATED = re.compile(r">=?\s*(\d+)\.(\d+)")
_SHOWN = 3  # symbols of one version


def hold_floor(cell: Cell, *packages: Path) -> None:
    """Refuse packages that need a newer glibc than the table's ``floor``; on macOS there is no such thing.

    Args:
        cell: for its floor.
        packages: wheels, whose symbols are looked at, and conda packages, which state ``__glibc``.

    Raises:
        PackageError: naming each symbol version above the floor, its symbols and the objects that want them.
    """
    floor = cell.settings.floor
    if floor is None or not cell.platform.startswith("linux"):
        return
    promised = Level.parse(f"manylinux_{floor}")
    for package in packages:
        hold = _hold_wheel if package.suffix == ".whl" else _hold_conda
        hold(cell, package, promised)


def _hold_wheel(cell: Cell, wheel: Path, promised: Level) -> None:
    found = why_tag(wheel, shown=wheel.name)
    if found.lowest is not None and found.lowest <= promised:
        return
    above = [one for one in found.reasons if one.level is None or one.level > promised]
    raise PackageError(
        f"{cell.id}: the wheel needs {found.lowest or 'a system that no policy describes'}, and the floor is {promised}",
        details=[line for one in above for line in _lines(one)] or [f"the lowest policy is {found.floor}"],
        hint=f"what would do: {what_would_do(cell, promised)}; what is grafted from host packages has to keep it too",
    )


def _hold_conda(cell: Cell, package: Path, promised: Level) -> None:
    """Hold what a conda package states: its binaries' need, or a stricter bound of the recipe or of a host package's export."""
    with open_package(package) as opened:
        stated = [str(spec) for spec in opened.metadata.index.get("depends", ())]
    above = [
        spec
        for spec in stated
        for found in _STATED.findall(spec if spec.startswith("__glibc") else "")
        if Level(version=(int(found[0]), int(found[1]))) > promised
    ]
    if above:
        raise PackageError(
            f"{cell.id}: the conda package states {', '.join(above)}, and the floor is {promised}",
            details=[package.name],
            hint="its binaries, the recipe's run requirements or a host package's run_exports ask for it: "
            "c_stdlib_version and sysroot have to be no newer than the floor",
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
