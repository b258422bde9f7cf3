"""The table to write: its keys, and where each comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from diptych.adopt.model import Setting, Untold


@dataclass(frozen=True, kw_only=True)
class Line:
    """One key of the table.

    Attributes:
        key: its name.
        value: a string, a list of strings or a table of strings.
        why: where each part comes from, in words.
    """

    key: str
    value: Any
    why: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The table to write, and what could not be told."""

    lines: tuple[Line, ...]
    untold: tuple[Untold, ...]


def origins(settings: Iterable[Setting]) -> tuple[str, ...]:
    """Return where values come from, once each."""
    return unique(str(one.origin) for one in settings)


def unique(words: Iterable[str]) -> tuple[str, ...]:
    """Return words in their order, once each."""
    return tuple(dict.fromkeys(words))
