"""Faults of a TOML file with their places, collected so that one error shows them all."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from diptych.annotations import Place as FilePlace
from diptych.errors import ConfigError

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_SHOWN = 60
_LARGEST_SHOWN = 10**15


@dataclass(frozen=True, kw_only=True)
class Place:
    """A dotted path such as ``tool.diptych.overrides[1].inherit``, with the list that takes its faults.

    Attributes:
        path: the path as a person would write it.
        faults: the lines found so far, shared by all places of one load.
    """

    path: str
    faults: list[str] = field(default_factory=list)

    def key(self, name: str) -> Place:
        """Return the place of a key below this one, quoted when TOML would need quotes."""
        shown_name = name if _BARE_KEY.fullmatch(name) else shown(name)
        return Place(path=f"{self.path}.{shown_name}", faults=self.faults)

    def item(self, index: int) -> Place:
        """Return the place of an entry of the list that stands here."""
        return Place(path=f"{self.path}[{index}]", faults=self.faults)

    def fault(self, problem: str) -> None:
        """Record that something is wrong with what stands here, or with its absence."""
        self.faults.append(f"{self.path}: {problem}")

    def wrong(self, value: object, problem: str) -> None:
        """Record that the value that stands here is wrong, and show it."""
        self.faults.append(f"{self.path} = {shown(value)}: {problem}")


def shown(value: object) -> str:
    """Write a TOML value on one short line for a message."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list" if value else "[]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) > _LARGEST_SHOWN:  # thousands of digits cannot even be converted
        return "a large number"
    if not isinstance(value, str):
        return str(value)
    cut = value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…"
    quoted = json.dumps(cut, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in quoted)


def all_faults(faults: Sequence[str], file: Path) -> ConfigError:
    """Return one error that has every fault on a line of its own."""
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return ConfigError(
        f'{count} in the settings of "{file}"',
        details=faults,
        place=FilePlace(file=file),
        hint='mend that; the reference page "The table [tool.diptych]" has every key',
    )
