"""The copies of the tests that a test command runs on, where the table names them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from diptych.errors import ConfigError


def copy_tests(names: Sequence[str], source: Path, folder: Path) -> None:
    """Copy files and folders of the project into ``folder``, with their paths, and each ``conftest.py`` above them.

    Args:
        names: ``test-sources`` of the table.
        source: the project.
        folder: where they go.

    Raises:
        ConfigError: one is not there, or lies outside the project.
    """
    for name in names:
        path = (source / name).resolve()
        if not path.is_relative_to(source.resolve()) or not path.exists():
            raise ConfigError(
                f'tool.diptych.test-sources: "{name}" is not in "{source}"',
                hint="paths are relative to tool.diptych.source",
            )
        target = folder / path.relative_to(source.resolve())
        _copy_conftest(path, source.resolve(), folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(path, target)


def _copy_conftest(path: Path, source: Path, folder: Path) -> None:
    """Copy each ``conftest.py`` above the tests: pytest takes fixtures, hooks and marks from them."""
    for above in path.parents:
        if not above.is_relative_to(source):
            return
        if (above / "conftest.py").is_file():
            target = folder / above.relative_to(source) / "conftest.py"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(above / "conftest.py", target)
