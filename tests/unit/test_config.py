"""What a right table becomes."""

from __future__ import annotations

import dataclasses
import subprocess  # noqa: TID251 -- a test of a fresh interpreter
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from diptych.config import CellId, CompilerSpec, Config, load, parse_cell_id
from diptych.config.overrides import settings_of
from diptych.errors import ConfigError
from diptych.inputs import part
from diptych.testing.command import SuiteSettings

PROJECT = '[project]\nname = "two-leaves"\nversion = "1.0"\n'
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_it(table: str, project: str = PROJECT) -> Path:
        (tmp_path / "pyproject.toml").write_text(f"{project}\n{table}", encoding="utf-8")
        return tmp_path

    return write_it


def test_the_shortest_table_has_all_defaults(write: Write) -> None:
    root = write('[tool.diptych]\npython = ["3.12"]')
    config = load(root)
    assert config.source == config.root == root.resolve()
    assert config.file == root.resolve() / "pyproject.toml"
    assert config.package == "two_leaves"
    assert config.recipe is None
    assert config.compilers == (CompilerSpec(name="gcc", cc="gcc", cxx="g++"),)
    assert config.ids == (CellId(python="3.12", compiler="gcc"),)
    assert config.settings.channels == ("conda-forge",)
    assert config.settings.test_requires == ("pytest",)
    assert config.settings.build_type == "Release"
    assert config.overrides == ()


def test_config_is_frozen_and_cells_settings_hash(write: Write) -> None:
    config = load(write('[tool.diptych]\npython = ["3.12"]\nenv = {A = "1"}'))
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.package = "x"  # type: ignore[misc]
    assert hash(config.settings) == hash(dataclasses.replace(config.settings))


def test_source_project_and_recipe_are_read_from_the_source_folder(tmp_path: Path) -> None:
    source = tmp_path / "project"
    (source / "conda").mkdir(parents=True)
    (source / "conda" / "recipe.yaml").touch()
    (source / "pyproject.toml").write_text(
        '[project]\nname = "zope.leaf-x"\ndynamic = ["version"]\nrequires-python = ">=3.11,<3.14"\n'
        'dependencies = ["numpy>=2", "attrs; python_version<\'3.13\'"]\n'
    )
    (tmp_path / "pyproject.toml").write_text(
        '[tool.diptych]\nsource = "project"\npython = ["3.11", "3.13"]\n'
    )
    config = load(tmp_path)
    assert config.source == (tmp_path / "project").resolve()
    assert config.package == "zope.leaf_x"
    assert config.recipe == config.source / "conda" / "recipe.yaml"
    assert config.project.version is None
    assert config.project.requires_python == ">=3.11,<3.14"
    assert config.project.dependencies == ("numpy>=2", "attrs; python_version<'3.13'")


def test_compilers_known_by_name_by_table_and_from_packages(write: Write) -> None:
    root = write("""
[tool.diptych]
python = ["3.12"]
compiler = ["clang-17", "gcc-13", "clang", "mine", "conda-gcc"]
[tool.diptych.compilers.clang]
flags = ["-stdlib=libc++"]
env = { CCACHE_DISABLE = "1" }
[tool.diptych.compilers.mine]
cxx = "tools/bin/g++"
[tool.diptych.compilers.conda-gcc]
packages = ["gxx_linux-64=13"]
""")
    numbered, gcc13, clang, mine, conda = load(root).compilers
    assert (numbered.cc, numbered.cxx) == ("clang-17", "clang++-17")
    assert (gcc13.cc, gcc13.cxx) == ("gcc-13", "g++-13")
    assert (clang.cc, clang.cxx, clang.flags) == ("clang", "clang++", ("-stdlib=libc++",))
    assert clang.env == {"CCACHE_DISABLE": "1"}
    assert (mine.cc, mine.cxx) == (None, str(root.resolve() / "tools/bin/g++"))
    assert (conda.cc, conda.cxx, conda.packages) == (None, None, ("gxx_linux-64=13",))


def test_a_table_without_use_is_no_fault_as_the_first_page_of_the_docs_has_one(write: Write) -> None:
    root = write('[tool.diptych]\npython = ["3.12"]\n[tool.diptych.compilers.conda-gcc]\npackages = ["gxx"]')
    assert [spec.name for spec in load(root).compilers] == ["gcc"]


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        ("", "3.11-gcc 3.11-clang 3.12-gcc 3.12-clang"),
        ('include = ["3.12-*"]', "3.12-gcc 3.12-clang"),
        ('include = ["3.12"]', "3.12-gcc 3.12-clang"),
        ('include = ["clang", "3.11-gcc"]', "3.11-gcc 3.11-clang 3.12-clang"),
        ('exclude = ["3.11-clang"]', "3.11-gcc 3.12-gcc 3.12-clang"),
        ('include = ["*-gcc"]\nexclude = ["3.11"]', "3.12-gcc"),
        ('include = ["cl*g"]', "3.11-clang 3.12-clang"),
    ],
)
def test_include_and_exclude(write: Write, keys: str, left: str) -> None:
    config = load(write(f'[tool.diptych]\npython = ["3.11", "3.12"]\ncompiler = ["gcc", "clang"]\n{keys}'))
    assert " ".join(map(str, config.ids)) == left


