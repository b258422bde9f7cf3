"""The project's name where there is no ``[project]``: of Poetry's own table, setup.cfg, or setup.py, which is read and never run."""

from __future__ import annotations

import ast
import configparser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def named_elsewhere(document: Mapping[str, Any], folder: Path) -> str | None:
    """Return the name of a project whose ``pyproject.toml`` has no ``[project]`` table; None when it stands nowhere as plain text.

    Args:
        document: the tables of its ``pyproject.toml``; empty when there is none.
        folder: the project's.
    """
    tool = document.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    name = poetry.get("name") if isinstance(poetry, dict) else None
    return (
        name
        if isinstance(name, str)
        else _of_setup_cfg(folder / "setup.cfg") or _of_setup_py(folder / "setup.py")
    )


def _of_setup_cfg(file: Path) -> str | None:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, configparser.Error):
        return None
    return parser.get("metadata", "name", fallback="").strip() or None


def _of_setup_py(file: Path) -> str | None:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, ValueError, SyntaxError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) == "setup":
            match keywords(node, tree).get("name"):
                case ast.Constant(value=str(name)):
                    return name
                case ast.Name(id=variable):
                    return _text_of(variable, tree)
    return None


def _text_of(variable: str, tree: ast.Module) -> str | None:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))) if (
                name == variable
            ):
                return text
    return None


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
