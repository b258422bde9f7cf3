"""The comparison of one cell as a terminal table: wheel | conda."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from diptych.compare.cell import Comparison
from diptych.compare.panel import Panel, PanelBinary, plain_name
from diptych.output import human_size
from diptych.system import is_system_library

if TYPE_CHECKING:
    from rich.table import Table


def cell_table(comparison: Comparison) -> Table:
    """Lay the two panels side by side."""
    from rich.table import Table  # noqa: PLC0415 -- only when something is shown
    from rich.text import Text  # noqa: PLC0415 -- as above

    table = Table(title=f"{comparison.cell}: one compile, two packages", title_justify="left", expand=False)
    table.add_column("", style="bold", no_wrap=True)
    table.add_column("wheel", overflow="fold")
    table.add_column("conda", overflow="fold")
    for name, wheel, conda in rows(comparison):
        table.add_row(name, Text(wheel), Text(conda))
    verdict = Text("equal", style="green") if comparison else Text("DIFFERENT", style="bold red")
    table.add_section()
    table.add_row("code", verdict, _code_summary(comparison))
    return table


def rows(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Return the table's rows as plain text; ``=`` on the right says that it is as on the left."""
    wheel, conda = comparison.wheel, comparison.conda
    found = [
        ("file", wheel.title, conda.title),
        ("download", human_size(wheel.size), human_size(conda.size)),
        ("installed", human_size(wheel.installed), human_size(conda.installed)),
        ("files", str(len(wheel.files)), str(len(conda.files))),
        ("brings", _lines(_grafts(wheel)), "nothing: it depends instead"),
        ("depends on", _lines(wheel.depends), _lines(_depends(conda))),
    ]
    for binary in wheel.own:
        other = conda.binaries.get(binary.name)
        short = binary.name.rsplit("/", 1)[-1].split(".")[0]
        found.append((f"{short} needs", *_sides(_needs(binary), _needs(other) if other else ["not there"])))
        found.append((f"{short} rpath", *_sides(binary.rpath, other.rpath if other else ())))
    return found


def _sides(left: Sequence[str], right: Sequence[str]) -> tuple[str, str]:
    return _lines(left), "=" if list(left) == list(right) and left else _lines(right)


def _grafts(panel: Panel) -> list[str]:
    return [f"{plain_name(one.name.rsplit('/', 1)[-1])} ({human_size(one.size)})" for one in panel.grafted]


def _depends(panel: Panel) -> list[str]:
    return sorted(text for text in panel.depends if not text.startswith("__"))


def _needs(binary: PanelBinary) -> list[str]:
    """Name what is worth reading; the C and C++ runtimes are counted."""
    own = sorted(name for name in binary.needed if not is_system_library(name, "elf"))
    rest = len(binary.needed) - len(own)
    return [*own, *([f"{rest} of the system"] if rest else [])]


def _code_summary(comparison: Comparison) -> str:
    equal = sum(row.equal for row in comparison.code)
    return f"{equal} of {len(comparison.code)} sections byte-equal in stage, wheel, conda"


def _lines(values: Sequence[str]) -> str:
    return "\n".join(values) or "-"
