"""What conda-forge calls a CMake package, a pkg-config module, a library or a project of PyPI: data, looked up.

``names.json`` says from when and from where the names are.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from packaging.utils import canonicalize_name

from diptych.adopt.model import Need
from diptych.specs import conda_name, pypi_name


@functools.cache
def data() -> Mapping[str, Any]:
    """Return the tables of ``names.json``."""
    text = resources.files("diptych.adopt").joinpath("names.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def conda_names(need: Need, known: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the conda packages that bring what is needed.

    Args:
        need: what.
        known: ``names`` of the table, which win over the data.

    Returns:
        Their names: none where the compiler, the C library or Python brings it; ``None`` where it is not known.
    """
    own = [conda for name, conda in known.items() if name.lower() == f"{need.kind}:{need.name}".lower()]
    if own:
        return (own[0],)
    match need.kind:
        case "conda":
            return (need.name,)
        case "pypi":
            return (conda_of_project(need.name),)
        case "external":
            return _of_external(need.name)
        case "cmake" | "pkg-config" | "library":
            return _of_build_file(need)


def _of_build_file(need: Need) -> tuple[str, ...] | None:
    if parts := _of_components(need):
        return parts
    if need.name.lower() in _system(need.kind):
        return ()
    found = _folded(need.kind).get(need.name.lower())
    return None if found is None else (found,)


def _of_components(need: Need) -> tuple[str, ...]:
    """Return what some components need besides or instead: Boost's Python libraries, NumPy's headers."""
    known: Mapping[str, str] = data()["components"].get(need.name, {}) if need.kind == "cmake" else {}
    found = {
        package
        for component in need.components
        for prefix, package in known.items()
        if component.startswith(prefix)
    }
    return tuple(sorted(found))


def _of_external(identifier: str) -> tuple[str, ...] | None:
    """Read a PEP 725 identifier such as ``dep:generic/zlib``, ``dep:virtual/compiler/c`` or ``dep:pypi/numpy``."""
    kind, _, rest = identifier.partition(":")[2].partition("/")
    name = rest.split("@")[0].split("?")[0].strip("/")
    if kind == "virtual":
        return () if name.startswith(("compiler/", "interface/")) else None
    if kind == "pypi":
        return (conda_of_project(name),)
    if kind == "generic":
        folded = name.lower()
        for table in ("library", "pkg-config", "cmake"):
            if found := _folded(table).get(folded) or _folded(table).get(folded.removeprefix("lib")):
                return (found,)
        return (folded,) if folded in known_libraries() else None
    return None


@functools.cache
def _folded(kind: str) -> Mapping[str, str]:
    return {name.lower(): package for name, package in data()[kind].items()}


@functools.cache
def _system(kind: str) -> frozenset[str]:
    return frozenset(name.lower() for name in data()["system"][kind])


@functools.cache
def known_libraries() -> frozenset[str]:
    """Return every conda package that the data knows as one to compile against."""
    return frozenset(
        package for table in ("cmake", "pkg-config", "library") for package in data()[table].values()
    ) | {"libboost-python-devel", "libboost-headers", "boost", "boost-cpp", "numpy"}


def conda_of_project(project: str) -> str:
    """Return the conda package of a project of PyPI that a host environment takes."""
    return str(data()["pypi"].get(canonicalize_name(project)) or conda_name(project))


def projects_of_conda(package: str) -> tuple[str, ...]:
    """Return the projects of PyPI that a conda package may be, canonical names, its own first."""
    others = [project for project, conda in data()["pypi"].items() if conda == package]
    return (canonicalize_name(package), pypi_name(package), *others)
