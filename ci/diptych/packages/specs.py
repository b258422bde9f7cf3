"""Conda match specs of one package name, made one: their intersection."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import combinations
from typing import TYPE_CHECKING

from diptych.errors import PackageError
from diptych.packages.needs import Need

if TYPE_CHECKING:
    import rattler

_NUMBER = re.compile(r"\d+(?:\.\d+)*")
_BOUND = re.compile(r"(>=|<=|>|<)(.+)")


def name_of(spec: str) -> str:
    """Return the name of a match spec."""
    return re.split(r"[\s=<>!~\[]", spec.strip(), maxsplit=1)[0]


def merged(needs: Iterable[Need]) -> list[Need]:
    """Return one requirement a name, sorted: the versions that satisfy every one of its sources.

    Raises:
        PackageError: no version satisfies two of them, or one cannot be read; both sources are named.
    """
    groups: dict[str, list[Need]] = {}
    for need in needs:
        groups.setdefault(name_of(need.spec), []).append(need)
    return [_one(name, groups[name]) for name in sorted(groups)]


def around(texts: Iterable[str]) -> list[str]:
    """Return versions that tell ranges apart: just below, at, and just above every number that they name.

    Between two neighbouring numbers no range can change, so nothing else has to be tried.
    """
    found = {"0", "99999"}
    for number in {match for text in texts for match in _NUMBER.findall(text)}:
        parts = [int(part) for part in number.split(".")]
        found.add(number)
        found.add(".".join(map(str, [*parts, 0, 1])))
        for index, part in enumerate(parts):
            found.add(".".join(map(str, [*parts[:index], part + 1])))
            if part:
                found.add(".".join(map(str, [*parts[:index], part - 1, 99999])))
    return sorted(found)


def _one(name: str, needs: Sequence[Need]) -> Need:
    distinct = list({need.spec: need for need in reversed(needs)}.values())[::-1]
    source = "; ".join(dict.fromkeys(need.source for need in distinct))
    if len(distinct) == 1:
        return Need(spec=distinct[0].spec, source=source)
    parsed = [(need, _parsed(need)) for need in distinct]
    for (first, one), (second, other) in combinations(parsed, 2):
        if not _meet(one, other):
            raise PackageError(
                f"no version of {name} satisfies both of its bounds",
                details=[f'"{need.spec}" comes from {need.source}' for need in (first, second)],
                hint="change the recipe's host or run section, so that one bound lies within the other",
            )
    version = ",".join(_tightest(str(one.version) for _, one in parsed if one.version is not None))
    build = next((str(one.build) for _, one in sorted(parsed, key=_wildcards) if one.build is not None), "")
    words = [name, version or ("*" if build else ""), build]
    return Need(spec=" ".join(word for word in words if word), source=source)


def _wildcards(one: tuple[Need, rattler.MatchSpec]) -> int:
    return str(one[1].build or "*").count("*")


def _parsed(need: Need) -> rattler.MatchSpec:
    import rattler  # noqa: PLC0415 -- only when a package is made
    from rattler.exceptions import InvalidMatchSpecError  # noqa: PLC0415 -- as above

    try:
        return rattler.MatchSpec(need.spec)
    except InvalidMatchSpecError as error:
        raise PackageError(f'cannot read the requirement "{need.spec}" of {need.source}: {error}') from error


def _meet(one: rattler.MatchSpec, other: rattler.MatchSpec) -> bool:
    """Tell whether a version, and a build string, can satisfy both."""
    import rattler  # noqa: PLC0415 -- as above

    builds = [str(spec.build) for spec in (one, other) if spec.build is not None]
    if len(set(builds)) > 1 and not (fnmatchcase(*builds) or fnmatchcase(*builds[::-1])):
        return False
    ranges = [rattler.VersionSpec(str(spec.version)) for spec in (one, other) if spec.version is not None]
    versions = around(str(spec.version) for spec in (one, other) if spec.version is not None)
    return any(all(each.matches(rattler.Version(version)) for each in ranges) for version in versions)


def _tightest(texts: Iterable[str]) -> Iterator[str]:
    """Yield the parts of ranges without bounds that another makes idle: the highest lower and the lowest upper one."""
    from rattler import Version  # noqa: PLC0415 -- as above

    lower: list[tuple[Version, bool, str]] = []
    upper: list[tuple[Version, bool, str]] = []
    rest: list[str] = []
    for part in dict.fromkeys(part for text in texts for part in _parts(text)):
        found = _BOUND.fullmatch(part)
        if found is None or "*" in part or "|" in part:
            rest.append(part)
        elif part.startswith(">"):
            lower.append((Version(found[2]), found[1] == ">", part))
        else:
            upper.append((Version(found[2]), found[1] == "<=", part))
    # Of two at one version the open end is the tighter: > above >=, < below <=.
    yield from (max(lower)[2],) if lower else ()
    yield from (min(upper)[2],) if upper else ()
    yield from rest


def _parts(text: str) -> list[str]:
    return [f"({text})"] if "|" in text else [part for part in text.split(",") if part not in {"", "*"}]
