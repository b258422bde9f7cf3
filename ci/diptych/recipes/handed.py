"""The variables by which a recipe takes the finished stage, and whether rattler-build hands them to its script.

A script is run with none of the surrounding variables but those under ``script: env`` and ``script: secrets``. One that takes
another gets an empty text: ``cp -R "$DIPTYCH_STAGE"/. …`` would then copy the root of the file system.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

STAGE_VARIABLE = "DIPTYCH_STAGE"
ELSEWHERE_VARIABLE = "DIPTYCH_ELSEWHERE"
LIBRARY_VARIABLE = "DIPTYCH_LIBRARY"
_READ_WHEN_RENDERED = re.compile(r"\benv\s*(?:\.get\s*\(|\[)\s*[\"'][^\"']*[\"']")
_DEFAULT_SCRIPT = "build.sh"


def not_handed(recipe: dict[str, Any], folder: Path) -> list[str]:
    """Return the variables that a script of the recipe takes and is not given, sorted.

    Args:
        recipe: the recipe as plain values, its expressions not evaluated.
        folder: where its scripts lie.
    """
    return sorted({name for script in _scripts(recipe) for name in _missing(script, folder)})


def _scripts(recipe: dict[str, Any]) -> Iterator[Any]:
    """Yield the script of every output; None where rattler-build looks for ``build.sh``."""
    outputs = recipe.get("outputs")
    parts = _tables(outputs) if isinstance(outputs, list) else iter([recipe])
    for part in parts:
        build = part.get("build")
        yield build.get("script") if isinstance(build, dict) else None


def _missing(script: object, folder: Path) -> Iterator[str]:
    texts = list(_strings(script)) or [_DEFAULT_SCRIPT]
    named = [folder / text for text in texts if "\n" not in text]
    texts += [path.read_text(encoding="utf-8", errors="replace") for path in named if path.is_file()]
    words = "\n".join(_READ_WHEN_RENDERED.sub("", text) for text in texts)
    given = set(_given(script))
    for name in (STAGE_VARIABLE, ELSEWHERE_VARIABLE, LIBRARY_VARIABLE):
        if name in words and name not in given:
            yield name


def _given(script: object) -> Iterator[str]:
    for table in _tables(script):
        env, secrets = table.get("env"), table.get("secrets")
        yield from map(str, env) if isinstance(env, dict) else ()
        yield from _strings(secrets)


def _tables(value: object) -> Iterator[dict[str, Any]]:
    """Yield a table and those below it, also where a condition (``if``, ``then``, ``else``) chooses."""
    if isinstance(value, dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        yield from _tables(one)


def _strings(value: object) -> Iterator[str]:
    """Yield the texts of a script; what it is given (``env``, ``secrets``) is none of them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
    elif isinstance(value, dict):
        for name, one in value.items():
            if name not in {"env", "secrets", "if", "interpreter"}:
                yield from _strings(one)
