"""What ``diptych init`` takes from the settings of pytest, and of cibuildwheel for Pythons without the GIL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from diptych.adopt.adoption import adopt
from diptych.adopt.apply import apply
from diptych.config.files import read_toml
from helpers.laid_out import write

SKBUILD = """[build-system]
requires = ["scikit-build-core"]
build-backend = "scikit_build_core.build"

[project]
name = "crafted"
version = "1"
requires-python = ">=3.12"
"""


@pytest.fixture
def craft(tmp_path: Path) -> Path:
    write(tmp_path, {"pyproject.toml": SKBUILD, "tests/test_it.py": "import crafted\n"})
    write(tmp_path, {"CMakeLists.txt": "project(crafted)\n", "src/crafted/__init__.py": ""})
    return tmp_path


def table(root: Path) -> dict[str, Any]:
    apply(adopt(root, platform="linux-64", here="3.12").edits)
    found: dict[str, Any] = read_toml(root / "pyproject.toml")["tool"]["diptych"]
    return found


def told(root: Path) -> str:
    plan = adopt(root, platform="linux-64", here="3.12").plan
    return "\n".join(f"{one.origin}: {one.text}" for one in plan.untold) if plan else ""


INI = """[pytest]
addopts =
  # `pytest-xdist`:
  # --numprocesses=auto
  --durations=10
  -p pytest_cov
  --cov
  --cov-config=.coveragerc
