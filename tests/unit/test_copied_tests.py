"""The copies of tests that run away from the package's sources, and what is said when today's pytest refuses them."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych.errors import ConfigError
from diptych.testing.command import hint_of
from diptych.testing.sources import copy_tests
from helpers.laid_out import write


def test_conftest_above_the_tests_comes_along(tmp_path: Path) -> None:
    source, folder = tmp_path / "source", tmp_path / "copies"
    names = (
        "conftest.py",
        "pkg/conftest.py",
        "pkg/__init__.py",
        "pkg/other/conftest.py",
        "pkg/tests/test_a.py",
    )
    write(source, dict.fromkeys(names, ""))
    copy_tests(["pkg/tests"], source, folder)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {"conftest.py", "pkg/conftest.py", "pkg/tests/test_a.py"}


@pytest.mark.parametrize("name", ["gone", "../outside"])
def test_what_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "outside").mkdir()
    with pytest.raises(ConfigError, match="test-sources"):
        copy_tests([name], tmp_path / "source", tmp_path / "copies")


@pytest.mark.parametrize(
    "output",
    [
        "E   pytest.PytestRemovedIn10Warning: Passing a non-Collection iterable to parametrize is deprecated.",
        "ERROR: pyproject.toml: config option 'verbosity_subtests' expects one of int | 'auto', got str: '0'",
    ],
)
def test_tests_of_an_older_pytest_are_told(output: str) -> None:
    assert 'test-requires = ["pytest <' in hint_of(output)
    assert hint_of("1 failed") == ""
