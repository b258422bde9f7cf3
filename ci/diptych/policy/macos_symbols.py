"""Names of macOS's own libraries that did not always exist, with the first macOS that has them."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, kw_only=True)
class NewInMacOS:
    """What came with a macOS.

    Attributes:
        what: in words.
        first: the first macOS, as numbers.
        symbols: the names of it that are wanted.
    """

    what: str
    first: tuple[int, ...]
    symbols: tuple[str, ...]


def new_in_macos(wanted: Iterable[str]) -> tuple[NewInMacOS, ...]:
    """Return what the names ask for of a macOS newer than 10.11, the newest first.

    Args:
        wanted: C names that a binary wants of the system's libraries, without Mach-O's underscore.

    >>> [(one.what, one.first) for one in new_in_macos(["strchrnul", "strchr"])]
    [('strchrnul', (15, 4))]
    """
    found: dict[int, list[str]] = {}
    for name in wanted:
        if (at := _group(name)) is not None:
            found.setdefault(at, []).append(name)
    groups = _groups()
    news = [
        NewInMacOS(what=groups[at][0], first=groups[at][1], symbols=tuple(sorted(names)))
        for at, names in found.items()
    ]
    return tuple(sorted(news, key=lambda one: (one.first, one.what), reverse=True))


def _group(name: str) -> int | None:
    match = _pattern().match(name)
    return int(match.lastgroup[1:]) if match and match.lastgroup else None


@functools.cache
def _pattern() -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<g{at}>{pattern})" for at, (_, _, pattern) in enumerate(_groups())))


@functools.cache
def _groups() -> tuple[tuple[str, tuple[int, ...], str], ...]:
    return tuple(_read())


def _read() -> Iterator[tuple[str, tuple[int, ...], str]]:
    text = resources.files("diptych").joinpath("data/macos_symbols.json").read_text(encoding="utf-8")
    for group in json.loads(text)["groups"]:
        yield group["what"], tuple(map(int, group["first"].split("."))), group["pattern"]
