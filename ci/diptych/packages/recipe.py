"""Render a recipe for a project that has none, from its prepared metadata and the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.errors import PackageError
from diptych.matrix import Cell
from diptych.packages.metadata import Metadata


@dataclass(frozen=True, kw_only=True)
class RecipeFacts:
    """What a recipe is rendered from.

    Attributes:
        cell: for host and run requirements.
        metadata: for name, version, licence, summary, dependencies.
        source: the project, for licence files.
        package: import name, for the import test.
    """

    cell: Cell
    metadata: Metadata
    source: Path
    package: str


def render_recipe(facts: RecipeFacts, folder: Path) -> Path:
    """Write ``recipe.yaml`` into ``folder`` and return its path.

    It packs the ready stage only: a project that wants its recipe to compile by itself writes its own.

    Raises:
        PackageError: the metadata has a dependency that cannot be read.
    """
    import yaml  # noqa: PLC0415 -- not needed by a listing

    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe(facts), sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def recipe(facts: RecipeFacts) -> dict[str, Any]:
    """Return the recipe as plain values (rattler-build's recipe format, schema version 1)."""
    from packaging.metadata import parse_email  # noqa: PLC0415 -- as above

    raw, _ = parse_email((facts.metadata.folder / "METADATA").read_bytes())
    licences = sorted((facts.metadata.folder / "licenses").rglob("*"))
    about = {
        "summary": raw.get("summary"),
        "license": raw.get("license_expression"),
        "license_file": [str(path) for path in licences if path.is_file()],
        "homepage": next(iter(raw.get("project_urls", {}).values()), None),
    }
    host = ["python", *(spec for spec in facts.cell.settings.host if spec.split()[0] != "python")]
    return {
        "schema_version": 1,
        "package": {"name": raw["name"].lower(), "version": raw["version"]},
        "build": {
            "number": 0,
            "script": {
                "interpreter": "bash",
                "content": 'mkdir -p "$SP_DIR" && cp -R "$DIPTYCH_STAGE"/. "$SP_DIR"/',
                "env": {"DIPTYCH_STAGE": '${{ env.get("DIPTYCH_STAGE") }}'},
            },
        },
        "requirements": {
            "host": host,
            "run": [
                "python",
                *_run_requirements(raw.get("requires_dist", []), facts),
                *facts.cell.settings.run,
            ],
        },
        "tests": [{"python": {"imports": [facts.package], "pip_check": False}}],
        "about": {key: value for key, value in about.items() if value},
    }


def _run_requirements(requirements: list[str], facts: RecipeFacts) -> Iterator[str]:
    """Turn the metadata's dependencies into conda match specs, for this cell's Python."""
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 -- as above

    environment = {
        "python_version": facts.cell.python,
        "python_full_version": f"{facts.cell.python}.0",
        "sys_platform": "linux" if facts.cell.platform.startswith("linux") else "darwin",
        "extra": "",
    }
    for text in requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement as error:
            raise PackageError(f'METADATA: cannot read the dependency "{text}": {error}') from error
        if requirement.marker is None or requirement.marker.evaluate(environment):
            yield f"{requirement.name.lower()} {requirement.specifier}".strip().replace("~=", "=")
