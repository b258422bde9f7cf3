"""The project's name where there is no ``[project]``: of Poetry's own table, setup.cfg, or setup.py, which is read and never run."""

from __future__ import annotations

import ast
import configparser
from collections.abc import Mapping
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
        if isinstance(node, ast.Call) and _called(node) == "setup":
            for word in node.keywords:
                if (
                    word.arg == "name"
                    and isinstance(word.value, ast.Constant)
                    and isinstance(word.value.value, str)
                ):
                    return word.value.value
    return None


def _called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
