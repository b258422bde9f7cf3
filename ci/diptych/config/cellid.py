"""The names of cells, such as ``3.11-gcc``: written and parsed here alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from diptych.config import forms
from diptych.errors import ConfigError, nearest


@dataclass(frozen=True, kw_only=True)
class CellId:
    """A Python and a compiler, written ``3.11-gcc``."""

    python: str
    compiler: str

    def __str__(self) -> str:
        return f"{self.python}-{self.compiler}"

    @property
    def names(self) -> tuple[str, str, str]:
        """Everything a selector may name it by."""
        return str(self), self.python, self.compiler

    def matches(self, selector: str) -> bool:
        """Tell whether a selector (id, Python, compiler, or a glob over one of them) means this cell."""
        return any(fnmatchcase(name, selector) for name in self.names)


def parse_cell_id(text: str) -> CellId:
    """Take ``3.11-gcc`` apart; the compiler's name may itself have dashes.

    Raises:
        ConfigError: it is not the name of a cell.
    """
    python, _, compiler = text.partition("-")
    if not (forms.PYTHON.accepts(python) and forms.COMPILER.accepts(compiler)):
        raise ConfigError(f'"{text}" is not the name of a cell', hint='a cell is written "3.12-gcc"')
    return CellId(python=python, compiler=compiler)


def unmatched(selectors: Sequence[str], ids: Sequence[CellId]) -> list[tuple[int, str]]:
    """Return index and proposal of every selector that no cell matches."""
    return [
        (index, near_cell(selector, ids))
        for index, selector in enumerate(selectors)
        if not any(cell.matches(selector) for cell in ids)
    ]


def near_cell(selector: str, ids: Iterable[CellId]) -> str:
    """Return the proposal of the cell, Python or compiler nearest to a selector, if one is near."""
    return nearest(selector, dict.fromkeys(name for cell in ids for name in cell.names))
