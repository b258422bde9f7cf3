"""setup.py and setup.cfg as text and syntax: nothing of them is run, and values that are computed are passed over."""

from __future__ import annotations

import ast
import configparser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def name_without_project(document: Mapping[str, Any], folder: Path) -> str | None:
    """Return the name of a project whose ``pyproject.toml`` has no ``[project]`` table; None when it stands nowhere as plain text.

    Args:
        document: the tables of its ``pyproject.toml``; empty when there is none.
        folder: the project's.
    """
    tool = document.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    name = poetry.get("name") if isinstance(poetry, dict) else None
    return name if isinstance(name, str) else _of_setup_cfg(folder) or _of_setup_py(folder)


def _of_setup_cfg(folder: Path) -> str | None:
    try:
        sections = setup_cfg((folder / "setup.cfg").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return sections.get("metadata", {}).get("name", "").strip() or None


def _of_setup_py(folder: Path) -> str | None:
    try:
        tree = ast.parse((folder / "setup.py").read_bytes())
    except (OSError, ValueError, SyntaxError):
        return None
    known = constants(tree)
    for call in calls(tree):
        word = keywords(call, tree).get("name") if called(call) == "setup" else None
        if word and isinstance(name := constant(word, known), str):
            return name
    return None


def setup_cfg(text: str) -> dict[str, dict[str, str]]:
    """Return the sections of a setup.cfg; none when it cannot be parsed."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    return {section: dict(parser.items(section)) for section in parser.sections()}


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    """Yield every call of a script."""
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def called(node: ast.Call) -> str:
    """Return the last part of the name that is called."""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def keywords(call: ast.Call, tree: ast.Module) -> dict[str, ast.expr]:
    """Return the keywords of a call as written, with those of a table that it hands on (``**kwargs``).

    What was assigned to the table's name counts, and what ``update`` put into it.
    """
    found: dict[str, ast.expr] = {}
    for word in call.keywords:
        if word.arg:
            found[word.arg] = word.value
        elif isinstance(word.value, ast.Name):
            for value in _assigned(word.value.id, tree):
                found = {**_entries(value), **found}
        else:
            found = {**_entries(word.value), **found}
    return found


def _assigned(variable: str, tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == variable:
                yield value
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="update")) if name == variable:
                yield from node.args
                yield ast.Call(func=ast.Name(id="dict"), args=[], keywords=node.keywords)


def _entries(value: ast.expr) -> dict[str, ast.expr]:
    match value:
        case ast.Call(func=ast.Name(id="dict"), keywords=words):
            return {word.arg: word.value for word in words if word.arg}
        case ast.Dict(keys=names, values=values):
            return {
                name.value: each
                for name, each in zip(names, values, strict=True)
                if isinstance(name, ast.Constant) and isinstance(name.value, str)
            }
        case _:
            return {}


def constants(tree: ast.Module) -> dict[str, Any]:
    """Return what names were assigned as constants, at the top of a script and in its functions."""
    found: dict[str, Any] = {}
    inner = (node for outer in tree.body if isinstance(outer, ast.FunctionDef) for node in ast.walk(outer))
    for node in (*tree.body, *inner):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) if (
                value := constant(node.value, found)
            ) is not None:
                found[name] = value
    return found


def constant(node: ast.expr, known: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- any constant
    """Return a constant, with the parts of a list or table that are computed left out; ``None`` for anything else.

    Args:
        node: the expression.
        known: the names that stand for constants.
    """
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return known.get(name)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = [part for side in (left, right) if isinstance(part := constant(side, known), list)]
            return [item for part in parts for item in part] or None
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [value for item in items if (value := constant(item, known)) is not None]
        case ast.Dict(keys=names, values=values):
            pairs = [
                (constant(k, known) if k else None, constant(v, known))
                for k, v in zip(names, values, strict=True)
            ]
            return {name: value for name, value in pairs if isinstance(name, str) and value is not None}
        case _:
            return None
