"""What wheels of a host environment announce for CMake by entry points, as scikit-build-core reads them.

Source: scikit-build-core's documentation, "Finding other packages": ``cmake.prefix`` and ``cmake.module``, each a module whose folder
goes on CMAKE_PREFIX_PATH or CMAKE_MODULE_PATH.
"""

from __future__ import annotations

from importlib.metadata import PathDistribution
from pathlib import Path

from diptych.siblings import inner_prefixes

_INFO = "lib/python3*/site-packages/*.dist-info/entry_points.txt"


def prefixes_of(prefix: Path) -> tuple[Path, ...]:
    """Return where CMake, pkg-config and compilers find packages: the environment, prefixes in its wheels, announced folders."""
    return (prefix, *inner_prefixes(prefix), *announced(prefix, "cmake.prefix"))


def announced(prefix: Path, group: str) -> tuple[Path, ...]:
    """Return the folders that the entry points of a group name, as far as they are there."""
    found = (
        file.parents[1].joinpath(*point.value.split(":")[0].split("."))
        for file in sorted(prefix.glob(_INFO))
        for point in PathDistribution(file.parent).entry_points
        if point.group == group
    )
    return tuple(dict.fromkeys(path for path in found if path.is_dir()))
