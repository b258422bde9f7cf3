"""Render a recipe for a project that has none, from its prepared metadata and the table."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from diptych.archives.entrypoints import commands_of
from diptych.packages.exports import upper_bound
from diptych.packages.metadata import Metadata
from diptych.pythons import STABLE_ABI
from diptych.recipes.staged import STAGE_SCRIPT
from diptych.specs import of_requirements

# What a test runner reads beside the tests.
_TEST_CONFIGURATION = ("conftest.py", "pyproject.toml", "pytest.ini", "setup.cfg", "tox.ini")
_SUMMARY, _HOME, _CODE, _DOCS = (
    "summary",
    ("homepage", "home"),
    ("source", "repository", "code"),
    ("documentation", "docs"),
)


@dataclass(frozen=True, kw_only=True)
class RecipeSettings:
    """What the table says for a rendered recipe; see :class:`diptych.config.CellSettings`."""

    host: tuple[str, ...]
    run: tuple[str, ...]
    names: Mapping[str, str]
    test: str
    test_requires: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RecipeFacts:
    """What a recipe is rendered from.

    Attributes:
        python: such as ``3.11``.
        platform: conda's name of it.
        settings: host and run requirements, and the test command.
        metadata: for name, version, licence, summary, dependencies, commands.
        source: the project, for its tests.
        package: import name, for the import test.
        libraries: names of the libraries that it ships for others to link, see :func:`diptych.packages.exports.shared_names`.
        stable: the oldest Python of the stable ABI that the modules are of, such as ``3.10``; empty when they are for one Python.
    """

    python: str
    platform: str
    settings: RecipeSettings
    metadata: Metadata
    source: Path
    package: str
    libraries: tuple[str, ...] = ()
    stable: str = ""

    @cached_property
    def raw(self) -> Mapping[str, Any]:
        """METADATA, field by field."""
        from packaging.metadata import parse_email  # noqa: PLC0415 -- not needed by a listing

        raw, _ = parse_email((self.metadata.folder / "METADATA").read_bytes())
        return raw

    @property
    def name(self) -> str:
        """The name of the conda package."""
        return str(self.raw["name"]).lower()


def write_recipe(made: Mapping[str, Any], folder: Path) -> Path:
    """Write ``recipe.yaml`` into ``folder`` and return its path.

    It packs the ready stage only; :mod:`diptych.packages.standalone` renders one that compiles by itself.
    """
    path = folder / "recipe.yaml"
    path.write_text(to_yaml(made), encoding="utf-8")
    return path


def to_yaml(recipe: Mapping[str, Any]) -> str:
    """Return a recipe as a file holds it."""
    import yaml  # noqa: PLC0415 -- not needed by a listing

    return yaml.safe_dump(dict(recipe), sort_keys=False, allow_unicode=True, width=120)


def recipe(facts: RecipeFacts) -> dict[str, Any]:
    """Return the recipe as plain values (rattler-build's recipe format, schema version 1).

    Raises:
        PackageError: the metadata has a dependency that cannot be read.
    """
    folder = facts.metadata.folder / "licenses"
    licences = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    tests = test_files(facts)
    # What is packed is the ready stage: this is for tests and licence texts alone.
    source: list[dict[str, Any]] = [
        *([{"path": str(facts.source), "filter": {"include": tests}}] if tests else []),
        *([{"path": str(folder)}] if licences else []),
    ]
    build: dict[str, Any] = {
        "number": 0,
        "script": STAGE_SCRIPT,
        **python_part(facts),
    }
    if facts.stable:
        build["python"] = {**build.get("python", {}), "version_independent": True}
        # The stage knows where it will be installed; rattler-build 0.73 takes site-packages/, where the package has it, for that.
        build["dynamic_linking"] = {"binary_relocation": False}
    return {
        "schema_version": 1,
        "package": {"name": facts.name, "version": facts.raw["version"]},
        **({"source": source} if source else {}),
        "build": build,
        "requirements": {
            "host": host_requirements(facts),
            "run": [*run_requirements(facts), *_stable_requirements(facts)],
            **exports_part(facts, facts.name),
        },
        "tests": tests_part(facts),
        "about": about_part(facts, licences),
    }


def exports_part(facts: RecipeFacts, name: str) -> dict[str, Any]:
    """Return ``run_exports``; nothing where no library is shipped.

    Args:
        facts: what the recipe is rendered from.
        name: the package that has the libraries.
    """
    if not facts.libraries:
        return {}
    bound = upper_bound(str(facts.raw["version"]), facts.libraries)
    return {"run_exports": [f'${{{{ pin_subpackage("{name}", upper_bound="{bound}") }}}}']}


def about_part(facts: RecipeFacts, licences: list[str]) -> dict[str, Any]:
    """Return the ``about`` section; what the metadata does not say is left out."""
    urls = {label.lower(): url for label, url in facts.raw.get("project_urls", {}).items()}

    def url(*labels: str) -> str | None:
        return next((urls[label] for label in labels if label in urls), None)

    about = {
        "homepage": url(*_HOME) or facts.raw.get("home_page") or next(iter(urls.values()), None),
        "summary": facts.raw.get(_SUMMARY),
        "license": facts.raw.get("license_expression"),
        "license_file": licences,
        "repository": url(*_CODE),
        "documentation": url(*_DOCS),
    }
    return {key: value for key, value in about.items() if value}


def python_part(facts: RecipeFacts) -> dict[str, Any]:
    """Return the commands that the package installs (``build.python.entry_points``); nothing where there is none."""
    commands = [f"{name} = {target}" for name, target in commands_of(facts.metadata.folder)]
    return {"python": {"entry_points": commands}} if commands else {}


def host_requirements(facts: RecipeFacts) -> list[str]:
    """Return what the table says, with Python."""
    return ["python", *(spec for spec in facts.settings.host if spec.split()[0] != "python")]


def run_requirements(facts: RecipeFacts) -> list[str]:
    """Return the run dependencies: what the metadata and the table say.

    Raises:
        PackageError: a dependency cannot be read.
    """
    needed = of_requirements(
        facts.raw.get("requires_dist", []),
        python=facts.python,
        platform=facts.platform,
        known=facts.settings.names,
    )
    return ["python", *needed, *facts.settings.run]


def _stable_requirements(facts: RecipeFacts) -> list[str]:
    """Return what python-abi3 would export (CEP 20; conda-forge's python-abi3-feedstock)."""
    return [f"cpython >={facts.stable}", f"{STABLE_ABI} 1.*"] if facts.stable else []


def tests_part(facts: RecipeFacts) -> list[dict[str, Any]]:
    """Return the tests: import and ``pip check``, and the project's own where the table's command names their place."""
    tests: list[dict[str, Any]] = [{"python": {"imports": [facts.package], "pip_check": True}}]
    if files := test_files(facts):
        words = shlex.split(facts.settings.test)
        command = [
            word.replace("{source}/", "").replace("{source}", ".").replace("{python}", "python")
            for word in words
        ]
        tests.append(
            {
                "script": [shlex.join(command)],
                "files": {"source": files},
                "requirements": {"run": list(facts.settings.test_requires)},
            }
        )
    return tests


def test_files(facts: RecipeFacts) -> list[str]:
    """Return the project's tests as globs below its folder: the places that the table's test command names."""
    words = shlex.split(facts.settings.test)
    places = [
        word.partition("{source}/")[2].split("::")[0].strip("/") for word in words if "{source}/" in word
    ]
    found = [place for place in dict.fromkeys(places) if place and (facts.source / place).exists()]
    if not found:
        return []
    beside = [name for name in _TEST_CONFIGURATION if (facts.source / name).is_file() and name not in found]
    return [*(f"{place}/**" if (facts.source / place).is_dir() else place for place in found), *beside]
