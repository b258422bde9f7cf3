"""What the two sides of a cell say, row by row, as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diptych.compare.binary import SideBinary
from diptych.compare.cell import Comparison
from diptych.compare.pairing import BinaryPair
from diptych.compare.rules_linkage import highest, stated_floor
from diptych.compare.side import Side
from diptych.output import human_size, human_time, many
from diptych.system import is_system_library

NONE = ("-",)
_MOST_BINARIES = 4
_MOST_SHARED = 3


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the two sides.

    Attributes:
        label: what it is.
        left: lines of the left side; none for a heading, whose label goes across both.
        right: lines of the right side.
    """

    label: str
    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()

    @property
    def heading(self) -> bool:
        """Whether it only names what follows."""
        return not self.left

    @property
    def same(self) -> bool:
        """Whether both sides say the same."""
        return self.left == self.right


def side_rows(comparison: Comparison) -> list[Row]:
    """Return all rows: the packages, what they cost if that is known, and each binary of the project."""
    cost = cost_rows(comparison.facts.get("cost"))
    rows = [*_sizes(comparison), *cost, *_promises(comparison), *_binaries(comparison)]
    return [row for row in rows if row.heading or (row.left, row.right) != (NONE, NONE)]


def _sizes(comparison: Comparison) -> Iterator[Row]:
    left, right = comparison.wheel, comparison.conda
    yield Row(label="file", left=(left.title,), right=(right.title,))
    yield Row(label="download", left=_download(left), right=_download(right))
    yield Row(label="installed", left=_installed(left), right=_installed(right))
    yield Row(label="  copies", left=_copies(left), right=_copies(right))


def _promises(comparison: Comparison) -> Iterator[Row]:
    left, right = comparison.wheel, comparison.conda
    yield Row(label="depends on", left=_depends(left), right=_depends(right))
    yield Row(label="oldest", left=_oldest(left), right=_oldest(right))


def cost_rows(cost: Mapping[str, Any] | None) -> Iterator[Row]:
    """Yield the measured rows; none when nothing was measured.

    Args:
        cost: plain values, as :meth:`diptych.cost.Costs.to_json` writes them.
    """
    if not cost:
        return
    sides = cost["left"], cost["right"]
    yield _row("  with shared", [_shared(side) for side in sides])
    yield _row("install", [(human_time(side["install_seconds"]),) for side in sides])
    yield _row("import", [(human_time(side["import_seconds"]),) for side in sides])
    yield _row("  load", [_load(side) for side in sides])
    if cost["command"]:
        yield _row("benchmark", [_benchmark(side["benchmark"]) for side in sides])


def _row(label: str, sides: Sequence[tuple[str, ...]]) -> Row:
    return Row(label=label, left=sides[0], right=sides[1])


def _binaries(comparison: Comparison) -> Iterator[Row]:
    own = [one for one in comparison.pair.binaries if not one.foreign]
    for one in own[:_MOST_BINARIES]:
        yield Row(label=_told(one, comparison))
        yield Row(label="  links", left=_links(one.left), right=_links(one.right))
        yield Row(label="  run path", left=one.left.rpath or NONE, right=one.right.rpath or NONE)
    if len(own) > _MOST_BINARIES:
        yield Row(label=f"and {len(own) - _MOST_BINARIES} more binaries: --json and --html have all")


def _told(pair: BinaryPair, comparison: Comparison) -> str:
    code = [row for row in comparison.code if row.binary == pair.place]
    equal = sum(row.equal for row in code)
    return f"{pair.place}: {equal} of {len(code)} code sections equal"


def _download(side: Side) -> tuple[str, ...]:
    return (human_size(side.size),) if side.size else NONE


def _installed(side: Side) -> tuple[str, ...]:
    return (f"{human_size(side.installed)} in {many(len(side.files), 'file')}",)


def _copies(side: Side) -> tuple[str, ...]:
    grafted = (f"{one.name.rsplit('/', 1)[-1]} {human_size(one.size)}" for one in side.grafted)
    return tuple(grafted) or NONE


def _depends(side: Side) -> tuple[str, ...]:
    return tuple(sorted(text for text in side.depends if not text.startswith("__"))) or NONE


def _oldest(side: Side) -> tuple[str, ...]:
    needed = [f"needs {name} {version}" for name in ("GLIBC", "macOS") if (version := highest(side, name))]
    stated = stated_floor(side)
    told = [*needed, *([f"states {stated}"] if stated else ["states none"] if needed else [])]
    return (", ".join(told),) if told else NONE


def _links(binary: SideBinary) -> tuple[str, ...]:
    """Name the needed libraries worth reading, count the C and C++ runtimes."""
    own = sorted(name for name in binary.needed if not is_system_library(name, binary.format))
    rest = len(binary.needed) - len(own)
    return (*own, *([f"{rest} of the system"] if rest else [])) or NONE


def _shared(side: Mapping[str, Any]) -> tuple[str, ...]:
    """Say what the package and all that came along take, and what the largest of that is."""
    came = [f"{one['name']} {human_size(one['size'])}" for one in side["shared"] if one["size"]]
    more = [f"and {len(came) - _MOST_SHARED} more"] if len(came) > _MOST_SHARED else []
    return (human_size(side["with_shared"]), *came[:_MOST_SHARED], *more)


def _load(side: Mapping[str, Any]) -> tuple[str, ...]:
    if side["load_seconds"] is None:
        return ("only after its Python code",)
    files = f" for {many(side['loaded'], 'file')}" if side["loaded"] is not None else ""
    return (human_time(side["load_seconds"]) + files,)


def _benchmark(found: Mapping[str, Any] | None) -> tuple[str, ...]:
    if found is None:
        return NONE
    numbers = {name: f"{value:.4g}" for name, value in found["numbers"].items()}
    widest = max(map(len, numbers.values()), default=0)
    return (human_time(found["seconds"]), *(f"{value:>{widest}}  {name}" for name, value in numbers.items()))
