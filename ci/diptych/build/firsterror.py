"""Find the first error in the output of CMake, compilers and linkers: the one that caused the rest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from diptych.annotations import Place

# gcc and clang "FILE:LINE:COLUMN: error:", CMake "CMake Error at", linkers "undefined reference to", "cannot find -l".
_ERROR = re.compile(
    r"\berror:|^CMake Error|undefined reference to|undefined symbol:|cannot find -l|^ninja: error"
)
_AT = re.compile(
    r"^(?P<file>[^\s:][^:]*):(?P<line>\d+)(?::\d+)?: (?:fatal )?error:|^CMake Error at (?P<cmake>[^:]+):(?P<row>\d+)"
)
_BEFORE = 1
_AFTER = 14


def first_error(output: str) -> Sequence[str]:
    """Return the lines around the first error, and how many more there are; nothing when none is recognised.

    Args:
        output: what the tool printed.
    """
    lines = output.rstrip().splitlines()
    places = [number for number, line in enumerate(lines) if _ERROR.search(line)]
    if not places:
        return ()
    start, end = max(places[0] - _BEFORE, 0), places[0] + _AFTER
    more = sum(place >= end for place in places)
    return [*lines[start:end], *([f"… and {more} more errors"] if more else [])]


def error_place(lines: Sequence[str], *, source: Path) -> Place | None:
    """Return the file and line that the first error is at, when a compiler or CMake names them.

    Args:
        lines: what :func:`first_error` returned.
        source: what CMake's paths are relative to.
    """
    found = next((match for line in lines if (match := _AT.match(line))), None)
    if found is None:
        return None
    return Place(file=source / (found["file"] or found["cmake"]), line=int(found["line"] or found["row"]))
