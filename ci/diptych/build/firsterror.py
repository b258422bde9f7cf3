"""Find the first error in the output of CMake, compilers and linkers: the one that caused the rest."""

from __future__ import annotations

import re
from collections.abc import Sequence

# gcc and clang "FILE:LINE:COLUMN: error:", CMake "CMake Error at", linkers "undefined reference to", "cannot find -l".
_ERROR = re.compile(
    r"\berror:|^CMake Error|undefined reference to|undefined symbol:|cannot find -l|^ninja: error"
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