def _settings(config: Config, name: str) -> object:
    return settings_of(parse_cell_id(name), base=config.settings, overrides=config.overrides)


def test_overrides_append_prepend_replace_in_order(write: Write) -> None:
    config = load(
        write("""
[tool.diptych]
python = ["3.11", "3.12", "3.13"]
compiler = ["gcc", "clang"]
host = ["eigen", "numpy"]
cmake-args = ["-DA=1"]
env = { A = "1", B = "1" }
[[tool.diptych.overrides]]
select = "3.13-*"
inherit = { host = "append", cmake-args = "prepend", env = "append" }
host = ["boost", "numpy"]
cmake-args = ["-DB=1"]
env = { B = "2", C = "2" }
[[tool.diptych.overrides]]
select = ["3.13-clang", "3.12-clang"]
inherit = { env = "prepend", host = "none" }
host = ["only"]
test = "python -m unittest"
env = { A = "3", D = "3" }
""")
    )
    base = config.settings
    assert _settings(config, "3.11-gcc") == base
    assert _settings(config, "3.13-gcc") == dataclasses.replace(
        base,
        host=("eigen", "numpy", "boost"),
        cmake_args=("-DB=1", "-DA=1"),
        env={"A": "1", "B": "2", "C": "2"},
    )
    assert _settings(config, "3.13-clang") == dataclasses.replace(
        base,
        host=("only",),
        cmake_args=("-DB=1", "-DA=1"),
        test="python -m unittest",
        env={"A": "1", "B": "2", "C": "2", "D": "3"},
    )
    assert _settings(config, "3.12-clang") == dataclasses.replace(
        base, host=("only",), test="python -m unittest", env={"A": "1", "B": "1", "D": "3"}
    )


def test_placeholders_are_filled_after_the_words_are_split(write: Write) -> None:
    config = load(
        write('[tool.diptych]\npython = ["3.12"]\ntest = \'{python} -m pytest {source}/t -k "a {b0}"\'')
    )
    words = part(SuiteSettings, config.settings).command(source=Path("/a b"), python=Path("/p y/python"))
    assert words == ("/p y/python", "-m", "pytest", "/a b/t", "-k", "a {b0}")


def test_cell_ids_come_apart_as_they_were_put_together() -> None:
    for text in ("3.11-gcc", "3.10-gcc-12", "3.13-my-own.one"):
        assert str(parse_cell_id(text)) == text
    for text in ("", "3.11", "gcc-3.11", "3.11-", "2.7-gcc", "3.11-gcc x"):
        with pytest.raises(ConfigError, match="not the name of a cell"):
            parse_cell_id(text)


@pytest.mark.parametrize(
    ("requires", "admitted"),
    [
        (">=3.11", "3.11 3.12 3.13"),
        (">= 3.12", "3.12 3.13"),
        (">=3.11.4", "3.11 3.12 3.13"),
        (">=3.10,<3.12", "3.10 3.11"),
        ("~=3.11", "3.11 3.12 3.13"),
        (">=3.10,!=3.11.*", "3.10 3.12 3.13"),
        ("<=3.12", "3.10 3.11 3.12"),
    ],
)
def test_requires_python_is_held_against_every_python(write: Write, requires: str, admitted: str) -> None:
    project = f'{PROJECT}requires-python = "{requires}"\n'
    for python in ("3.10", "3.11", "3.12", "3.13"):
        root = write(f'[tool.diptych]\npython = ["{python}"]', project)
        if python in admitted.split():
            assert load(root).python == (python,)
        else:
            with pytest.raises(ConfigError) as caught:
                load(root)
            assert caught.value.details == (
                f'tool.diptych.python[0] = "{python}": the project says requires-python = "{requires}"',
            )


def test_a_listing_imports_nothing_slow(write: Write) -> None:
    root = write('[tool.diptych]\npython = ["3.12"]', f'{PROJECT}requires-python = ">=3.10"\n')
    code = (
        "import pathlib, sys; from diptych import config, matrix;"
        f"matrix.cells(config.load(pathlib.Path({str(root)!r})), platform='linux-64');"
        "print(*sorted({'rich', 'jsonschema', 'subprocess', 'packaging', 'asyncio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
