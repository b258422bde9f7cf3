"""The libraries of the operating system: which they are, and where this machine has them."""

from __future__ import annotations

import fnmatch
import functools
import json
import re
from importlib import resources
from pathlib import Path


@functools.cache
def _lists() -> dict[str, list[str]]:
    text = resources.files("diptych").joinpath("data/system_libraries.json").read_text(encoding="utf-8")
    lists: dict[str, list[str]] = json.loads(text)["libraries"]
    return lists


def is_system_library(needed: str, kind: str) -> bool:
    """Tell whether a needed library may be expected on every machine of a platform.

    Args:
        needed: the name as the binary has it.
        kind: "elf" or "macho".
    """
    return any(fnmatch.fnmatchcase(needed, glob) for glob in _lists()[kind])


def locate(name: str) -> Path | None:
    """Find a library by name in the system's usual folders: to tell a person where a stranger comes from."""
    roots = (Path("/lib"), Path("/usr/lib"), Path("/usr/local/lib"), Path("/lib64"), Path("/usr/lib64"))
    multiarch = re.compile(r"-linux-")
    for root in roots:
        folders = [root, *(child for child in _children(root) if multiarch.search(child.name))]
        for folder in folders:
            if (folder / name).exists():
                return folder / name
    return None


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(child for child in folder.iterdir() if child.is_dir())
    except OSError:
        return []
