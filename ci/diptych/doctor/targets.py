"""What a word on the command line stands for: a path, or the name of a module that could be imported."""

from __future__ import annotations

import importlib.machinery
import os.path
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from diptych.binaries import find_binaries
from diptych.errors import ConfigError

_PACKAGES = (".whl", ".conda", ".tar.bz2")
_COMPANION = re.compile(
    r".*\.provenance\.json|(repodata|current_repodata|run_exports|channeldata)\.json(\.zst)?|.*\.(intoto\.jsonl|cdx\.json)|SHA256SUMS"
)
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


@dataclass(frozen=True, kw_only=True)
class Target:
    """Something to look at.

    Attributes:
        shown: as the person wrote it.
        path: where it is, absolute.
    """

    shown: str
    path: Path


def find_target(word: str, *, cwd: Path, search: Sequence[str]) -> Target:
    """Return what a word means: a path if there is one, else a module.

    Args:
        word: a path, or a dotted module name as for ``python -m``. Nothing is imported to find it.
        cwd: what a relative path starts from.
        search: the folders in which modules are looked for.

    Raises:
        ConfigError: it is neither.
    """
    path = cwd / word
    if word.strip() and os.path.exists(path):  # noqa: PTH110 -- Path.exists() raises for a name that is too long
        return Target(shown=word, path=path.absolute())
    found = _module(word, search) if _MODULE.fullmatch(word) else None
    if found is None:
        raise ConfigError(
            f'"{word}" is neither a file or folder nor a module that this Python finds',
            hint="give a .so, .dylib, .whl, .conda, a folder, an environment's prefix, or a module name",
        )
    return Target(shown=word, path=found)


def packages_in(word: str, *, cwd: Path) -> list[str]:
    """Return what a word of a command line like ``dist/**`` stands for: the packages in a folder of packages, else the word.

    A folder that holds binaries itself is looked at as one thing, whatever packages lie in it. What lies beside packages and tells
    of them (an index, provenance, checksums) stands for nothing.

    Args:
        word: a path, or anything else.
        cwd: what a relative path starts from.
    """
    path = cwd / word
    if word.strip() and os.path.isdir(path):  # noqa: PTH112 -- as in find_target
        found = sorted(each for each in path.rglob("*") if each.name.endswith(_PACKAGES) and each.is_file())
        return (
            [word]
            if not found or any(find_binaries(path))
            else [str(Path(word) / each.relative_to(path)) for each in found]
        )
    beside = _COMPANION.fullmatch(path.name) and path.is_file()
    return [] if beside else [word]


def _module(word: str, search: Sequence[str]) -> Path | None:
    """Walk down the packages without importing any."""
    folders: Sequence[str] | None = list(search)
    parts = word.split(".")
    for number in range(1, len(parts) + 1):
        spec = importlib.machinery.PathFinder.find_spec(".".join(parts[:number]), folders)
        if spec is None:
            return None
        folders = spec.submodule_search_locations
        if number == len(parts):
            if folders:
                return Path(next(iter(folders))).absolute()
            return Path(spec.origin).absolute() if spec.origin and spec.has_location else None
        if not folders:
            return None
    return None
