"""Annotations of GitHub Actions: an error or a finding at the file that it is about, shown beside the change.

Source: docs.github.com, *Workflow commands*, "Setting an error message"; the escapes are those of actions/toolkit
(packages/core/src/command.ts).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Level = Literal["error", "warning", "notice"]
_MESSAGE = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_MESSAGE, ":": "%3A", ",": "%2C"}


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where something is.

    Attributes:
        file: its path.
        line: counted from 1; 0 when it is about the file as a whole.
    """

    file: Path
    line: int = 0


def annotation(level: Level, message: str, *, title: str = "", place: Place | None = None, root: Path) -> str:
    """Return the line that makes GitHub show an annotation.

    Args:
        level: how bad it is.
        message: may have several lines.
        title: a few words.
        place: what it is about; shown beside the change when it lies in the checkout.
        root: the checkout.
    """
    properties = {"title": title}
    if place is not None:
        inside = place.file.is_relative_to(root)
        properties["file"] = (place.file.relative_to(root) if inside else place.file).as_posix()
        properties["line"] = str(place.line or "")
    words = ",".join(f"{name}={_escaped(value, _PROPERTY)}" for name, value in properties.items() if value)
    return f"::{level}{' ' if words else ''}{words}::{_escaped(message, _MESSAGE)}"


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(letter, letter) for letter in text)
