"""Why two pieces of content differ: a path, a time, an order, or a tool's version."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Sequence
from typing import Any

_SHOWN = 48
_PATH = re.compile(r"(?:file://)?/[\w.+~@%-]+(?:/[\w.+~@%-]+)+/?")
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d,?"
    r"(?: \d\d:\d\d:\d\d)?(?: \d{4})?"
    r"|\b\d\d:\d\d:\d\d\b|\b1\d{9}(?:\d{3}){0,2}(?:\.\d+)?\b"
)
_WORD = re.compile(r"[ -~]{4,}")
_VERSION = re.compile(r"\d+(?:\.\d+)+(?:[-+.\w]*)?")
_YEAR_2001, _YEAR_2040, _A_YEAR = 978_307_200, 2_208_988_800, 31_622_400
_STAMP = 4


def causes(
    one: bytes, other: bytes, folders: tuple[Sequence[str], Sequence[str]] = ((), ())
) -> tuple[str, ...]:
    """Name what makes two contents differ.

    Args:
        one: the first.
        other: the second.
        folders: the folders that each was made in, if they are known.

    Returns:
        Among "order", "path", "time" and "tool"; ("contents",) when none of them accounts for the difference.
    """
    texts = tuple(
        _named(content.decode("latin-1"), known) for content, known in zip((one, other), folders, strict=True)
    )
    if one != other and texts[0] == texts[1]:
        return ("path",)
    if _same_in_another_order(*texts):
        return ("order",)
    if _stamps(one, other):
        return ("time",)
    masks = (("path", _PATH), ("time", _TIME), ("tool", _VERSION))
    found = []
    left, right = texts
    for cause, mask in masks:
        masked = mask.sub("\0", left), mask.sub("\0", right)
        if _distance(*masked) < _distance(left, right) or sorted(mask.findall(left)) != sorted(
            mask.findall(right)
        ):
            found.append(cause)
        left, right = masked
    if left == right or (found and _same_words(left, right)):
        return tuple(found)
    return (*found, "order") if found and _same_in_another_order(left, right) else ("contents",)


def excerpt(one: bytes, other: bytes) -> str:
    """Show both contents around the first byte that differs."""
    shorter = min(len(one), len(other))
    at = next((index for index in range(shorter) if one[index] != other[index]), shorter)
    start = max(0, at - _SHOWN // 3)
    left, right = (_printable(content[start : start + _SHOWN]) for content in (one, other))
    return f'byte {at}: "{left}" / "{right}"'


def _named(text: str, folders: Sequence[str]) -> str:
    for folder in sorted(folders, key=len, reverse=True):
        text = text.replace(folder, "\0")
    return text


def _same_in_another_order(one: str, other: str) -> bool:
    if one == other:
        return False
    try:
        values = json.loads(one), json.loads(other)
    except ValueError:
        lines = one.splitlines(), other.splitlines()
        return len(lines[0]) > 1 and sorted(lines[0]) == sorted(lines[1])
    return bool(_sorted(values[0]) == _sorted(values[1]))


def _sorted(value: Any) -> Any:  # noqa: ANN401 -- any JSON value
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return sorted((_sorted(one) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    return value


def _same_words(one: str, other: str) -> bool:
    """Tell whether two binaries hold the same words: beside a path that is longer, its length differs too."""
    return "\0\0" in one and "\0\0" in other and set(_WORD.findall(one)) == set(_WORD.findall(other))


def _stamps(one: bytes, other: bytes) -> bool:
    """Tell whether all that differs are 32-bit numbers that are seconds of this century, less than a year apart."""
    if len(one) != len(other):
        return False
    places = {index // _STAMP * _STAMP for index in range(len(one)) if one[index] != other[index]}
    return bool(places) and all(
        _is_stamp(one[place : place + _STAMP], other[place : place + _STAMP]) for place in places
    )


def _is_stamp(one: bytes, other: bytes) -> bool:
    if len(one) < _STAMP or ((one + other).isascii() and (one + other).decode("ascii").isprintable()):
        return False  # four letters are a number of this century, too
    for form in ("<I", ">I"):
        values = [struct.unpack(form, content)[0] for content in (one, other)]
        if min(values) >= _YEAR_2001 and max(values) < _YEAR_2040 and max(values) - min(values) < _A_YEAR:
            return True
    return False


def _distance(one: str, other: str) -> int:
    """Count the lines that differ: enough to see whether a mask took differences away."""
    return len(set(one.splitlines()) ^ set(other.splitlines()))


def _printable(content: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in content)  # noqa: PLR2004 -- ASCII
