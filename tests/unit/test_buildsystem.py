"""What builds a project, whatever its pyproject.toml has for a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych.build import wrapped
from diptych.config.buildsystem import BuildSystem, build_system_of

SETUPTOOLS = "setuptools.build_meta"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", BuildSystem()),
        ('[build-system]\nrequires = ["a>1"]', BuildSystem(backend=SETUPTOOLS, requires=("a>1",))),
        ('[build-system]\nbuild-backend = "b.c"', BuildSystem(backend="b.c", requires=("setuptools",))),
        ("build-system = 3", BuildSystem(backend=SETUPTOOLS, requires=("setuptools",))),
        ('build-system.requires = "a"', BuildSystem(backend=SETUPTOOLS)),
    ],
)
def test_defaults_are_those_of_the_standards(text: str, expected: BuildSystem, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    assert build_system_of(tmp_path) == expected
    assert bool(build_system_of(tmp_path)) == bool(text)


def test_a_setup_script_alone_is_setuptools(tmp_path: Path) -> None:
    assert not build_system_of(tmp_path)
    (tmp_path / "setup.py").write_text("", encoding="utf-8")
    assert build_system_of(tmp_path).backend == SETUPTOOLS
    (tmp_path / "pyproject.toml").write_text("[tool.x]\n", encoding="utf-8")
    assert build_system_of(tmp_path).backend == SETUPTOOLS


def test_a_table_that_is_none_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("build-system = 3", encoding="utf-8")
    (tmp_path / "CMakeLists.txt").write_text("", encoding="utf-8")
    assert wrapped.is_wrapped(tmp_path)
