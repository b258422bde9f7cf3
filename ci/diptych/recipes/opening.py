"""Open a recipe: recipe.yaml as it is, meta.yaml converted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Left:
    """Something of a meta.yaml that has no counterpart, or was not understood.

    Attributes:
        line: in the meta.yaml, from 1; 0 where it is of the whole file.
        text: what, and why.
    """

    line: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A recipe in rattler-build's form.

    Attributes:
        recipe: its content.
        left: what could not be converted, in the order of the file.
    """

    recipe: dict[str, Any]
    left: tuple[Left, ...] = ()


def open_recipe(path: Path) -> Opened:
    """Read a recipe.yaml, or read and convert a meta.yaml.

    Raises:
        ConfigError: it cannot be read, or is of a kind that is not converted.
    """
    from diptych.recipes.metayaml import convert  # noqa: PLC0415 -- in the other direction at the top

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f'cannot read "{path}": {error}') from error
    if path.name == "meta.yaml":
        return convert(text, path)
    return Opened(recipe=_mapping(text, path))


def _mapping(text: str, path: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415 -- not needed by a listing

    try:
        found = yaml.safe_load(text)
        json.dumps(found, default=str)  # refuses an alias that holds itself
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        raise ConfigError(f'"{path}" is no YAML: {error}', hint="mend the file at that line") from error
    if not isinstance(found, dict):
        raise ConfigError(f'"{path}" is no recipe: its top is no table')
    return found
