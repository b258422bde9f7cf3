"""The cells, their order, their names and how they are selected."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych.config import Config, load
from diptych.errors import ConfigError, UnsupportedError
from diptych.matrix import ROW_TITLES, Cell, cells, detect_platform, find, rows, select, to_json

TABLE = """
[project]
name = "two-leaves"
version = "1.0"
[tool.diptych]
python = ["3.12", "3.11"]
compiler = ["gcc", "clang-14"]
host = ["eigen"]
exclude = ["3.11-clang-14"]
[[tool.diptych.overrides]]
select = "*-clang-14"
inherit = { host = "append" }
host = ["boost"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "pyproject.toml").write_text(TABLE)
    return load(tmp_path)


@pytest.fixture
def matrix(config: Config) -> tuple[Cell, ...]:
    return cells(config, platform="linux-64")


def test_cells_are_python_major_in_the_order_of_the_table(matrix: tuple[Cell, ...]) -> None:
    assert [cell.id for cell in matrix] == ["3.12-gcc", "3.12-clang-14", "3.11-gcc"]
    assert [cell.first_compiler for cell in matrix] == [True, False, True]
    assert {cell.platform for cell in matrix} == {"linux-64"}
    assert [cell.compiler.cxx for cell in matrix] == ["g++", "clang++-14", "g++"]
    assert matrix[0].python_digits == "312"
    assert matrix[0].tag == "cp312"


def test_settings_are_those_after_overrides(matrix: tuple[Cell, ...]) -> None:
    assert [cell.settings.host for cell in matrix] == [("eigen",), ("eigen", "boost"), ("eigen",)]


def test_cells_are_values(config: Config, matrix: tuple[Cell, ...]) -> None:
    assert matrix == cells(config, platform="linux-64")
    assert len({*matrix, *cells(config, platform="linux-64")}) == 3


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ([], "3.12-gcc 3.12-clang-14 3.11-gcc"),
        (["3.11-gcc", "3.12-gcc"], "3.12-gcc 3.11-gcc"),
        (["3.12"], "3.12-gcc 3.12-clang-14"),
        (["gcc"], "3.12-gcc 3.11-gcc"),
        (["clang*"], "3.12-clang-14"),
        (["*"], "3.12-gcc 3.12-clang-14 3.11-gcc"),
        (["3.1[01]-*", "3.11"], "3.11-gcc"),
    ],
)
def test_select(matrix: tuple[Cell, ...], patterns: list[str], expected: str) -> None:
    assert " ".join(cell.id for cell in select(matrix, patterns)) == expected


def test_select_names_every_idle_pattern(matrix: tuple[Cell, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        select(matrix, ["3.12-gccc", "gcc", "3.99", "msvc"])
    assert caught.value.summary == '"3.12-gccc" matches no cell; did you mean "3.12-gcc"?'
    assert caught.value.details[1] == '"msvc" matches no cell'
    assert caught.value.hint == "the cells are: 3.12-gcc 3.12-clang-14 3.11-gcc"
    with pytest.raises(ConfigError, match="matches no cell"):
        select((), ["gcc"])


def test_find(matrix: tuple[Cell, ...]) -> None:
    assert find(matrix, "3.11-gcc") is matrix[2]
    with pytest.raises(ConfigError, match=r'there is no cell "3\.11-gc"; did you mean "3\.11-gcc"'):
        find(matrix, "3.11-gc")


def test_json_and_rows(matrix: tuple[Cell, ...]) -> None:
    assert to_json(matrix)[1] == {
        "id": "3.12-clang-14",
        "python": "3.12",
        "compiler": "clang-14",
        "platform": "linux-64",
        "first_compiler": False,
    }
    assert rows(matrix)[0] == ("3.12-gcc", "3.12", "gcc (releases)", "linux-64", "eigen", "conda-forge")
    assert {len(row) for row in rows(matrix)} == {len(ROW_TITLES)}


@pytest.mark.parametrize(
    ("system", "machine", "platform"),
    [
        ("linux", "x86_64", "linux-64"),
        ("linux", "aarch64", "linux-aarch64"),
        ("linux", "ppc64le", "linux-ppc64le"),
        ("darwin", "arm64", "osx-arm64"),
        ("darwin", "x86_64", "osx-64"),
    ],
)
def test_platforms(system: str, machine: str, platform: str) -> None:
    assert detect_platform(system, machine) == platform


def test_windows_is_refused_in_one_line() -> None:
    with pytest.raises(UnsupportedError) as caught:
        detect_platform("win32", "AMD64")
    assert caught.value.summary == "Diptych does not work on Windows yet"
    assert caught.value.details == ()


@pytest.mark.parametrize(("system", "machine"), [("linux", "i686"), ("sunos5", "sparc")])
def test_other_platforms_are_refused_by_name(system: str, machine: str) -> None:
    with pytest.raises(UnsupportedError, match=f'"{system}" with a processor "{machine}"'):
        detect_platform(system, machine)
