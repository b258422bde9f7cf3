"""Requirements of Python projects (PEP 508) as conda's match specifications: names, versions, markers.

``data/conda_names.json`` says from when and from where the names are.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from importlib import resources

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import Specifier, SpecifierSet
from packaging.utils import canonicalize_name

from diptych import markers
from diptych.errors import PackageError


@functools.cache
def _conda_names() -> dict[str, list[str]]:
    """Return the canonical PyPI names that conda-forge calls otherwise, with its names, the usual one first."""
    text = resources.files("diptych").joinpath("data/conda_names.json").read_text(encoding="utf-8")
    found: dict[str, list[str]] = json.loads(text)["conda_names"]
    return found


@functools.cache
def _pypi_names() -> dict[str, str]:
    """Return the project of each conda name, canonical; one that is called so as usual wins over others, the first of several."""
    found: dict[str, str] = {}
    for place in ("usual", "other"):
        for project, names in _conda_names().items():
            for name in names[:1] if place == "usual" else names[1:]:
                found.setdefault(canonicalize_name(name), project)
    return found


def renamed() -> tuple[str, ...]:
    """Return conda-forge's usual names of projects that are called otherwise on PyPI."""
    return tuple(names[0] for names in _conda_names().values())


def pypi_name(conda: str) -> str:
    """Return the canonical PyPI name of a conda package; its own name unless the data knows another."""
    canonical = canonicalize_name(conda)
    return _pypi_names().get(canonical, canonical)


def conda_name(pypi: str) -> str:
    """Return what conda-forge usually calls a PyPI project."""
    canonical = canonicalize_name(pypi)
    return _conda_names().get(canonical, [canonical])[0]


def conda_names(pypi: str) -> tuple[str, ...]:
    """Return the canonical conda names that a PyPI project may have, the usual one first, its own last."""
    canonical = canonicalize_name(pypi)
    return tuple(dict.fromkeys(map(canonicalize_name, [*_conda_names().get(canonical, ()), canonical])))


def of_requirements(
    requirements: Sequence[str], *, python: str, platform: str, known: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Return the conda match specifications of requirements (PEP 508) that hold for a cell.

    Args:
        requirements: as METADATA or ``project.dependencies`` has them.
        python: ``3.11``.
        platform: conda's name, such as ``linux-64``.
        known: ``names`` of the table.

    Raises:
        PackageError: one cannot be read.
    """
    environment = markers.of_platform(platform, python=python)
    own = {str(canonicalize_name(name)): conda for name, conda in (known or {}).items()}
    found = []
    for text in requirements:
        try:
            one = Requirement(text)
        except InvalidRequirement as error:
            raise PackageError(f'cannot read the requirement "{text}": {error}') from error
        if one.marker is None or one.marker.evaluate(environment):
            project = canonicalize_name(one.name)
            conda = own.get(project) or conda_name(project)
            found.append(f"{conda} {to_conda(one.specifier)}".strip())
    return tuple(found)


def to_conda(specifiers: SpecifierSet | str) -> str:
    """Translate PEP 440 specifiers into conda's version range; empty for any."""
    return ",".join(sorted(_conda_part(each) for each in SpecifierSet(str(specifiers))))


def _conda_part(specifier: Specifier) -> str:
    operator, version = specifier.operator, specifier.version
    if operator == "~=":
        # conda's own ~= is younger than some solvers; the long form says the same (PEP 440).
        return f">={version},{version.rpartition('.')[0]}.*"
    if operator == "==" and version.endswith(".*"):
        return version
    return f"{operator.replace('===', '==')}{version}"
