"""Compare version ranges of PyPI requirements and conda specs, by trying versions.

Two ranges are compared on the versions around every number that either of them names: just below, at, and just
above it. Between two neighbouring numbers neither range can change, so that is enough.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from diptych.packages.specs import around

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_DIGITS = re.compile(r"\d+")


class Relation(Enum):
    """What two ranges have to do with each other."""

    SAME = "the same"
    NARROWER_RIGHT = "the right is narrower"
    NARROWER_LEFT = "the left is narrower"
    OVERLAP = "they overlap"
    DISJOINT = "no version satisfies both"
    UNKNOWN = "cannot be compared"


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """All specs of one dependency on one side; a version has to satisfy each.

    Attributes:
        texts: the version parts as written, such as ``>=1.26``; nothing for any version.
        admits: tells whether a version is inside; raises ValueError for what cannot be parsed.
    """

    texts: tuple[str, ...]
    admits: Callable[[str], bool]

    def __str__(self) -> str:
        return ",".join(_plainest(self.texts)) or "any"


def _plainest(texts: Sequence[str]) -> list[str]:
    """Return the parts of ranges, without lower bounds that a higher one makes idle."""
    parts = list(dict.fromkeys(part.replace(" ", "") for text in texts for part in _split(text) if part))
    lower = [part for part in parts if re.fullmatch(r">=[\d.]+", part)]
    highest = max(lower, key=lambda part: [int(number) for number in _DIGITS.findall(part)], default="")
    return [highest, *(part for part in parts if part not in lower)] if highest else parts


def _split(text: str) -> list[str]:
    return [text] if "|" in text else text.split(",")


def bounds_of_requirements(requirements: Sequence[Requirement]) -> Bounds:
    """Return the bounds of PEP 508 requirements of one project."""
    return bounds_of_specifiers([str(requirement.specifier) for requirement in requirements])


def bounds_of_specifiers(texts: Sequence[str]) -> Bounds:
    """Return the bounds of PEP 440 specifiers."""
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 -- not for listings

    def admits(version: str) -> bool:
        return all(SpecifierSet(text).contains(version, prereleases=True) for text in texts)

    return Bounds(texts=tuple(texts), admits=admits)


def bounds_of_specs(texts: Iterable[str]) -> Bounds:
    """Return the bounds of the version parts of conda specs of one package."""
    from rattler import Version, VersionSpec  # noqa: PLC0415 -- as above

    parts = tuple(texts)

    def admits(version: str) -> bool:
        try:
            return all(VersionSpec(text).matches(Version(version)) for text in parts if text)
        except Exception as error:
            raise ValueError(str(error)) from error

    return Bounds(texts=parts, admits=admits)


def relation(left: Bounds, right: Bounds) -> Relation:
    """Tell how two ranges lie to each other."""
    try:
        seen = {
            (left.admits(version), right.admits(version)) for version in around((*left.texts, *right.texts))
        }
    except ValueError:
        return Relation.UNKNOWN
    if (True, True) not in seen:
        return Relation.DISJOINT
    known = {
        (False, False): Relation.SAME,
        (True, False): Relation.NARROWER_RIGHT,
        (False, True): Relation.NARROWER_LEFT,
        (True, True): Relation.OVERLAP,
    }
    return known[(True, False) in seen, (False, True) in seen]
