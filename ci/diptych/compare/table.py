"""The comparison of two packages on one screen: the two sides, then every difference that is not expected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from diptych.compare.across import Outlier, Repeat, look_across
from diptych.compare.cell import Comparison
from diptych.compare.linewrap import Wrapped, wrapped, wrapped_all
from diptych.compare.model import REGISTRY, Severity
from diptych.compare.rows import Row, side_rows

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.table import Table
    from rich.text import Text

_MOST_LINES = 18
_MOST_CELLS = 4
_LABEL = 14
_WIDEST = 110
STYLES = {
    "equal": "green",
    "drift": "yellow",
    "different": "bold red",
    "error": "bold red",
    "expected": "dim",
}


@dataclass(frozen=True, kw_only=True)
class CellTable:
    """Both sides, one beside the other, with what differs below, at any width.

    Attributes:
        comparison: what to show.
    """

    comparison: Comparison

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Yield the lines; rich calls this with the width that there is."""
        width = min(options.max_width, _WIDEST)
        rule = "-" if options.ascii_only else "─"
        yield from _sides(self.comparison, width, rule)
        yield from _findings(self.comparison, width)


def cell_table(comparison: Comparison) -> CellTable:
    """Show both sides, one beside the other, with what differs below."""
    return CellTable(comparison=comparison)


def _sides(comparison: Comparison, width: int, rule: str) -> Iterator[Text]:
    from rich.text import Text  # noqa: PLC0415 -- only when something is shown

    column = (width - _LABEL - 2) // 2
    if comparison.pair.one_build:
        yield Text(f"{comparison.cell}: one compile, two packages", "bold")
    left, right = (title.removeprefix("the ") for title in comparison.pair.titles)
    yield Text(f"{'':<{_LABEL}}{left:<{column + 2}}{right}", "bold")
    yield Text(rule * width, "dim")
    for row in side_rows(comparison):
        yield from _row(row, column, width)


def _row(row: Row, column: int, width: int) -> Iterator[Text]:
    from rich.text import Text  # noqa: PLC0415 -- as above

    if row.heading:
        yield from (Text(line, "bold") for line in wrapped(row.label, width))
        return
    left = wrapped_all(row.left, column)
    right = ["same"] if row.same else wrapped_all(row.right, column)
    for number in range(max(len(left), len(right))):
        label = row.label if number == 0 else ""
        cells = [lines[number] if number < len(lines) else "" for lines in (left, right)]
        line = Text(f"{label:<{_LABEL}}" if any(cells) else label, "bold").append(cells[0], "not bold")
        if cells[1]:
            line.pad_right(_LABEL + column + 2 - len(line))
            line.append(cells[1], "not bold dim" if row.same else "not bold")
        yield line


def _findings(comparison: Comparison, width: int) -> Iterator[Text]:
    from rich.text import Text  # noqa: PLC0415 -- as above

    told = [one for one in comparison.findings if one.severity is not Severity.EXPECTED]
    word = comparison.verdict if comparison.verdict != "different" else "DIFFERENT"
    yield Text()
    yield from _labelled(word, STYLES[comparison.verdict], code_summary(comparison), width)
    for one in told[:_MOST_LINES]:
        label = "waived" if one.waived else one.severity.value
        text = f"{one}{f' ({one.waived})' if one.waived else ''}"
        style = "dim" if one.waived else STYLES[one.severity.value]
        yield from _labelled(label, f"{style} link {REGISTRY[one.code].page}", text, width)
    if len(told) > _MOST_LINES:
        yield from _labelled("", "", f"and {len(told) - _MOST_LINES} more: --json and --html have all", width)
    if summary := expected_summary(comparison):
        yield from _labelled("expected", STYLES["expected"], summary, width)


def _labelled(label: str, style: str, text: str, width: int) -> Iterator[Text]:
    from rich.text import Text  # noqa: PLC0415 -- as above

    for number, line in enumerate(wrapped(" ".join(text.split()), width - _LABEL)):
        yield Text.assemble((f"{label if number == 0 else '':<{_LABEL}}", style), line)


def differences_table(comparisons: Sequence[Comparison]) -> Table | None:
    """Tabulate what is not expected, each difference once with the cells that have it; None when there is none."""
    found: dict[tuple[int, str, str, str], list[str]] = {}
    for comparison in comparisons:
        for one in comparison.findings:
            if one.severity is not Severity.EXPECTED:
                label = "waived" if one.waived else one.severity.value
                text = f"{one} ({one.waived})" if one.waived else str(one)
                found.setdefault((one.severity.rank, label, one.code, text), []).append(comparison.cell)
    if not found:
        return None
    from rich import box  # noqa: PLC0415 -- only when something is shown
    from rich.table import Table  # noqa: PLC0415 -- as above
    from rich.text import Text  # noqa: PLC0415 -- as above

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("difference")
    table.add_column("cells", max_width=20)
    for (_, label, code, text), cells in sorted(found.items()):
        where = "all" if len(cells) == len(comparisons) else ", ".join(cells)
        table.add_row(
            Text(label, style=f"{STYLES.get(label, 'dim')} link {REGISTRY[code].page}"),
            Wrapped(text),
            Wrapped(where),
        )
    return table


def across_table(comparisons: Sequence[Comparison]) -> Table | None:
    """Tabulate what only the whole matrix shows: cells that are odd, and code that was compiled for nothing."""
    found = look_across(comparisons)
    rows = [*map(_odd, found.oddities), *map(_repeated, found.repeats)]
    if not rows:
        return None
    from rich import box  # noqa: PLC0415 -- as above
    from rich.table import Table  # noqa: PLC0415 -- as above

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("across the cells")
    for label, text in rows:
        table.add_row(label, Wrapped(text))
    return table


_KINDS = {"odd": "odd one", "compiler": "compiler", "python": "Python", "mixed": "mixed"}


def _odd(one: Outlier) -> tuple[str, str]:
    values = "; ".join(f"{value}: {_some(cells)}" for value, cells in one.values.items())
    return _KINDS[one.kind], f"{one.trait}: {values}"


def _repeated(one: Repeat) -> tuple[str, str]:
    what = "all code" if one.whole else ".text"
    return "compiled again", f"{one.binary}: {what} equal in {_some(one.cells)}"


def _some(cells: Sequence[str]) -> str:
    more = f" and {len(cells) - _MOST_CELLS} more" if len(cells) > _MOST_CELLS else ""
    return ", ".join(cells[:_MOST_CELLS]) + more


def code_summary(comparison: Comparison) -> str:
    """Say how much of the code is equal, and where."""
    equal = sum(row.equal for row in comparison.code)
    titles = ["stage"] if comparison.pair.stage else []
    titles += [title.removeprefix("the ") for title in comparison.pair.titles]
    how = "byte-equal" if comparison.pair.one_build else "equal, addresses aside,"
    return f"{equal} of {len(comparison.code)} code sections {how} in {', '.join(titles)}"


def expected_summary(comparison: Comparison) -> str:
    """Count what is expected, by rule."""
    counts = Counter(one.code for one in comparison.findings if one.severity is Severity.EXPECTED)
    return ", ".join(
        f"{REGISTRY[code].title}{f' (x{count})' if count > 1 else ''}"
        for code, count in sorted(counts.items())
    )
