"""Which release of GCC brought a symbol version of its runtime libraries.

Data: ``data/libstdcxx.json`` (libstdc++ manual, "ABI Policy and Guidelines") and ``data/libgcc.json`` (GCC's own version
scripts, whose versions are named after releases).
"""

from __future__ import annotations

import functools
import json
import re
from importlib import resources
from typing import Any

_NUMBERED = re.compile(r"(GLIBCXX|CXXABI|GCC)_(\d+(?:\.\d+)*)")


def release_with(version: str) -> str | None:
    """Return the first GCC release whose runtime defines a symbol version.

    Args:
        version: like ``GLIBCXX_3.4.30``, ``CXXABI_1.3.9`` or ``GCC_7.0.0``.

    Returns:
        Like ``12.1``. For what is older than the table, and for names without a number (``CXXABI_FLOAT128``), its first
        release; for what is newer its last; None for what is no version of these libraries.
    """
    rows = libstdcxx_releases()
    found = _NUMBERED.fullmatch(version)
    if version.startswith("GCC_"):
        return _libgcc().get(version, found[2] if found else None)
    if found is None:
        return rows[0]["gcc"] if version.startswith(("GLIBCXX_", "CXXABI_")) else None
    column, wanted = found[1].lower(), release_key(found[2])
    return next((row["gcc"] for row in rows if release_key(row[column]) >= wanted), rows[-1]["gcc"])


def release_key(text: str) -> tuple[int, ...]:
    """Return a number such as ``3.4.30`` in a form that sorts."""
    return tuple(int(part) for part in text.split("."))


@functools.cache
def libstdcxx_releases() -> list[dict[str, str]]:
    """Return the rows of the table, the oldest first: ``gcc``, ``glibcxx`` and ``cxxabi``."""
    rows: list[dict[str, str]] = _read("libstdcxx.json")["releases"]
    return rows


@functools.cache
def _libgcc() -> dict[str, str]:
    versions: dict[str, str] = _read("libgcc.json")["versions"]
    return versions


def _read(name: str) -> Any:  # noqa: ANN401 -- JSON
    return json.loads(resources.files("diptych").joinpath(f"data/{name}").read_text(encoding="utf-8"))
