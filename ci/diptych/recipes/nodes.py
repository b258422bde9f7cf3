"""A meta.yaml's YAML with its selectors as values: a list item that has one becomes ``if``/``then``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from diptych.recipes.jinja import Lines


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A key that stands several times, or once under a condition: each value with its condition, ``""`` for always."""

    options: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class Read:
    """The values of a meta.yaml.

    Attributes:
        values: tables, lists, strings, numbers, and :class:`Choice`.
        lines: where each key of each table stands, by the path of keys.
    """

    values: dict[str, Any]
    lines: Mapping[tuple[str, ...], int]


def read_nodes(lines: Lines) -> Read:
    """Parse the YAML.

    Raises:
        yaml.YAMLError: it is none.
        ValueError: its top is no table.
    """
    root = yaml.compose(lines.text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        raise ValueError("its top is no table")  # noqa: TRY004 -- one kind of fault for the caller
    places: dict[tuple[str, ...], int] = {}
    values = _mapping(root, (), lines, places)
    return Read(values=values, lines=places)


def _value(node: yaml.Node, path: tuple[str, ...], lines: Lines, places: dict[tuple[str, ...], int]) -> Any:  # noqa: ANN401 -- any YAML
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines, places)
    if isinstance(node, yaml.SequenceNode):
        return [_item(one, path, lines, places) for one in node.value]
    return _scalar(node, lines.back)


def _scalar(node: yaml.Node, back: Callable[[str], str]) -> Any:  # noqa: ANN401 -- any scalar
    """Return a scalar; a number stays as it is written, since ``1.10`` is a version."""
    if node.tag == "tag:yaml.org,2002:null":
        return None
    if node.tag == "tag:yaml.org,2002:bool":
        return str(node.value).lower() in {"true", "yes", "on"}
    if (
        node.tag == "tag:yaml.org,2002:int"
        and str(node.value).isdigit()
        and str(int(node.value)) == node.value
    ):
        return int(node.value)
    return back(str(node.value))


def _item(node: yaml.Node, path: tuple[str, ...], lines: Lines, places: dict[tuple[str, ...], int]) -> Any:  # noqa: ANN401 -- as above
    value = _value(node, path, lines, places)
    condition = lines.selectors.get(node.start_mark.line + 1) if isinstance(node, yaml.ScalarNode) else None
    return {"if": condition, "then": value} if condition else value


def _mapping(
    node: yaml.MappingNode, path: tuple[str, ...], lines: Lines, places: dict[tuple[str, ...], int]
) -> dict[str, Any]:
    options: dict[str, list[tuple[str, Any]]] = {}
    for key, value in node.value:
        name = str(key.value)
        here = (*path, name)
        line = key.start_mark.line + 1
        places.setdefault(here, line)
        condition = lines.selectors.get(line, "")
        options.setdefault(name, []).append((condition, _value(value, here, lines, places)))
    return {name: _one(found) for name, found in options.items()}


def _one(found: list[tuple[str, Any]]) -> Any:  # noqa: ANN401 -- as above
    if len(found) == 1 and not found[0][0]:
        return found[0][1]
    return Choice(options=tuple(found))
