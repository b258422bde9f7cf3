"""Reading a project's own text files: never an error of decoding, never a file of a gigabyte."""

from __future__ import annotations

import ast
from pathlib import Path

_LARGEST = 5_000_000


def read_text(path: Path) -> str:
    """Return a text file's content with newlines alone for line ends; an empty string when it is none, or far too large."""
    if not path.is_file() or path.stat().st_size > _LARGEST:
        return ""
    return path.read_text(encoding="utf-8", errors="replace")


def parsed(path: Path) -> ast.Module | None:
    """Return a Python file as syntax, never executed; None when this Python cannot read it: a template, another Python's, nested too deeply."""
    try:
        return ast.parse(read_text(path))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def inside(root: Path, path: Path) -> bool:
    """Tell whether a path that a file names lies in the repository: nothing else is read."""
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, ValueError, RuntimeError):  # a NUL in the name, a loop of links
        return False
