"""The dependencies of both sides, matched by their names on PyPI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from diptych import markers
from diptych.compare.identity import Identity
from diptych.compare.names import runtime_reason
from diptych.compare.pairing import Pair
from diptych.compare.ranges import Bounds, Relation, bounds_of_requirements, bounds_of_specs, relation
from diptych.compare.side import Side
from diptych.specs import pypi_name


@dataclass(frozen=True, kw_only=True)
class Need:
    """One dependency of one side.

    Attributes:
        name: as that side writes it.
        bounds: the versions that it admits.
        texts: the requirements or specs as written.
    """

    name: str
    bounds: Bounds
    texts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DependencyRow:
    """One dependency on both sides.

    Attributes:
        project: normalised PyPI name.
        left: what the left side wants, likewise ``right``.
        relation: how the two ranges lie to each other; None when one side has none.
        runtime: why it stands in no wheel's requirements, for such conda packages.
    """

    project: str
    left: Need | None
    right: Need | None
    relation: Relation | None
    runtime: str = ""


def dependency_rows(pair: Pair) -> tuple[DependencyRow, ...]:
    """Return every dependency of either side, by project."""
    sides = _needs(pair.left, pair), _needs(pair.right, pair)
    return tuple(
        _row(project, sides[0].get(project), sides[1].get(project))
        for project in sorted({*sides[0], *sides[1]})
    )


def _row(project: str, left: Need | None, right: Need | None) -> DependencyRow:
    found = relation(left.bounds, right.bounds) if left and right else None
    lonely = left or right
    runtime = runtime_reason(lonely.name) if found is None and lonely else ""
    return DependencyRow(project=project, left=left, right=right, relation=found, runtime=runtime)


def _needs(side: Side, pair: Pair) -> dict[str, Need]:
    if side.kind == "conda":
        return _of_specs(side.depends)
    if side.kind == "wheel":
        return _of_requirements(side.depends, marker_environment(pair))
    return {}


def _of_specs(specs: tuple[str, ...]) -> dict[str, Need]:
    grouped: dict[str, list[str]] = {}
    for spec in specs:
        grouped.setdefault(spec.split()[0], []).append(spec)
    return {
        pypi_name(name) if not runtime_reason(name) else name: Need(
            name=name, bounds=bounds_of_specs(version_of_spec(text) for text in texts), texts=tuple(texts)
        )
        for name, texts in grouped.items()
    }


def _of_requirements(texts: tuple[str, ...], environment: Mapping[str, str]) -> dict[str, Need]:
    from packaging.requirements import Requirement  # noqa: PLC0415 -- not for listings

    grouped: dict[str, list[Requirement]] = {}
    for text in texts:
        one = Requirement(text)
        if one.marker is None or one.marker.evaluate(environment):
            grouped.setdefault(pypi_name(one.name), []).append(one)
    return {
        project: Need(name=found[0].name, bounds=bounds_of_requirements(found), texts=tuple(map(str, found)))
        for project, found in grouped.items()
    }


def version_of_spec(spec: str) -> str:
    """Return the version part of a conda spec, such as ``>=1.90,<1.91.0a0``."""
    words = spec.split(maxsplit=2)
    return words[1] if len(words) > 1 else ""


def marker_environment(pair: Pair) -> dict[str, str]:
    """Return what environment markers see on the machine that the packages are for (PEP 508)."""
    sides: tuple[Identity, Identity] = (pair.left.identity, pair.right.identity)
    python = next((side.python for side in sides if side.python), "3.12")
    platform = " ".join(side.platform for side in sides)
    mac = "osx-" in platform or "macosx" in platform
    machine = next((name for subdir, name in markers.MACHINES.items() if subdir in platform), "")
    machine = machine or next((name for name in ("aarch64", "arm64", "x86_64") if name in platform), "x86_64")
    return markers.environment(python=python, mac=mac, machine=machine)
