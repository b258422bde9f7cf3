"""DIP84x and DIP85x: do the packages say the same about themselves, and cost the same?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.utils import canonicalize_name

from diptych.compare.model import Found, Severity, rule
from diptych.compare.pairing import Pair
from diptych.specs import conda_names

_WELL_KNOWN = ("homepage", "source", "documentation")
_SIZE_RATIO = 1.25
_SIZE_STEP = 32_000


def _described(pair: Pair) -> bool:
    """Tell whether both sides describe themselves (a bare folder does not)."""
    return "folder" not in {pair.left.kind, pair.right.kind}


@rule("DIP841", "names differ", Severity.DRIFT)
def names(pair: Pair) -> Iterator[Found]:
    """The conda package is not called as the project on PyPI, nor as the name map says.

    Why: people and tools look for the other under the name of the one.

    Mend: give the recipe the project's name.

    Source: PEP 503; conda-forge's naming rules.
    """
    left, right = pair.left.identity.name, pair.right.identity.name
    if not _described(pair) or canonicalize_name(left) == canonicalize_name(right):
        return
    if canonicalize_name(right) not in conda_names(left) and canonicalize_name(left) not in conda_names(
        right
    ):
        yield Found(message=f"{left} | {right}")


@rule("DIP842", "versions differ", Severity.ERROR)
def versions(pair: Pair) -> Iterator[Found]:
    """The packages have different versions.

    Why: they are not of one release.

    Mend: take the version of the recipe from pyproject.toml.

    Source: PEP 440.
    """
    left, right = pair.left.identity.version, pair.right.identity.version
    if _described(pair) and _plain_version(left) != _plain_version(right):
        yield Found(message=f"{left} | {right}")


def _plain_version(text: str) -> str:
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 -- not for listings

    try:
        return str(Version(text.replace("_", "-")))
    except InvalidVersion:
        return text


@rule("DIP843", "licences differ", Severity.DRIFT)
def licences(pair: Pair) -> Iterator[Found]:
    """The licence expressions are not the same.

    Why: people decide by them whether they may use the package.

    Mend: one SPDX expression in `project.license` and in `about.license`.

    Source: PEP 639; SPDX.
    """
    left, right = pair.left.identity.licence, pair.right.identity.licence
    if _described(pair) and _words(left) != _words(right):
        yield Found(message=f"{_first_line(left)} | {_first_line(right)}")


@rule("DIP844", "summaries differ", Severity.DRIFT)
def summaries(pair: Pair) -> Iterator[Found]:
    """The one-line descriptions are not the same.

    Why: the two indexes describe the project differently; one of them is usually out of date.

    Mend: one text in `project.description` and in `about.summary`.

    Source: core metadata (Summary).
    """
    left, right = pair.left.identity.summary, pair.right.identity.summary
    if _described(pair) and _words(left) != _words(right):
        yield Found(message=f"{left or 'none'} | {right or 'none'}")


@rule("DIP845", "URLs differ", Severity.DRIFT)
def urls(pair: Pair) -> Iterator[Found]:
    """Home page, source or documentation are not the same, or named on one side only.

    Why: people who report a fault end up in different places.

    Mend: `project.urls` and `homepage`, `repository`, `documentation` of the recipe's `about`.

    Source: PyPA, "Well-known Project URLs in Metadata"; recipe format, `about`.
    """
    if not _described(pair):
        return
    left, right = pair.left.identity.urls, pair.right.identity.urls
    for label in _WELL_KNOWN:
        sides = left.get(label, ""), right.get(label, "")
        if sides[0].rstrip("/") != sides[1].rstrip("/"):
            yield Found(place=label, message=f"{sides[0] or 'none'} | {sides[1] or 'none'}")


@rule("DIP846", "entry points differ", Severity.ERROR)
def entry_points(pair: Pair) -> Iterator[Found]:
    """A command or plug-in is declared on one side only, or leads elsewhere.

    Why: the command is missing, or does something else, for half of the users.

    Mend: `project.scripts` and the recipe's `python.entry_points` name the same; plug-ins need `.dist-info` (DIP824).

    Source: entry points specification; recipe format.
    """
    if not _described(pair):
        return
    left, right = dict(pair.left.identity.entry_points), dict(pair.right.identity.entry_points)
    for point in sorted({*left, *right}):
        sides = left.get(point), right.get(point)
        name = point.partition(":")[2]
        there = [f"$PREFIX/bin/{name}" in side.files for side in (pair.left, pair.right)]
        if sides[0] == sides[1] or (None in sides and any(there) and point.startswith(("console", "gui"))):
            continue  # a script that is there already needs no declaration
        yield Found(place=point, message=f"{sides[0] or 'not declared'} | {sides[1] or 'not declared'}")


@rule("DIP851", "sizes differ without a reason", Severity.DRIFT)
def sizes(pair: Pair) -> Iterator[Found]:
    """What is the project's own takes much more room on one side, and neither code nor debug information says why.

    Why: something was packed twice, not stripped, or padded.

    Mend: compare the files below, largest first.

    Source: pydistcheck (pypi.org/project/pydistcheck).
    """
    for one in pair.binaries:
        if one.foreign or not one.same_code or one.left.debug != one.right.debug:
            continue
        small, large = sorted((one.left.size, one.right.size))
        if large > small * _SIZE_RATIO and large - small > _SIZE_STEP:
            yield Found(
                place=one.place, message=f"{one.left.size} | {one.right.size} bytes for the same code"
            )


def _words(text: str) -> str:
    return re.sub(r"[\s.]+", " ", text).strip().lower()


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:80] if text.strip() else "none"
