"""As much of C++ name mangling as tells one function from another (Itanium C++ ABI, chapter 5.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_PART = re.compile(r"(?P<length>\d+)|St|S[0-9A-Z]*_|[CD]\d")
_TAG = re.compile(r"B(\d+)")
_NEW = ("__cxx11", "B5cxx11")


def is_cxx(symbol: str) -> bool:
    """Tell whether a name is a mangled C++ one."""
    return symbol.startswith("_Z")


def has_new_string(symbol: str) -> bool:
    """Tell whether a name speaks of libstdc++'s newer std::string or std::list (``_GLIBCXX_USE_CXX11_ABI=1``)."""
    return any(mark in symbol for mark in _NEW)


def qualified_name(symbol: str) -> str | None:
    """Return the mangled name without parameters and ABI tags; None for templates and whatever is not understood.

    >>> qualified_name("_ZN3pot4nameB5cxx11Ev") == qualified_name("_ZN3pot4nameEv")
    True
    """
    start = re.match(r"_Z(N[rVK]*)?", symbol)
    if start is None:
        return None
    at, parts = start.end(), [start[0]]
    while match := _PART.match(symbol, at):
        end = match.end() + int(match["length"] or 0)
        parts.append(symbol[at:end])
        at = end
        while tag := _TAG.match(symbol, at):
            at = tag.end() + int(tag[1])
        if not start[1]:
            return "".join(parts)
    nested = bool(start[1]) and symbol[at : at + 1] == "E" and len(parts) > 1
    return "".join(parts) if nested else None


def other_string(symbol: str, defined: Iterable[str]) -> Iterator[str]:
    """Yield the definitions that are the same function, made with the other std::string.

    Args:
        symbol: an undefined name.
        defined: names to look through.
    """
    name = qualified_name(symbol)
    if name is None:
        return
    new = has_new_string(symbol)
    for other in defined:
        if not other.startswith(name[:6]) or has_new_string(other) is new or qualified_name(other) != name:
            continue
        if _differ_by_string(*((symbol, other) if new else (other, symbol))):
            yield other


def _differ_by_string(new: str, old: str) -> bool:
    """An overload can lack the newer std::string for other reasons: the older one is mangled ``Ss``, std::list plainly."""
    return "B5cxx11" in new or "Ss" in old or "St4list" in old
