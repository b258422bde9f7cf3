"""Wrap text: lines break at blanks, or after the joints of long names, and go on indented."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.measure import Measurement
    from rich.text import Text

_INDENT = "  "
_LEAST = 8
# A break may come after one of these: the parts of file names, versions and paths.
_JOINTS = re.compile(r"[^-_/.,=]*[-_/.,=]+|[^-_/.,=]+")


@dataclass(frozen=True)
class Wrapped:
    """A text in a column of a table: it takes the width that there is."""

    text: str

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Yield the lines; rich calls this with the column's width."""
        from rich.text import Text  # noqa: PLC0415 -- only when something is shown

        yield from map(Text, wrapped(self.text, options.max_width))

    def __rich_measure__(self, _console: Console, options: ConsoleOptions) -> Measurement:
        """Say how narrow and how wide it may be."""
        from rich.measure import Measurement  # noqa: PLC0415 -- as above

        return Measurement(_LEAST, len(self.text)).clamp(max_width=options.max_width)


def wrapped(text: str, width: int) -> list[str]:
    """Return the lines of a text, each at most ``width`` wide: broken at blanks, inside a word only if it must be.

    Args:
        text: without line breaks.
        width: of the first line; later ones begin with two blanks.
    """
    bare = text.lstrip(" ")
    lead = " " * (len(text) - len(bare))
    width = max(width - len(lead), _LEAST)
    lines = [""]
    for word in bare.split(" "):
        room = width if len(lines) == 1 else width - len(_INDENT)
        if not lines[-1]:
            lines[-1:] = _broken(word, width, room)
        elif len(lines[-1]) + 1 + len(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines += _broken(word, width, width - len(_INDENT))
    return [lead + lines[0], *(lead + _INDENT + line for line in lines[1:])]


def wrapped_all(texts: Iterable[str], width: int) -> list[str]:
    """Return the lines of several texts, each begun on a line of its own."""
    return [line for text in texts for line in wrapped(text, width)]


def _broken(word: str, width: int, room: int) -> list[str]:
    """Break a word that is longer than the room: the first part fits that, the others what later lines have."""
    lines = [""]
    for part in _parts(word, width - len(_INDENT)):
        if lines[-1] and len(lines[-1]) + len(part) > room:
            lines.append("")
            room = width - len(_INDENT)
        lines[-1] += part
    return lines


def _parts(word: str, most: int) -> Iterator[str]:
    for part in _JOINTS.findall(word):
        yield from (part[at : at + most] for at in range(0, len(part), most))
