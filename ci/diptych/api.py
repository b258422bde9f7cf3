"""The library's public functions. ``diptych.__all__`` lists them; docs/reference/api.md says what stays as it is.

Everything here works with what ``pip install diptych`` brings, without the extra ``build``.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TypeAlias

from diptych.archives import Package
from diptych.archives import open_package as open_any
from diptych.binaries import Binary, read_file
from diptych.compare import Comparison, Difference
from diptych.compare import compare_packages as compare_any
from diptych.config import Config, load
from diptych.doctor import Report, Target
from diptych.doctor import examine as examine_targets
from diptych.errors import DiptychError
from diptych.matrix import Cell, cells, detect_platform
from diptych.rules import Finding, Judged, Rule, all_rules, choose

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
    "compare_packages",
    "examine",
    "open_package",
    "read_binaries",
    "read_config",
    "read_matrix",
]

FilePath: TypeAlias = "str | PathLike[str]"


def examine(
    *paths: FilePath,
    beside: Sequence[FilePath] = (),
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
) -> Report:
    """Look at files, packages, folders or environments, as ``diptych doctor`` does.

    Args:
        paths: what to look at. One that is damaged, or not there, is a finding.
        beside: packages or environments that each of them is installed with.
        select: only the rules of these codes, or of codes that begin so (``DIP1``); empty: all.
        ignore: without these.

    Raises:
        ConfigError: a code is no rule's.
        FormatError: one of those beside is damaged.
    """
    return examine_targets(
        [_target(path) for path in paths],
        rules=choose(all_rules(), select=select, ignore=ignore),
        host=platform.machine() if sys.platform == "linux" else None,
        beside=[_target(path) for path in beside],
    )


def compare_packages(left: FilePath, right: FilePath, *, one_build: bool = False) -> Comparison:
    """Compare any two packages, as ``diptych compare`` does.

    Args:
        left: a wheel, a conda package, or a folder laid out as site-packages.
        right: likewise.
        one_build: both are said to come from one compile, so unlike code is an error; else it is drift.

    Raises:
        FormatError: a package or a binary is damaged.
    """
    return compare_any(Path(left), Path(right), one_build=one_build)


def open_package(path: FilePath) -> Package:
    """Open a wheel, a conda package, an sdist, a folder or an environment to look into; it is a context manager.

    Raises:
        FormatError: it is not there, damaged, or of an unknown kind.
    """
    return open_any(Path(path))


def read_binaries(path: FilePath) -> tuple[Binary, ...]:
    """Read an ELF or Mach-O file: one binary, or one for each architecture of a universal file.

    Raises:
        FormatError: it is not there, damaged, or neither of the two.
    """
    return tuple(read_file(Path(path)))


def read_config(folder: FilePath) -> Config:
    """Read ``[tool.diptych]`` of the ``pyproject.toml`` in a folder.

    Raises:
        ConfigError: file or table is missing or wrong; ``details`` has all faults.
    """
    return load(Path(folder))


def read_matrix(folder: FilePath) -> tuple[Cell, ...]:
    """Return the cells that the table in a folder asks for on this machine's platform.

    Raises:
        ConfigError: see :func:`read_config`.
        UnsupportedError: Diptych does not work on this platform.
    """
    return cells(read_config(folder), platform=detect_platform(sys.platform, platform.machine()))


def _target(path: FilePath) -> Target:
    return Target(shown=str(path), path=Path(path).absolute())
