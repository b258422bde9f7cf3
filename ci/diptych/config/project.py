"""What the extension's own ``pyproject.toml`` says about the project."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from diptych.config.faults import Place
from diptych.config.kinds import ListOf, Table, Text
from diptych.config.setuptools_files import name_without_project
from diptych.pythons import plain

_NAME = Text(words='a project name such as "my-package"', pattern=r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = Text(
    words='a version such as "1.2.0"',
    pattern=(  # PEP 440, appendix B, without its names
        r"[vV]?([0-9]+!)?[0-9]+(\.[0-9]+)*"
        r"([-_.]?([aA]|[bB]|[cC]|[rR][cC]|alpha|beta|pre|preview)[-_.]?[0-9]*)?"
        r"(-[0-9]+|[-_.]?(post|rev|r)[-_.]?[0-9]*)?([-_.]?dev[-_.]?[0-9]*)?"
        r"(\+[A-Za-z0-9]+([-_.][A-Za-z0-9]+)*)?"
    ),
)
_DEPENDENCY = Text(words='a requirement such as "numpy>=2"', pattern=r"[A-Za-z0-9][^\x00-\x1f\x7f]*")
_AT_LEAST = re.compile(r">=\s*3\.([0-9]+)")


def _specifiers_problem(value: object) -> str:
    if not isinstance(value, str) or _AT_LEAST.fullmatch(value):
        return ""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 -- see admits()

    try:
        SpecifierSet(value)
    except InvalidSpecifier:
        return 'expected Python versions such as ">=3.10"'
    return ""


_SPECIFIERS = Text(words='Python versions such as ">=3.10"', pattern=r"[^\x00]*", problem=_specifiers_problem)
_WORD = Text(words="the name of a key of [project]", pattern=r"[^\x00]*")


@dataclass(frozen=True, kw_only=True)
class ProjectInfo:
    """The ``[project]`` table, as far as Diptych needs it.

    Attributes:
        name: as written.
        version: as written; ``None`` when the build backend makes it up (``dynamic``).
        requires_python: as written, or ``None``.
        dependencies: the requirements, as written.
        dynamic: what the build backend makes up.
    """

    name: Annotated[str, _NAME]
    version: Annotated[str | None, _VERSION] = None
    requires_python: Annotated[str | None, _SPECIFIERS] = None
    dependencies: Annotated[tuple[str, ...], ListOf(item=_DEPENDENCY)] = ()
    dynamic: Annotated[tuple[str, ...], ListOf(item=_WORD)] = ()

    def admits(self, python: str) -> bool:
        """Tell whether ``requires-python`` lets in some release of a Python such as ``3.12``; it does not see a ``t``."""
        python = plain(python)
        if self.requires_python is None:
            return True
        if simple := _AT_LEAST.fullmatch(self.requires_python):
            return int(python.partition(".")[2]) >= int(simple[1])
        # Nearly every project is served by the line above, and a listing saves 20 ms.
        from packaging.specifiers import SpecifierSet  # noqa: PLC0415

        allowed = SpecifierSet(self.requires_python)
        return any(allowed.contains(f"{python}.{patch}", prereleases=True) for patch in (0, 99))


_PROJECT = Table(words="a table", models=(ProjectInfo,), closed=False)


def read_project(document: dict[str, Any], folder: Path, place: Place) -> ProjectInfo | None:
    """Read ``[project]``; of a project without one, its name where it has that, and the build backend makes up the rest.

    Args:
        document: the tables of the extension's ``pyproject.toml``.
        folder: the extension's.
        place: where ``[project]`` stands.

    Returns:
        The project, or ``None`` after recording what is wrong with it.
    """
    before = len(place.faults)
    if "project" not in document:
        if name := name_without_project(document, folder):
            return ProjectInfo(name=name, dynamic=("version", "dependencies"))
        place.fault('is required, with at least name = "…" and version = "…"')
        return None
    given = _PROJECT.read(document["project"], place)
    if given is not None and "version" not in given and "version" not in (given.get("dynamic") or ()):
        place.key("version").fault('is required, or dynamic = ["version"]')
    return ProjectInfo(**given) if given is not None and len(place.faults) == before else None
