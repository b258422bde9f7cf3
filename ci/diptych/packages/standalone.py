"""A recipe that builds by itself from the source distribution, ready for conda-forge's staged-recipes.

Form: rattler-build's recipe format, schema version 1, as conda-forge's feedstocks write it: the source by URL and hash,
compilers and C library by function (``compiler``, ``stdlib``), pip without dependencies and without build isolation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from diptych.config.buildsystem import build_system_of
from diptych.packages.recipe import (
    RecipeFacts,
    about_part,
    host_requirements,
    python_part,
    run_requirements,
    tests_part,
)
from diptych.specs import conda_name, to_conda

_PIP = "${{ PYTHON }} -m pip install . -vv --no-deps --no-build-isolation"
_OF_THE_BUILD_ENVIRONMENT = ("cmake", "ninja", "make", "pkg-config", "swig")
"""Programs: conda-forge has them in ``build``, which runs on the building machine, not in ``host``."""


@dataclass(frozen=True, kw_only=True)
class Archive:
    """The source distribution.

    Attributes:
        url: where it will be fetched; empty: where PyPI keeps it.
        filename: its name.
        sha256: its hash.
    """

    filename: str
    sha256: str
    url: str = ""


def standalone_recipe(
    facts: RecipeFacts, archive: Archive, maintainers: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the recipe as plain values.

    Args:
        facts: the project, and the cell whose host environment it builds in.
        archive: the source distribution.
        maintainers: names on GitHub, for ``recipe-maintainers``.

    Raises:
        PackageError: the metadata has a dependency that cannot be read.
        ConfigError: pyproject.toml cannot be read.
    """
    name, version = facts.name, str(facts.raw["version"])
    needed = list(_build_requirements(facts))
    build: dict[str, Any] = {"number": 0, "script": _script(needed), **python_part(facts)}
    if below := _oldest_python(facts):
        build["skip"] = [f'match(python, "<{below}")']
    # An error instead of a warning, which is easily passed over.
    build["dynamic_linking"] = {"overlinking_behavior": "error", "overdepending_behavior": "error"}
    return {
        "schema_version": 1,
        "context": {"name": name, "version": version},
        "package": {"name": "${{ name }}", "version": "${{ version }}"},
        "source": {"url": archive.url or _pypi(archive, name, version), "sha256": archive.sha256},
        "build": build,
        "requirements": {
            "build": needed,
            "host": list(_host_requirements(facts)),
            "run": [_spaced(spec) for spec in run_requirements(facts)],
        },
        "tests": tests_part(facts),
        "about": about_part(facts, list(facts.raw.get("license_files", ()))),
        "extra": {"recipe-maintainers": list(maintainers)},
    }


def _script(needed: list[str]) -> str | dict[str, Any]:
    """Return the build script; where Ninja is there, CMake has to be told so.

    rattler-build sets CMAKE_GENERATOR to "Unix Makefiles" (its documentation, "Build script"), and no recipe's build environment
    has make unless it asks for it.
    """
    if "ninja" not in {_name(spec) for spec in needed}:
        return _PIP
    return {"content": _PIP, "env": {"CMAKE_GENERATOR": "Ninja"}}


def _pypi(archive: Archive, name: str, version: str) -> str:
    """Return PyPI's address that does not change with the upload (docs.pypi.org, "Predictable URLs")."""
    file = archive.filename.replace(f"-{version}.", "-${{ version }}.")
    return f"https://pypi.org/packages/source/{name[0]}/{name}/{file}"


def _build_requirements(facts: RecipeFacts) -> Iterator[str]:
    yield '${{ compiler("cxx") }}'
    yield '${{ stdlib("c") }}'
    wanted = {_name(spec): spec for spec in _backend(facts)}
    programs = [name for name in _OF_THE_BUILD_ENVIRONMENT if name in wanted]
    if (facts.source / "CMakeLists.txt").is_file():
        programs = list(dict.fromkeys(["cmake", "ninja", *programs]))
    yield from (_spaced(wanted.get(name, name)) for name in programs)


def _host_requirements(facts: RecipeFacts) -> Iterator[str]:
    """Yield Python, pip, the backend with what it needs, and the table's host packages; each name once."""
    table = {_name(spec): spec for spec in host_requirements(facts)}
    backend = {_name(spec): spec for spec in _backend(facts) if _name(spec) not in _OF_THE_BUILD_ENVIRONMENT}
    first = {"python": "python", "pip": "pip"}
    yield from (_spaced(spec) for spec in {**first, **backend, **table}.values())


def _backend(facts: RecipeFacts) -> list[str]:
    """Return ``build-system.requires``, without markers and extras, which conda's specs do not have."""
    from packaging.requirements import Requirement  # noqa: PLC0415 -- not needed by a listing

    found = [Requirement(text) for text in build_system_of(facts.source).requires or ("setuptools",)]
    return [f"{_conda(one.name)} {to_conda(one.specifier)}".strip() for one in found]


def _conda(name: str) -> str:
    """Return the conda name; of a program, of the program itself and not of the wheel that carries it."""
    return name.lower() if name.lower() in _OF_THE_BUILD_ENVIRONMENT else conda_name(name)


def _oldest_python(facts: RecipeFacts) -> str:
    found = re.search(r">=\s*(\d+\.\d+)", str(facts.raw.get("requires_python", "")))
    return found[1] if found else ""


def _name(spec: str) -> str:
    return re.split(r"[ =<>!~\[]", spec, maxsplit=1)[0].lower()


def _spaced(spec: str) -> str:
    """Return a match spec with one space between name and version, and none in the version."""
    name = _name(spec)
    return f"{name} {spec[len(name) :].replace(' ', '')}".strip()
