"""Compare cells with one another: outliers, what depends on the compiler or the Python, and code that was compiled more than once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from diptych.compare.cell import Comparison
from diptych.compare.traits import Trait, compiler_of, for_person, python_of, traits_of

_MAJORITY = 2 / 3
_LEAST_CELLS = 3
_FAR = 0.25
_STEP = {"bytes": 20_000.0, "s": 1.0, "ms": 0.1}
_AXES: Mapping[str, Callable[[Comparison], str]] = {"compiler": compiler_of, "python": python_of}


@dataclass(frozen=True, kw_only=True)
class Outlier:
    """A trait in which cells are not alike.

    Attributes:
        trait: its name.
        kind: ``odd`` (few cells differ from most), ``compiler`` or ``python`` (it follows that axis), ``mixed``.
        cells: the cells that stand out; for other kinds all of them.
        values: value for a person → the cells that have it, most common first.
    """

    trait: str
    kind: str
    cells: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Group:
    """The cells of one compiler or one Python.

    Attributes:
        axis: ``compiler`` or ``python``.
        name: such as ``gcc``.
        cells: how many.
        medians: name of a number → its median, in its unit.
    """

    axis: str
    name: str
    cells: int
    medians: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """A binary whose code came out the same in several cells: compiled more often than needed.

    Attributes:
        binary: its place, without the extension suffix.
        cells: the cells.
        size: bytes of one.
        whole: all code sections are the same; else ``.text`` alone.
    """

    binary: str
    cells: tuple[str, ...]
    size: int
    whole: bool


@dataclass(frozen=True, kw_only=True)
class Across:
    """What only the whole matrix shows."""

    oddities: tuple[Outlier, ...]
    groups: tuple[Group, ...]
    repeats: tuple[Repeat, ...]


def look_across(comparisons: Sequence[Comparison]) -> Across:
    """Hold the cells of a matrix against each other."""
    traits = {one.cell: {trait.name: trait for trait in traits_of(one)} for one in comparisons}
    names = list(dict.fromkeys(name for found in traits.values() for name in found))
    oddities = (_outlier(name, traits, comparisons) for name in names)
    return Across(
        oddities=tuple(found for found in oddities if found),
        groups=tuple(_groups(comparisons, traits)),
        repeats=tuple(_repeats(comparisons)),
    )


def _outlier(
    name: str, traits: Mapping[str, Mapping[str, Trait]], comparisons: Sequence[Comparison]
) -> Outlier | None:
    there = {cell: found[name] for cell, found in traits.items() if name in found}
    if len(there) < _LEAST_CELLS:
        return None
    if next(iter(there.values())).number is not None:
        return _far_off(name, there, comparisons)
    values = _by_value({cell: trait.value for cell, trait in there.items()})
    if len(values) == 1:
        return None
    shown = _distinct([(there[cells[0]].shown, cells) for cells in values.values()])
    common, *rare = values.values()
    axis = _axis({cell: trait.value for cell, trait in there.items()}, comparisons)
    if len(common) >= len(there) * _MAJORITY and not axis:
        kind, cells = "odd", tuple(cell for group in rare for cell in group)
    else:
        kind, cells = axis or "mixed", tuple(there)
    return Outlier(trait=name, kind=kind, cells=cells, values=shown)


def _by_value(values: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    order = Counter(values.values()).most_common()
    return {value: tuple(cell for cell in values if values[cell] == value) for value, _ in order}


def _distinct(groups: list[tuple[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    """Name the groups; what looks the same to a person but is not gets a number."""
    found: dict[str, tuple[str, ...]] = {}
    for shown, cells in groups:
        name, number = shown, 1
        while name in found:
            number += 1
            name = f"{shown} (other {number - 1})"
        found[name] = cells
    return found


def _axis(values: Mapping[str, str], comparisons: Sequence[Comparison]) -> str:
    """Return the axis that alone decides the value, if there is one and each of its entries has two cells."""
    for axis, key in _AXES.items():
        groups: defaultdict[str, set[str]] = defaultdict(set)
        counts = Counter(key(one) for one in comparisons if one.cell in values)
        for one in comparisons:
            if one.cell in values:
                groups[key(one)].add(values[one.cell])
        if len(groups) > 1 and min(counts.values()) > 1 and all(len(found) == 1 for found in groups.values()):
            return axis
    return ""


def _far_off(name: str, there: Mapping[str, Trait], comparisons: Sequence[Comparison]) -> Outlier | None:
    """Find cells far from the median of their own compiler."""
    compilers = {one.cell: compiler_of(one) for one in comparisons}
    far: list[str] = []
    for compiler in dict.fromkeys(compilers.values()):
        mine = {cell: trait for cell, trait in there.items() if compilers[cell] == compiler}
        middle = median(trait.number or 0.0 for trait in mine.values())
        far += [cell for cell, trait in mine.items() if len(mine) >= _LEAST_CELLS and _is_far(trait, middle)]
    if not far:
        return None
    values = _distinct([(there[cell].shown, (cell,)) for cell in far])
    rest = [trait.number or 0.0 for cell, trait in there.items() if cell not in far]
    if rest:
        unit = next(iter(there.values())).unit
        values[f"median {for_person(median(rest), unit)}"] = tuple(cell for cell in there if cell not in far)
    return Outlier(trait=name, kind="odd", cells=tuple(far), values=values)


def _is_far(trait: Trait, middle: float) -> bool:
    apart = abs((trait.number or 0.0) - middle)
    return apart > _FAR * middle and apart > _STEP[trait.unit]


def _groups(comparisons: Sequence[Comparison], traits: Mapping[str, Mapping[str, Trait]]) -> Iterator[Group]:
    for axis, key in _AXES.items():
        for name in dict.fromkeys(map(key, comparisons)):
            cells = [one.cell for one in comparisons if key(one) == name]
            numbers: defaultdict[str, list[float]] = defaultdict(list)
            for cell in cells:
                for trait in traits[cell].values():
                    if trait.number is not None:
                        numbers[trait.name].append(trait.number)
            medians = {trait: round(median(values), 6) for trait, values in numbers.items()}
            yield Group(axis=axis, name=name, cells=len(cells), medians=medians)


def _repeats(comparisons: Sequence[Comparison]) -> Iterator[Repeat]:
    whole = _same_code(comparisons, lambda code: tuple(sorted(code.items())))
    text = _same_code(
        comparisons, lambda code: tuple(item for item in code.items() if item[0].endswith(("text", ".text")))
    )
    told = {(one.binary, one.cells) for one in whole}
    yield from whole
    for one in text:
        if (one.binary, one.cells) not in told:
            yield Repeat(binary=one.binary, cells=one.cells, size=one.size, whole=False)


def _same_code(
    comparisons: Sequence[Comparison], key: Callable[[Mapping[str, str]], tuple[tuple[str, str], ...]]
) -> list[Repeat]:
    found: defaultdict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[str, int]]] = defaultdict(list)
    for one in comparisons:
        for binary in one.wheel.own:
            if code := key(binary.code):
                found[binary.stem, code].append((one.cell, binary.size))
    return [
        Repeat(binary=stem, cells=tuple(cell for cell, _ in cells), size=cells[0][1], whole=True)
        for (stem, _), cells in found.items()
        if len(cells) > 1
    ]
