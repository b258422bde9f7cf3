"""Requirements of PyPI as what the table takes: conda-forge's names, with versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from diptych import markers
from diptych.specs import conda_name

_ANY = markers.of_platform("linux-64", python="3.12")


def project_name(text: str) -> str:
    """Return the canonical name of a requirement, or an empty string when it is none."""
    try:
        return canonicalize_name(Requirement(text).name)
    except InvalidRequirement:
        return ""


def extras_of(text: str) -> tuple[str, ...]:
    """Return the extras that a requirement names, sorted."""
    try:
        return tuple(sorted(Requirement(text).extras))
    except InvalidRequirement:
        return ()


def match_spec(text: str) -> str | None:
    """Write a requirement as a conda match spec, under conda-forge's name; ``None`` when it is none, is not for this platform, or is a URL.

    Extras are left out: conda has none.
    """
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return None
    if requirement.url or (requirement.marker and not requirement.marker.evaluate(_ANY)):
        return None
    versions = ",".join(_versions(str(one)) for one in requirement.specifier)
    return f"{conda_name(requirement.name)} {versions}".strip()


def _versions(clause: str) -> str:
    """Write one clause as conda has it: ``~=1.4.2`` is the same there; ``===`` is ``==``."""
    return clause.replace("===", "==").replace(" ", "")


def group(groups: Mapping[str, Any], name: str, seen: frozenset[str] = frozenset()) -> list[str]:
    """Return the requirements of a PEP 735 dependency group, with those that it includes."""
    wanted = canonicalize_name(name)
    found: list[str] = []
    for known, entries in groups.items():
        if canonicalize_name(known) != wanted or wanted in seen or not isinstance(entries, list):
            continue
        for entry in entries:
            if isinstance(entry, str):
                found.append(entry)
            elif isinstance(entry, dict) and isinstance(entry.get("include-group"), str):
                found += group(groups, entry["include-group"], seen | {wanted})
    return found


def merged(specs: Iterable[str]) -> tuple[str, ...]:
    """Keep the first spec of each name, or the first with a version."""
    found: dict[str, str] = {}
    for spec in specs:
        name = canonicalize_name(spec.split()[0])
        if name not in found or (" " not in found[name] and " " in spec):
            found[name] = spec
    return tuple(found.values())
