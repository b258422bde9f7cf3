"""Ask CMake what it installs, from where and by which rule (cmake-file-api(7), object kind "codemodel")."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CLIENT = "client-diptych"


@dataclass(frozen=True, kw_only=True)
class Installed:
    """One path that ``cmake --install`` writes.

    Attributes:
        path: relative to the install prefix, or absolute.
        origin: where it comes from.
        rule: where the rule stands, such as ``CMakeLists.txt:12``; empty when CMake does not say.
        folder: the path is a folder, which the rule copies whole.
    """

    path: str
    origin: Path
    rule: str
    folder: bool


def ask(tree: Path) -> None:
    """Leave the query in the build tree, before it is configured."""
    query = tree / ".cmake" / "api" / "v1" / "query" / _CLIENT / "codemodel-v2"
    query.parent.mkdir(parents=True, exist_ok=True)
    query.touch()


def installed(tree: Path, source: Path) -> tuple[Installed, ...]:
    """Return what the install rules write, as far as CMake knows; a script of the project may write more."""
    reply = tree / ".cmake" / "api" / "v1" / "reply"
    return tuple(
        one
        for codemodel in sorted(reply.glob("codemodel-v2-*.json"))
        for configuration in _read(codemodel)["configurations"][:1]
        for folder in configuration["directories"]
        if "jsonFile" in folder
        for one in _rules(_read(reply / folder["jsonFile"]), tree, source)
    )


def _rules(directory: dict[str, Any], tree: Path, source: Path) -> Iterator[Installed]:
    # Paths of targets are relative to the build tree's top, those of files to the source tree's.
    for rule in directory.get("installers", []):
        into = Path(rule.get("destination", ""))
        base = tree if rule["type"] in {"target", "export"} else source
        for item in rule.get("paths", []):
            old, new = (item["from"], item["to"]) if isinstance(item, dict) else (item, Path(item).name)
            yield Installed(
                path=(into / new).as_posix(),
                origin=base / old,
                rule=_place(rule, directory.get("backtraceGraph", {})),
                folder=rule["type"] == "directory",
            )


def _place(rule: dict[str, Any], graph: dict[str, Any]) -> str:
    """Return file and line of the ``install()`` call."""
    if "backtrace" not in rule:
        return ""
    node = graph["nodes"][rule["backtrace"]]
    return f"{graph['files'][node['file']]}:{node.get('line', 1)}"


def _read(path: Path) -> Any:  # noqa: ANN401 -- CMake's own JSON
    return json.loads(path.read_text(encoding="utf-8"))
