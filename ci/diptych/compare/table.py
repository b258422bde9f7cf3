"""The comparison of two packages on one screen: the two panels, then every difference that is not expected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from diptych.compare.binary import PanelBinary
from diptych.compare.cell import Comparison
from diptych.compare.model import REGISTRY, Severity
from diptych.compare.panel import Panel
from diptych.compare.rules_linkage import highest, stated_floor
from diptych.output import human_size
from diptych.system import is_system_library

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_MOST_LINES = 18
_MOST_BINARIES = 4
_LABEL = 10
STYLES = {
    "equal": "green",
    "drift": "yellow",
    "different": "bold red",
    "error": "bold red",
    "expected": "dim",
}


def cell_table(comparison: Comparison) -> RenderableType:
    """Lay the two panels side by side, with what differs below."""
    from rich.console import Group  # noqa: PLC0415 -- only when something is shown

    return Group(_panels(comparison), _findings(comparison))


def _panels(comparison: Comparison) -> Table:
    from rich import box  # noqa: PLC0415 -- only when something is shown
    from rich.table import Table  # noqa: PLC0415 -- as above
    from rich.text import Text  # noqa: PLC0415 -- as above

    title = f"{comparison.cell}: one compile, two packages" if comparison.pair.one_build else "side by side"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", style="bold", no_wrap=True)
    for panel in (comparison.wheel, comparison.conda):
        table.add_column(panel.kind, overflow="fold")
    for name, left, right in rows(comparison):
        table.add_row(name, Text(left), Text(right))
    return table


def differences_table(comparisons: Sequence[Comparison]) -> Table:
    """Tabulate what is not expected, each difference once with the cells that have it."""
    found: dict[tuple[int, str, str, str], list[str]] = {}
    for comparison in comparisons:
        for one in comparison.findings:
            if one.severity is not Severity.EXPECTED:
                label = "waived" if one.waived else one.severity.value
                found.setdefault((one.severity.rank, label, one.code, str(one)), []).append(comparison.cell)
    from rich import box  # noqa: PLC0415 -- only when something is shown
    from rich.table import Table  # noqa: PLC0415 -- as above
    from rich.text import Text  # noqa: PLC0415 -- as above

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("difference", overflow="fold")
    table.add_column("cells", overflow="fold", max_width=20)
    for (_, label, _, text), cells in sorted(found.items()):
        where = "all" if len(cells) == len(comparisons) else ", ".join(cells)
        table.add_row(Text(label, style=STYLES.get(label, "dim")), Text(text), Text(where))
    return table


def rows(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Return the panels' rows as plain text; ``=`` on the right says that it is as on the left."""
    left, right = comparison.wheel, comparison.conda
    found = [
        ("file", left.title, right.title),
        ("download", human_size(left.size), human_size(right.size)),
        ("installed", _installed(left), _installed(right)),
        ("brings", _lines(_grafts(left)), _lines(_grafts(right))),
        ("depends on", _lines(_depends(left)), _lines(_depends(right))),
        ("oldest", _oldest(left), _oldest(right)),
    ]
    own = [one for one in comparison.pair.binaries if not (one.left.grafted or one.right.grafted)]
    for one in own[:_MOST_BINARIES]:
        short = one.place.rsplit("/", 1)[-1].split(".")[0]
        found.append((short[:_LABEL], *_sides(_links(one.left), _links(one.right))))
        found.append(("  run path", *_sides(one.left.rpath, one.right.rpath)))
    if len(own) > _MOST_BINARIES:
        found.append(("…", f"{len(own) - _MOST_BINARIES} more binaries: --json has all", ""))
    return [row for row in found if row[1:] != ("-", "-")]


def code_summary(comparison: Comparison) -> str:
    """Say how much of the code is equal, and where."""
    equal = sum(row.equal for row in comparison.code)
    titles = ["stage"] if comparison.pair.stage else []
    titles += [title.removeprefix("the ") for title in comparison.pair.titles]
    return f"{equal} of {len(comparison.code)} code sections byte-equal in {', '.join(titles)}"


def expected_summary(comparison: Comparison) -> str:
    """Count what is expected, by rule."""
    counts = Counter(one.code for one in comparison.findings if one.severity is Severity.EXPECTED)
    return ", ".join(
        f"{REGISTRY[code].title}{f' (x{count})' if count > 1 else ''}"
        for code, count in sorted(counts.items())
    )


def _findings(comparison: Comparison) -> Table:
    from rich.table import Table  # noqa: PLC0415 -- as above
    from rich.text import Text  # noqa: PLC0415 -- as above

    told = [one for one in comparison.findings if one.severity is not Severity.EXPECTED]
    word = comparison.verdict if comparison.verdict != "different" else "DIFFERENT"
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True, min_width=_LABEL)
    grid.add_column(overflow="fold")
    grid.add_row(Text(word, STYLES[comparison.verdict]), code_summary(comparison))
    for one in told[:_MOST_LINES]:
        label = "waived" if one.waived else one.severity.value
        grid.add_row(
            Text(label, STYLES[one.severity.value]), Text(f"{one}{f' ({one.waived})' if one.waived else ''}")
        )
    if len(told) > _MOST_LINES:
        grid.add_row("", f"… and {len(told) - _MOST_LINES} more: --json has all")
    if summary := expected_summary(comparison):
        grid.add_row(Text("expected", STYLES["expected"]), summary)
    return grid


def _sides(left: Sequence[str], right: Sequence[str]) -> tuple[str, str]:
    return _lines(left), "=" if list(left) == list(right) and left else _lines(right)


def _installed(panel: Panel) -> str:
    copies = f", {human_size(panel.private)} of it copies" if panel.private else ""
    return f"{human_size(panel.installed)} in {len(panel.files)} files{copies}"


def _grafts(panel: Panel) -> list[str]:
    return [f"{one.name.rsplit('/', 1)[-1]} ({human_size(one.size)})" for one in panel.grafted]


def _depends(panel: Panel) -> list[str]:
    return sorted(text for text in panel.depends if not text.startswith("__"))


def _oldest(panel: Panel) -> str:
    families = ("GLIBC", "macOS")
    needed = [f"needs {name} {version}" for name in families if (version := highest(panel, name))]
    stated = stated_floor(panel)
    return (
        ", ".join([*needed, *([f"states {stated}"] if stated else ["states none"] if needed else [])]) or "-"
    )


def _links(binary: PanelBinary) -> list[str]:
    """Name the needed libraries worth reading, count the C and C++ runtimes."""
    own = sorted(name for name in binary.needed if not is_system_library(name, binary.format))
    rest = len(binary.needed) - len(own)
    system = [f"+ {rest} of the system"] if rest else []
    return [*own, *system]


def _lines(values: Sequence[str]) -> str:
    return "\n".join(values) or "-"
