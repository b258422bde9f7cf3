"""The sessions that a noxfile has of its own: read as syntax, never executed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from diptych.adopt.files import parsed


def own_sessions(noxfile: Path) -> frozenset[str]:
    """Return the names of the sessions that a noxfile declares with ``@nox.session`` or ``@session``; none when it cannot be read."""
    tree = parsed(noxfile)
    return frozenset(_names(tree)) if tree else frozenset()


def _names(tree: ast.Module) -> Iterator[str]:
    for node in (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)):
        for decorator in node.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            named = call.func if call else decorator
            if getattr(named, "attr", getattr(named, "id", "")) == "session":
                given = [word.value for word in call.keywords if word.arg == "name"] if call else []
                names = [one.value for one in given if isinstance(one, ast.Constant)]
                yield next((name for name in names if isinstance(name, str)), node.name)
