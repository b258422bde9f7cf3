"""Text that does not fit is broken where a reader expects it, and goes on indented; nothing is cut."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_INDENT = "  "
_LEAST = 8
# A break may come after one of these: the parts of file names, versions and paths.
_JOINTS = re.compile(r"[^-_/.,=]*[-_/.,=]+|[^-_/.,=]+")


def folded(text: str, width: int) -> list[str]:
    """Return the lines of a text, each at most ``width`` wide: broken at blanks, inside a word only if it must be.

    Args:
        text: without line breaks.
        width: of the first line; later ones begin with two blanks.
    """
    width = max(width, _LEAST)
    lines = [""]
    for word in text.split(" "):
        room = width if len(lines) == 1 else width - len(_INDENT)
        if not lines[-1]:
            lines[-1:] = _broken(word, width, room)
        elif len(lines[-1]) + 1 + len(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines += _broken(word, width, width - len(_INDENT))
    return [lines[0], *(_INDENT + line for line in lines[1:])]


def folded_all(texts: Iterable[str], width: int) -> list[str]:
    """Return the lines of several texts, each begun on a line of its own."""
    return [line for text in texts for line in folded(text, width)]


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
