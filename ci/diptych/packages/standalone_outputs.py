"""A recipe that builds by itself from the sources with CMake alone: one package, or a C++ library and its Python part.

Both of two outputs run CMake in full and keep a part of what it installs (``build.files`` of rattler-build's recipe format), as recipes of
conda-forge do whose CMakeLists.txt compiles library and bindings in one go. The library's build string does not depend on Python
(``variant.ignore_keys``).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from diptych.packages.outputs import library_name
from diptych.packages.recipe import RecipeFacts, exports_part
from diptych.packages.standalone import Archive, standalone_recipe

_PYTHON_PART = "lib/python*/**"
_WHOLE = '-DCMAKE_INSTALL_PREFIX="$PREFIX" -DCMAKE_INSTALL_LIBDIR=lib'
_SITE = '-DCMAKE_INSTALL_PREFIX="$SP_DIR"'
_FINDERS = (
    '-DCMAKE_PREFIX_PATH="$PREFIX" '
    '-DPython_EXECUTABLE="$PYTHON" -DPython_ROOT_DIR="$PREFIX" '
    '-DPython3_EXECUTABLE="$PYTHON" -DPython3_ROOT_DIR="$PREFIX"'
)


@dataclass(frozen=True, kw_only=True)
class Installs:
    """What CMake is told, and what it installs beside the Python part.

    Attributes:
        build_type: CMake's.
        arguments: further ones of the configure step.
        files: those outside of site-packages and programs, relative to the prefix, as a build has left them; none: CMake's prefix is
            site-packages.
    """

    build_type: str
    arguments: tuple[str, ...]
    files: tuple[str, ...]


def standalone_cmake(
    facts: RecipeFacts, archive: Archive, installs: Installs, maintainers: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the recipe of one package, as plain values.

    Args:
        facts: the project, the cell whose host environment it builds in, and the libraries of its stage.
        archive: the source distribution.
        installs: what CMake is told, and what it installs.
        maintainers: names on GitHub, for ``recipe-maintainers``.

    Raises:
        PackageError: the metadata has a dependency that cannot be read.
        ConfigError: pyproject.toml cannot be read.
    """
    whole = standalone_recipe(facts, archive, maintainers)
    needed = whole["requirements"]
    return {
        **whole,
        "build": {**whole["build"], "script": _script(installs)},
        "requirements": {**needed, "host": _without_pip(needed["host"]), **exports_part(facts, facts.name)},
    }


def standalone_outputs(
    facts: RecipeFacts, archive: Archive, installs: Installs, maintainers: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the recipe as plain values.

    Args:
        facts: the project, the cell whose host environment it builds in, and the libraries of its stage.
        archive: the source distribution.
        installs: what CMake is told, and what it installs.
        maintainers: names on GitHub, for ``recipe-maintainers``.

    Raises:
        PackageError: the metadata has a dependency that cannot be read.
        ConfigError: pyproject.toml cannot be read.
    """
    whole = standalone_recipe(facts, archive, maintainers)
    whole["requirements"]["host"] = _without_pip(whole["requirements"]["host"])
    whole["build"]["script"] = _script(installs)
    outputs = [
        _library_output(whole, facts, installs),
        _python_output(whole, library_name(facts.name), installs),
    ]
    return {
        "schema_version": 1,
        "context": whole["context"],
        "recipe": {"name": "${{ name }}", "version": "${{ version }}"},
        "source": whole["source"],
        "build": {"number": whole["build"]["number"]},
        # What both share would be an alias in YAML, which rattler-build does not read.
        "outputs": [deepcopy(one) for one in outputs],
        "extra": whole["extra"],
    }


def _library_output(whole: dict[str, Any], facts: RecipeFacts, installs: Installs) -> dict[str, Any]:
    library, needed = library_name(facts.name), whole["requirements"]
    return {
        "package": {"name": library},
        "build": {
            "script": whole["build"]["script"],
            "files": {"exclude": [_PYTHON_PART]},
            "variant": {"ignore_keys": ["python"]},
            **_taken(whole["build"], "dynamic_linking", "skip"),
        },
        "requirements": {
            "build": needed["build"],
            "host": needed["host"],
            "ignore_run_exports": {"from_package": list(_of_python(needed["host"]))},
            **exports_part(facts, library),
        },
        "tests": [{"package_contents": {"files": sorted(installs.files)}}],
        "about": whole["about"],
    }


def _python_output(whole: dict[str, Any], library: str, installs: Installs) -> dict[str, Any]:
    build, needed = whole["build"], whole["requirements"]
    names = sorted({PurePosixPath(file).name for file in installs.files if _is_library(file)})
    # They are in the other output, which is not in this one's build.
    linking = {**build["dynamic_linking"], "missing_dso_allowlist": [f"**/{one}" for one in names]}
    return {
        "package": {"name": str(whole["context"]["name"])},
        "build": {
            "script": build["script"],
            "files": {"include": [_PYTHON_PART]},
            "dynamic_linking": linking,
            **_taken(build, "skip", "python"),
        },
        "requirements": {
            "build": needed["build"],
            "host": needed["host"],
            "run": [*needed["run"], f'${{{{ pin_subpackage("{library}", exact=True) }}}}'],
        },
        "tests": whole["tests"],
        "about": whole["about"],
    }


def _taken(section: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: section[key] for key in keys if key in section}


def _script(installs: Installs) -> list[str]:
    told = " ".join([f"-DCMAKE_BUILD_TYPE={installs.build_type}", *map(shlex.quote, installs.arguments)])
    return [
        f"cmake -S . -B build -G Ninja {_WHOLE if installs.files else _SITE} {_FINDERS} {told}",
        "cmake --build build",
        "cmake --install build",
    ]


def _without_pip(host: list[str]) -> list[str]:
    return [spec for spec in host if spec.split()[0] not in ("pip", "setuptools")]


def _is_library(file: str) -> bool:
    path = PurePosixPath(file)
    return path.parent == PurePosixPath("lib") and (".so" in path.name or path.suffix == ".dylib")


def _of_python(host: list[str]) -> Iterator[str]:
    """Yield the host packages whose run exports are for modules: the library needs none of them."""
    for spec in host:
        name = spec.split()[0]
        if "python" in name or name in ("numpy", "pybind11", "nanobind"):
            yield name
