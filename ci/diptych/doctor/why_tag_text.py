"""The reasons of a tag as a tree for a person."""

from __future__ import annotations

from collections.abc import Iterator

from diptych.doctor.text import Line, wrapped
from diptych.doctor.why_tag import Reason, WhyTag

_SYMBOLS, _PLACES, _VERSIONS = 4, 2, 6


def why_tag_lines(why: WhyTag) -> Iterator[Line]:
    """Yield the tree, in 80 columns."""
    yield from wrapped(why.wheel, "", style="bold")
    asked = str(why.lowest) if why.lowest else "more than any policy has: linux, no manylinux tag"
    yield from wrapped(f"tagged {', '.join(why.tags)}; its contents ask for {asked}", "  ", hang="  ")
    for level, without in why.steps:
        title = str(level) if level else "beyond every policy"
        yield Line()
        yield Line(text=f"{title}    (without what follows: {without})", style="bold")
        reasons = [one for one in why.reasons if one.level == level]
        for reason in reasons[:_VERSIONS]:
            yield from _reason(reason)
        if len(reasons) > _VERSIONS:
            yield Line(text=f"  and {len(reasons) - _VERSIONS} more versions")
    if not why.reasons:
        yield Line(text=f"  nothing asks for more than {why.floor}, the oldest policy for this machine")
    if why.floor.family == "musllinux":
        words = "musl's names carry no versions: which musl it was built for is known to its builder alone"
        yield from wrapped(words, "  ", hang="  ")


def _reason(reason: Reason) -> Iterator[Line]:
    yield Line(text=f"  {reason.what}")
    shown = list(reason.users.items())
    for symbol, places in shown[:_SYMBOLS]:
        if symbol:
            yield from wrapped(symbol, "    ", hang="      ")
        for place in places[:_PLACES]:
            yield from wrapped(place, "      in ", hang="         ")
        if len(places) > _PLACES:
            yield Line(text=f"         and {len(places) - _PLACES} more objects")
    if len(shown) > _SYMBOLS:
        yield Line(text=f"    and {len(shown) - _SYMBOLS} more symbols")
