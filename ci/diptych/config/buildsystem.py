"""What builds a project: ``[build-system]`` of its pyproject.toml, with the defaults of PEP 517 and PEP 518."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.config.files import read_toml

_SETUPTOOLS = "setuptools.build_meta"


@dataclass(frozen=True, kw_only=True)
class BuildSystem:
    """A project's build backend.

    Attributes:
        backend: as ``build-backend`` has it; setuptools' where the table names none, or a setup.py stands alone; empty
            where nothing says how the project is built.
        requires: the build requirements.
    """

    backend: str = ""
    requires: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether the project has a backend."""
        return bool(self.backend)


def build_system_in(document: Mapping[str, Any]) -> BuildSystem:
    """Return what a pyproject.toml says; nothing where it has no such table."""
    if "build-system" not in document:
        return BuildSystem()
    table = document["build-system"]
    given = table if isinstance(table, dict) else {}
    requires = given.get("requires", ["setuptools"])
    return BuildSystem(
        backend=str(given.get("build-backend") or _SETUPTOOLS),
        requires=tuple(one for one in requires if isinstance(one, str)) if isinstance(requires, list) else (),
    )


def build_system_of(folder: Path) -> BuildSystem:
    """Return the build system of a project: of its pyproject.toml, or setuptools where a setup.py stands alone.

    Raises:
        ConfigError: its pyproject.toml cannot be read.
    """
    file = folder / "pyproject.toml"
    found = build_system_in(read_toml(file)) if file.is_file() else BuildSystem()
    if not found and (folder / "setup.py").is_file():
        return BuildSystem(backend=_SETUPTOOLS, requires=("setuptools",))
    return found
