"""Build a C++ Python extension once, ship it as a wheel and a conda package, and prove them equal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from diptych.api import (
        Binary,
        Cell,
        Comparison,
        Config,
        Difference,
        DiptychError,
        Finding,
        Judged,
        Package,
        Report,
        Rule,
        compare_packages,
        examine,
        open_package,
        read_binaries,
        read_config,
        read_matrix,
    )

__all__ = [
    "Binary",
    "Cell",
    "Comparison",
    "Config",
    "Difference",
    "DiptychError",
    "Finding",
    "Judged",
    "Package",
    "Report",
    "Rule",
    "__version__",
    "compare_packages",
    "examine",
    "open_package",
    "read_binaries",
    "read_config",
    "read_matrix",
]


def _installed_version() -> str:
    """Return the version that the installation wrote down: that of the last tag."""
    try:
        return (Path(__file__).parent / "data" / "version.txt").read_text(encoding="utf-8").strip()
    except OSError:
        return "0+unknown"


__version__ = _installed_version()

DOCUMENTATION = "https://diptych.example/docs"
"""Where the site of docs/ is; pyproject.toml says the same."""


if not TYPE_CHECKING:  # a type checker would take any name for an attribute

    def __getattr__(name: str) -> object:
        """Import the public API when a name of it is first asked for: every command imports this package."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from diptych import api  # noqa: PLC0415 -- see above

        return getattr(api, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
