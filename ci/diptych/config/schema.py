"""The JSON schema of ``[tool.diptych]``, for editors (Even Better TOML, taplo, PyCharm)."""

from __future__ import annotations

from typing import Any

from diptych.config.docs import field_docs
from diptych.config.kinds import Choice, Flag, Key, Kind, ListOf, Table, TableOf, Text, keys
from diptych.config.model import TABLE


def schema() -> dict[str, Any]:
    """Return the schema: it takes all that the parser takes, but knows no checks across keys."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "[tool.diptych] in pyproject.toml",
        "description": "What Diptych builds and how.",
        **_table(TABLE),
    }


def _of(kind: Kind) -> dict[str, Any]:
    match kind:
        case Text():
            return {"type": "string", "pattern": f"^(?:{kind.pattern})$"}
        case Choice():
            return {"enum": list(kind.names)}
        case Flag():
            return {"type": "boolean"}
        case ListOf():
            return _list(kind)
        case TableOf():
            names = _of(kind.name)
            return {"type": "object", "propertyNames": names, "additionalProperties": _of(kind.value)}
        case Table():
            return _table(kind)


def _list(kind: ListOf) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "array", "items": _of(kind.item)}
    if kind.unique:
        found["uniqueItems"] = True
    if kind.least:
        found["minItems"] = kind.least
    return {"anyOf": [_of(kind.item), found]} if kind.single else found


def _table(table: Table) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            key.name: {"description": field_docs(model)[key.field], **_of(key.kind), **_default(table, key)}
            for model in table.models
            for key in keys(model)
        },
        "required": [key.name for key in table.keys.values() if key.required],
        "additionalProperties": not table.closed,
    }


def _default(table: Table, key: Key) -> dict[str, Any]:
    """Return the default as JSON; in an override, a key that is not given has none."""
    if key.required or key.default is None or table is not TABLE:
        return {}
    return {"default": list(key.default) if isinstance(key.default, tuple) else key.default}
