"""Installed sizes: of a package, and of what is installed with it, from the records of pip and conda."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from diptych.cost.model import Shared
from diptych.errors import HostEnvironmentError


def sizes_in_venv(prefix: Path, name: str) -> tuple[int, tuple[Shared, ...]]:
    """Return the bytes of one distribution of a virtual environment, and every other distribution.

    Args:
        prefix: its folder.
        name: of the project.

    Raises:
        HostEnvironmentError: the project is not there.
    """
    found = {}
    for site in prefix.glob("lib/python3.*/site-packages"):
        for one in metadata.distributions(path=[str(site)]):
            files = (Path(str(file.locate())) for file in one.files or ())
            found[_normal(one.metadata["Name"])] = Shared(
                name=one.metadata["Name"], version=one.version, size=_bytes(files)
            )
    return _own_and_rest(found, [_normal(name)], prefix)


def sizes_in_conda(prefix: Path, *names: str) -> tuple[int, tuple[Shared, ...]]:
    """Return the bytes of some packages of a conda environment, and every other package that Python alone does not need.

    Args:
        prefix: its folder.
        names: of the packages.

    Raises:
        HostEnvironmentError: one of them is not there.
    """
    records = {
        one["name"]: one
        for path in prefix.glob("conda-meta/*.json")
        if "name" in (one := json.loads(path.read_text(encoding="utf-8")))
    }
    bare = _closure("python", records)
    found = {
        one["name"]: Shared(
            name=one["name"], version=one["version"], size=_bytes(prefix / file for file in one["files"])
        )
        for one in records.values()
        if one["name"] not in bare
    }
    return _own_and_rest(found, names, prefix)


def _own_and_rest(
    found: dict[str, Shared], names: Sequence[str], prefix: Path
) -> tuple[int, tuple[Shared, ...]]:
    own = 0
    for name in names:
        if name not in found:
            raise HostEnvironmentError(f'"{prefix}" does not hold {name}', details=[", ".join(sorted(found))])
        own += found.pop(name).size
    return own, tuple(sorted(found.values(), key=lambda one: (-one.size, one.name)))


def _closure(name: str, records: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Return a package and all that it needs, of those that are there."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one in records and one not in seen:
            seen.add(one)
            waiting += [text.split()[0] for text in records[one].get("depends", ())]
    return seen


def _bytes(files: Iterable[Path]) -> int:
    """Add up the files that are there; an installer's list may name bytecode that was never written."""
    return sum(file.lstat().st_size for file in files if file.is_file())


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