testpaths = checks/
"""


@pytest.mark.parametrize(
    ("file", "text", "needed"),
    [
        ("pytest.ini", INI, ["pytest", "pytest-cov", "cython"]),
        ("setup.cfg", "[tool:pytest]\naddopts = --cov=crafted -n auto\n", ["pytest", "pytest-cov", "pytest-xdist", "cython"]),
        ("tox.ini", "[pytest]\nasyncio_mode = auto\n", ["pytest", "pytest-asyncio"]),
        ("pyproject.toml", '[tool.pytest.ini_options]\nrequired_plugins = ["pytest-mock>=3"]\n', ["pytest", "pytest-mock >=3"]),
        ("pyproject.toml", '[tool.pytest]\naddopts = ["-p instafail", "-p no:doctest", "-q"]\n', ["pytest", "pytest-instafail"]),
        ("pytest.ini", "[pytest]\naddopts = --benchmark-disable --timeout=9\n", ["pytest", "pytest-benchmark", "pytest-timeout"]),
    ],
)  # fmt: skip
def test_plugins_that_the_options_ask_for(craft: Path, file: str, text: str, needed: list[str]) -> None:
    before = (craft / file).read_text() + "\n" if (craft / file).exists() else ""
    write(craft, {file: before + text, ".coveragerc": "[run]\nplugins = Cython.Coverage\n"})
    assert table(craft)["test-requires"] == needed


def test_testpaths_of_pytest_ini(craft: Path) -> None:
    write(craft, {"pytest.ini": INI, "checks/test_more.py": "", ".coveragerc": ""})
    assert table(craft)["test"] == "pytest -q {source}/checks"


@pytest.mark.parametrize("text", ["[pytest\n", "addopts = '", "[pytest]\naddopts = 'a\n", "\0"])
def test_broken_settings_are_passed_over(craft: Path, text: str) -> None:
    write(craft, {"pytest.ini": text, ".coveragerc": text})
    assert "test-requires" not in table(craft)


def test_a_test_module_for_pythons_without_the_gil_is_left_out(craft: Path) -> None:
    text = 'import sysconfig\nassert sysconfig.get_config_var("Py_GIL_DISABLED")\n'
    write(craft, {"tests/test_free.py": text})
    assert table(craft)["test"] == "pytest -q {source}/tests --ignore-glob=*/test_free.py"


def test_that_it_is_left_out_is_told(craft: Path) -> None:
    write(
        craft,
        {"tests/test_free.py": 'import sysconfig\nassert sysconfig.get_config_var("Py_GIL_DISABLED")\n'},
    )
    assert "left out of the tests: test_free.py" in told(craft)


@pytest.mark.parametrize(
    ("settings", "pythons"),
    [
        ('build = "cp314-* cp314t-*"', ["3.14", "3.14t"]),
        ('build = "cp31{3,4}-* cp31?t-*"', ["3.13", "3.14", "3.13t", "3.14t"]),
        ('enable = ["cpython-freethreading"]', ["3.12", "3.13", "3.14", "3.13t", "3.14t"]),
        ('enable = ["cpython-freethreading"]\nskip = "cp313t-*"', ["3.12", "3.13", "3.14", "3.14t"]),
        ("free-threaded-support = true\nskip = 'cp313*'", ["3.12", "3.14", "3.14t"]),
        ('build = "cp314-*"', ["3.14"]),
        ('build = "*"', ["3.12", "3.13", "3.14"]),
        ('skip = "cp314t-*"', ["3.12", "3.13", "3.14"]),
    ],
)
def test_pythons_without_the_gil_of_cibuildwheel(craft: Path, settings: str, pythons: list[str]) -> None:
    write(craft, {"pyproject.toml": f"{SKBUILD}\n[tool.cibuildwheel]\n{settings}\n"})
    assert "cp314t" not in told(craft)
    assert "freethreading" not in told(craft)
    assert table(craft)["python"] == pythons


def test_other_interpreters_are_told(craft: Path) -> None:
    text = f'{SKBUILD}\n[tool.cibuildwheel]\nenable = ["pypy", "cpython-freethreading"]\n'
    write(craft, {"pyproject.toml": text})
    assert 'enable: "pypy": CPython alone is built' in told(craft)


@pytest.mark.parametrize(
    ("command", "needed"),
    [
        ("pip install PyYAML", ["pytest", "pyyaml"]),
        ("PIP_CONSTRAINT= python -m pip install PyYAML>=5", None),
        ("pip install -r requirements.txt", None),
        ("pip install a && make", None),
    ],
)
def test_what_pip_installs_before_the_tests(craft: Path, command: str, needed: list[str] | None) -> None:
    write(craft, {"pyproject.toml": f'{SKBUILD}\n[tool.cibuildwheel]\nbefore-test = "{command}"\n'})
    assert ("before-test" in told(craft)) == (needed is None)
    assert table(craft).get("test-requires") == needed


def test_requirements_have_the_names_of_conda_forge(craft: Path) -> None:
    text = f'{SKBUILD}\n[dependency-groups]\ntest = ["pytest", "matplotlib>=3", "crafted[extra]"]\n'
    write(craft, {"pyproject.toml": text, "tests/test_plot.py": "import matplotlib\n"})
    assert "matplotlib" not in told(craft)
    assert table(craft)["test-requires"] == ["pytest", "matplotlib-base >=3"]


@pytest.mark.parametrize(
    ("files", "command"),
    [
        (
            {"crafted/__init__.py": "", "tests/__init__.py": ""},
            "pytest -q --import-mode=append {source}/tests",
        ),
        ({"crafted/__init__.py": ""}, None),
        ({"tests/__init__.py": ""}, None),
    ],
    ids=["a test package beside the sources", "plain tests", "sources in src"],
)
def test_a_test_package_does_not_hide_what_was_compiled(
    craft: Path, files: dict[str, str], command: str | None
) -> None:
    write(craft, files)
    assert table(craft).get("test") == command


def test_an_extra_that_names_another_one_of_the_project(craft: Path) -> None:
    extras = 'test = ["pillow", "crafted[more]"]\nmore = ["pytest", "wurlitzer", "crafted[test]"]\n'
    write(craft, {"pyproject.toml": f"{SKBUILD}\n[project.optional-dependencies]\n{extras}"})
    assert table(craft)["test-requires"] == ["pillow", "pytest", "wurlitzer"]


@pytest.mark.parametrize(
    ("file", "text", "test"),
    [
        ("pytest.ini", "[pytest]\nfilterwarnings =\n    error\n    ignore::UserWarning\n",
         "pytest -q -W default::DeprecationWarning {source}/tests"),
        ("pyproject.toml", '[tool.pytest.ini_options]\nfilterwarnings = ["error"]\n',
         "pytest -q -W default::DeprecationWarning {source}/tests"),
        ("pyproject.toml", '[tool.pytest]\nverbosity_subtests = "0"\n', "pytest -q -o verbosity_subtests=0 {source}/tests"),
        ("pyproject.toml", "[tool.pytest]\nverbosity_subtests = 0\n", None),
        ("pyproject.toml", '[tool.pytest.ini_options]\nverbosity_subtests = "0"\n', None),
        ("pytest.ini", "[pytest]\nfilterwarnings = error::FutureWarning\n", None),
    ],
)  # fmt: skip
def test_settings_that_todays_pytest_would_end_at(
    craft: Path, file: str, text: str, test: str | None
) -> None:
    before = (craft / file).read_text() + "\n" if (craft / file).exists() else ""
    write(craft, {file: before + text})
    assert table(craft).get("test") == test


@pytest.mark.parametrize(
    ("files", "test"),
    [
        (["conftest.py", "crafted/__init__.py"], "pytest -q --import-mode=append {source}/tests"),
        (["tests/conftest.py", "crafted/__init__.py"], None),
        (["conftest.py"], None),
    ],
)
def test_a_conftest_beside_the_sources_does_not_hide_what_was_compiled(
    tmp_path: Path, files: list[str], test: str | None
) -> None:
    write(tmp_path, {"pyproject.toml": SKBUILD, "CMakeLists.txt": "project(crafted)\n"})
    write(tmp_path, dict.fromkeys([*files, "tests/test_it.py"], "import crafted\n"))
    assert table(tmp_path).get("test") == test
