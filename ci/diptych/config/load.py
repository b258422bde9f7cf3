"""From ``pyproject.toml`` to one frozen :class:`Config`, or to one error with all that is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diptych.config import forms
from diptych.config.cellid import CellId
from diptych.config.checks import checked_override, refuse_other_pythons, selected_ids
from diptych.config.faults import Place, all_faults
from diptych.config.files import is_dir, is_file, read_toml
from diptych.config.kinds import keys
from diptych.config.known import compiler_specs
from diptych.config.model import TABLE, CellSettings, CompilerSpec, LibrarySpec, Override, ReleaseSettings
from diptych.config.project import ProjectInfo, read_project
from diptych.errors import ConfigError, nearest

_RECIPES = ("conda/recipe.yaml", "conda/meta.yaml")
_START = 'add the lines [tool.diptych] and python = ["3.12"] to it'


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that ``[tool.diptych]`` says, checked and resolved.

    Attributes:
        root: the folder of the file.
        source: the folder of the extension.
        project: what the extension's own ``pyproject.toml`` says.
        package: the name to import.
        recipe: the conda recipe, or ``None`` when it is to be rendered.
        split: whether the conda package of a library is apart from that of its bindings.
        python: the Pythons, in the order of the table.
        compilers: the compilers, in the order of the table; releases are made with the first.
        ids: the cells, Python-major, after ``include`` and ``exclude``.
        settings: the per-cell keys, before overrides.
        overrides: the overrides, in the order of the table.
        waive: accepted differences and findings: code, glob and reason of each.
        release: where releases go.
        libraries: the C++ libraries that each compiler compiles for itself.
    """

    root: Path
    source: Path
    project: ProjectInfo
    package: str
    recipe: Path | None
    split: bool
    python: tuple[str, ...]
    compilers: tuple[CompilerSpec, ...]
    ids: tuple[CellId, ...]
    settings: CellSettings
    overrides: tuple[Override, ...]
    waive: tuple[Mapping[str, str], ...] = ()
    release: ReleaseSettings = field(default_factory=ReleaseSettings)
    libraries: tuple[LibrarySpec, ...] = ()

    @property
    def file(self) -> Path:
        """The file with the table."""
        return self.root / "pyproject.toml"


def load(root: Path) -> Config:
    """Read ``[tool.diptych]`` of ``root/pyproject.toml``.

    Raises:
        ConfigError: the file or the table is missing or wrong; all faults are in ``details``, one a line.
    """
    root = root.resolve()
    file = root / "pyproject.toml"
    document = read_toml(file)
    place = Place(path="tool.diptych")
    given = TABLE.read(_table(document, file), place)
    config = None if given is None else _resolved(_with_defaults(given), document, place, root)
    if config is None:
        raise all_faults(place.faults, file)
    return config


def _table(document: Mapping[str, Any], file: Path) -> object:
    tools = document.get("tool", {})
    if isinstance(tools, dict) and "diptych" in tools:
        return tools["diptych"]
    near = nearest("diptych", tools) if isinstance(tools, dict) else ""
    raise ConfigError(f'"{file}" has no table [tool.diptych]{near}', hint=_START)


def _with_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in defaults; ``None`` stays for what is faulty, and is there for what is required and missing."""
    table_keys = [key for model in TABLE.models for key in keys(model)]
    return {
        key.field: given.get(key.field) if key.required or key.field in given else key.default
        for key in table_keys
    }


def _resolved(given: Mapping[str, Any], document: dict[str, Any], place: Place, root: Path) -> Config | None:
    """Check and resolve every part as far as the others allow; ``None`` when there is a fault."""
    source = _source(given, root, place)
    project = _project(given, source, document, root=root, place=place)
    compilers = _compilers(given, root, place)
    product = _product(given)
    ids = () if product is None else selected_ids(product, given, place)
    overrides = _overrides(given, product, place)
    recipe = _recipe(given, source, place)
    if recipe and given["outputs"] == "split":
        place.key("outputs").wrong("split", f'"{recipe}" says its outputs itself')
    package = _package(given, project, place)
    if project and given["python"]:
        refuse_other_pythons(given["python"], project, place.key("python"))
    if place.faults or source is None or project is None or compilers is None:
        return None
    return Config(
        root=root,
        source=source,
        project=project,
        package=package,
        recipe=recipe,
        split=given["outputs"] == "split",
        python=given["python"],
        compilers=compilers,
        ids=ids,
        settings=CellSettings(**{key.field: given[key.field] for key in keys(CellSettings)}),
        overrides=overrides,
        waive=given["waive"],
        release=ReleaseSettings(**given["release"]),
        libraries=tuple(LibrarySpec(name=name, **table) for name, table in given["libraries"].items()),
    )


def _source(given: Mapping[str, Any], root: Path, place: Place) -> Path | None:
    if given["source"] is None:
        return None
    source: Path = root / given["source"]
    if not is_dir(source):
        place.key("source").wrong(
            given["source"], f'there is no such folder in "{root}"{_near_folder(source)}'
        )
        return None
    return source.resolve()


def _near_folder(missing: Path) -> str:
    try:
        return nearest(missing.name, os.listdir(missing.parent))  # noqa: PTH208 -- names are all it needs
    except OSError:
        return ""


def _project(
    given: Mapping[str, Any], source: Path | None, document: dict[str, Any], *, root: Path, place: Place
) -> ProjectInfo | None:
    if source is None:
        return None
    if source == root:
        return read_project(document, root, Place(path="project", faults=place.faults))
    file = source / "pyproject.toml"
    if not is_file(file) and not is_file(source / "setup.py"):
        place.key("source").wrong(given["source"], "there is no pyproject.toml in it")
        return None
    try:
        other = read_toml(file) if is_file(file) else {}
    except ConfigError as error:
        place.faults.append(error.summary)
        return None
    return read_project(other, source, Place(path=f"{file}: project", faults=place.faults))


def _compilers(given: Mapping[str, Any], root: Path, place: Place) -> tuple[CompilerSpec, ...] | None:
    if given["compiler"] is None or given["compilers"] is None:
        return None
    return compiler_specs(given["compiler"], given["compilers"], place=place, root=root)


def _product(given: Mapping[str, Any]) -> list[CellId] | None:
    if given["python"] is None or given["compiler"] is None:
        return None
    return [CellId(python=python, compiler=name) for python in given["python"] for name in given["compiler"]]


def _overrides(given: Mapping[str, Any], product: list[CellId] | None, place: Place) -> tuple[Override, ...]:
    return tuple(
        checked_override(override, product, place.key("overrides").item(index))
        for index, override in enumerate(given["overrides"] or ())
        if override is not None
    )


def _recipe(given: Mapping[str, Any], source: Path | None, place: Place) -> Path | None:
    if source is None:
        return None
    named = [given["recipe"]] if given["recipe"] else _RECIPES
    for name in named:
        if is_file(source / name):
            return source / name
    if given["recipe"]:
        place.key("recipe").wrong(given["recipe"], f'there is no such file in "{source}"')
    return None


def _package(given: Mapping[str, Any], project: ProjectInfo | None, place: Place) -> str:
    if given["package"] or project is None:
        return str(given["package"])
    package = project.name.replace("-", "_")
    if not forms.MODULE.accepts(package):
        place.key("package").fault(f'is required, "{project.name}" cannot be imported under that name')
    return package
