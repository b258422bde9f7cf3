"""A recipe of two outputs: a C++ library, and the Python part that depends on the very same build of it.

As conda-forge does for projects of both kinds: ``libNAME`` has libraries, programs, headers and CMake files, needs no Python, and
exports itself to those who compile against it; ``NAME`` has the modules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from pathlib import Path, PurePosixPath
from typing import Any

from diptych.errors import PackageError
from diptych.packages.elsewhere import copy_without
from diptych.packages.recipe import RecipeFacts, exports_part, recipe
from diptych.recipes.handed import LIBRARY_VARIABLE

_SCRIPT = f'mkdir -p "$PREFIX" && cp -R "${LIBRARY_VARIABLE}"/. "$PREFIX"/\n'
_OF_PYTHON = "lib/python"


def library_name(name: str) -> str:
    """Return the name of the library's package: ``libNAME``, once."""
    return name if name.startswith("lib") else f"lib{name}"


def split_recipe(facts: RecipeFacts, files: Iterable[str], owners: Mapping[str, str]) -> dict[str, Any]:
    """Return the recipe of both as plain values.

    Args:
        facts: what it is rendered from.
        files: the library's, relative to the prefix: the package is tested for them.
        owners: file in the host environment → package; what brings Python modules is not the library's.
    """
    one, name = recipe(facts), library_name(facts.name)
    if name == facts.name:
        raise PackageError(
            f'outputs = "split": the library of "{name}" would have the name of its Python part',
            hint='outputs = "one", or another name of the project',
        )
    pythonic = {"python"} | {package for file, package in owners.items() if file.startswith(_OF_PYTHON)}
    requirements = one["requirements"]
    host = [spec for spec in requirements["host"] if spec.split()[0] not in pythonic]
    same = f'${{{{ pin_subpackage("{name}", exact=True) }}}}'
    library = {
        "package": {"name": name, "version": facts.raw["version"]},
        "build": {"number": 0, "script": _library_script()},
        "requirements": {"host": host, **exports_part(facts, name)},
        "tests": [{"package_contents": {"files": sorted(files)}}],
        "about": deepcopy(one["about"]),  # YAML would make it an alias, which rattler-build does not read
    }
    python = {
        "package": one["package"],
        "build": one["build"],
        "requirements": {"host": [*requirements["host"]], "run": [*requirements["run"], same]},
        "tests": one["tests"],
        "about": one["about"],
    }
    return {
        "schema_version": 1,
        "recipe": {"name": facts.name, "version": facts.raw["version"]},
        **({"source": one["source"]} if "source" in one else {}),
        "outputs": [library, python],
    }


def lay_apart(tree: Path, site: PurePosixPath, library: Path, python: Path) -> None:
    """Copy an install tree without site-packages: scripts for Python into one folder, all else into the other.

    Args:
        tree: laid out as a prefix.
        site: site-packages, relative to it.
        library: gets what is the library's.
        python: gets programs that begin with ``#!`` and Python.

    Raises:
        PackageError: nothing is the library's.
    """
    if site.parts:  # else the tree is site-packages
        copy_without(tree, tree / site, library)
    for script in sorted((library / "bin").glob("*")):
        if not script.is_symlink() and script.is_file() and _is_for_python(script):
            (python / "bin").mkdir(parents=True, exist_ok=True)
            script.rename(python / "bin" / script.name)
    if not any(path.is_file() for path in library.rglob("*")):
        raise PackageError(
            'outputs = "split": nothing is installed outside site-packages',
            hint='let CMake install the library into lib, its headers into include (builder = "cmake")',
        )


def _is_for_python(script: Path) -> bool:
    with script.open("rb") as file:
        first = file.readline(256)
    return first.startswith(b"#!") and b"python" in first


def _library_script() -> dict[str, Any]:
    return {
        "interpreter": "bash",
        "content": _SCRIPT,
        "env": {LIBRARY_VARIABLE: f'${{{{ env.get("{LIBRARY_VARIABLE}") }}}}'},
    }
