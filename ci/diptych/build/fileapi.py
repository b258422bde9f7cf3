"""Ask CMake where each installed file comes from (cmake-file-api(7), object kind "codemodel")."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_CLIENT = "client-diptych"


def ask(tree: Path) -> None:
    """Leave the query in the build tree, before it is configured."""
    query = tree / ".cmake" / "api" / "v1" / "query" / _CLIENT / "codemodel-v2"
    query.parent.mkdir(parents=True, exist_ok=True)
    query.touch()


def install_map(tree: Path, source: Path) -> dict[str, Path]:
    """Map each path that ``cmake --install`` writes (relative to the install prefix) to where it comes from.

    A folder rule maps the folder; a rule without an origin (a script, an export) is left out.
    """
    reply = tree / ".cmake" / "api" / "v1" / "reply"
    return {
        destination: origin
        for codemodel in sorted(reply.glob("codemodel-v2-*.json"))
        for configuration in _read(codemodel)["configurations"][:1]
        for folder in configuration["directories"]
        if "jsonFile" in folder
        for destination, origin in _rules(_read(reply / folder["jsonFile"]), tree, source)
    }


def _rules(directory: dict[str, Any], tree: Path, source: Path) -> Iterator[tuple[str, Path]]:
    # Paths of targets are relative to the build tree's top, those of files to the source tree's.
    for rule in directory.get("installers", []):
        into = rule.get("destination", "")
        base = tree if rule["type"] == "target" else source
        for item in rule.get("paths", []):
            if isinstance(item, dict):
                yield _joined(into, item["to"]), base / item["from"]
            elif rule["type"] == "directory":
                yield _joined(into, Path(item).name), base / item
            else:
                yield _joined(into, Path(item).name), base / item


def _joined(into: str, name: str) -> str:
    return (Path(into) / name).as_posix()


def _read(path: Path) -> Any:  # noqa: ANN401 -- CMake's own JSON
    return json.loads(path.read_text(encoding="utf-8"))
