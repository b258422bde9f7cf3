"""What pyproject.toml says about the build, beside our own table: backend, requirements, tests, external libraries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from diptych.adopt.model import Need, Origin, Reading, Untold, joined
from diptych.config.buildsystem import build_system_in

FILE = "pyproject.toml"
# Build hooks of hatchling that may compile something.
_HOOKS = frozenset({"custom", "scikit-build", "cmake", "mypyc", "cython"})
# Backends that compile nothing by themselves; with a build hook or script they do.
_MADE_PURE = {
    "flit_core": "flit compiles nothing",
    "hatchling": "hatchling compiles nothing without a build hook",
    "poetry": "Poetry compiles nothing without a build script",
    "pdm": "PDM compiles nothing without a build script",
    "uv_build": "uv's backend compiles nothing",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Pyproject:
    """The tables of a pyproject.toml.

    Attributes:
        document: all of it; empty when there is no file.
    """

    document: Mapping[str, Any] = field(default_factory=dict)

    def table(self, *path: str) -> Mapping[str, Any]:
        """Return a table by its dotted path; an empty one when it is not there, or something else is."""
        found: Any = self.document
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    @property
    def backend(self) -> str:
        """The build backend's name; setuptools' when the table names none (PEP 517), empty without the table."""
        return build_system_in(self.document).backend

    @property
    def requires(self) -> tuple[str, ...]:
        """The build requirements."""
        return build_system_in(self.document).requires

    @property
    def tools(self) -> Mapping[str, Any]:
        """``[tool]``."""
        return self.table("tool")


def strings(value: object) -> tuple[str, ...]:
    """Return the strings of a list; none when it is no list."""
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def read_backend(pyproject: Pyproject) -> Reading:
    """Tell what shows in the backend's own tables that something is compiled."""
    backend = pyproject.backend
    origin = Origin(file=FILE, key="build-system.build-backend")
    compiled: list[Origin] = []
    needs: list[Need] = []
    if backend.startswith(("scikit_build_core", "mesonpy", "cmeel", "maturin", "sipbuild", "py_build_cmake")):
        compiled.append(origin)
    if backend.startswith("hatchling") and _HOOKS & _hooks(pyproject):
        compiled.append(Origin(file=FILE, key="tool.hatch.build.hooks"))
    for path in (("tool", "poetry", "build"), ("tool", "pdm", "build")):
        table = pyproject.table(*path)
        if table.get("script") or table.get("run-setuptools"):
            compiled.append(Origin(file=FILE, key=".".join(path)))
    modules = pyproject.table("tool", "setuptools").get("ext-modules")
    for module in modules if isinstance(modules, list) else ():
        place = Origin(file=FILE, key="tool.setuptools.ext-modules")
        compiled.append(place)
        libraries = strings(module.get("libraries")) if isinstance(module, dict) else ()
        needs += [Need(kind="library", name=name, origin=place) for name in libraries]
    return Reading(needs=tuple(needs), compiled=tuple(compiled))


def _hooks(pyproject: Pyproject) -> set[str]:
    places = (("tool", "hatch", "build", "hooks"), ("tool", "hatch", "build", "targets", "wheel", "hooks"))
    return {name for path in places for name in pyproject.table(*path)}


def why_pure(backend: str) -> str:
    """Say why a backend compiles nothing by itself, or an empty string."""
    return next((why for start, why in _MADE_PURE.items() if backend.startswith(start)), "")


def read_external(pyproject: Pyproject) -> Reading:
    """Read ``[external]`` of PEP 725: what is compiled against and cannot be named as a project of PyPI."""
    return joined(
        _external(pyproject.table("external").get(name), name, required=required)
        for name, required in (
            ("host-requires", True),
            ("dependencies", True),
            ("optional-host-requires", False),
        )
    )


def _external(entries: object, name: str, *, required: bool) -> Reading:
    origin = Origin(file=FILE, key=f"external.{name}")
    listed = entries if isinstance(entries, list) else []
    needs = [
        Need(kind="external", name=one, required=required, origin=origin)
        for one in listed
        if isinstance(one, str)
    ]
    odd = [one for one in listed if not isinstance(one, str)]
    untold = [Untold(text=f"{one!r} is no identifier", origin=origin) for one in odd]
    return Reading(needs=tuple(needs), untold=tuple(untold))
