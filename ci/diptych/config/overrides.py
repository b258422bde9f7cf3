"""How overrides change the settings of a cell."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from diptych.config.cellid import CellId
from diptych.config.kinds import ListOf, keys
from diptych.config.model import CellSettings, Override


def settings_of(cell: CellId, *, base: CellSettings, overrides: Sequence[Override]) -> CellSettings:
    """Return the settings of one cell: the base, then every override that selects it, in order."""
    settings = base
    for override in overrides:
        if any(cell.matches(selector) for selector in override.select):
            settings = _applied(override, settings)
    return settings


def _applied(override: Override, settings: CellSettings) -> CellSettings:
    changes: dict[str, Any] = {}
    for key in keys(CellSettings):
        if key.field in override.values:
            new = override.values[key.field]
            joined = _joined(getattr(settings, key.field), new, override.inherit.get(key.name, "none"))
            once = isinstance(key.kind, ListOf) and key.kind.unique
            changes[key.field] = tuple(dict.fromkeys(joined)) if once else joined
    return dataclasses.replace(settings, **changes)


def _joined(old: Any, new: Any, rule: str) -> Any:  # noqa: ANN401 -- a string, tuple or dict, by key
    if rule == "none":
        return new
    first, last = (old, new) if rule == "append" else (new, old)
    return {**first, **last} if isinstance(first, dict) else (*first, *last)
