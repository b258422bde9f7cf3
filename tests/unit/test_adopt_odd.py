"""``diptych init`` where something of its own kind is there already, or may not be touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych.adopt.adoption import Adoption, adopt
from diptych.adopt.apply import apply
from diptych.errors import ConfigError, StoreError

SETUP = 'from setuptools import Extension, setup\nsetup(name="gcd", version="1", ext_modules=[Extension("_gcd", ["_gcd.c"])])\n'
NOXFILE = """import nox
from nox import session


@nox.session(python=["3.11"])
def build(session):
    pass


@session(name="verify")
def v(it):
    pass


@nox.session
def lint(session):
    pass
"""


@pytest.fixture
def craft(tmp_path: Path) -> Path:
    (tmp_path / "setup.py").write_text(SETUP, encoding="utf-8")
    (tmp_path / ".git").mkdir()
    return tmp_path


def adopted(root: Path) -> Adoption:
    return adopt(root, platform="linux-64", here="3.12")


def test_setup_py_alone(craft: Path) -> None:
    apply(adopted(craft).edits)
    assert (craft / "pyproject.toml").read_text(encoding="utf-8").startswith("[tool.diptych]\n")
    assert adopted(craft).edits == ()


def test_setup_cfg_alone_compiles_nothing(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_text("[metadata]\nname = gcd\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="is compiled"):
        adopted(tmp_path)


@pytest.mark.parametrize(
    ("noxfile", "command"),
    [
        (NOXFILE, "nox -s diptych-build-3.12 diptych-verify-3.12"),
        (NOXFILE.replace('name="verify"', 'name="check"'), "nox -s diptych-build-3.12 verify-3.12"),
        ("import nox\n", "nox -s build-3.12 verify-3.12"),
    ],
)
def test_the_next_command_is_ours_where_theirs_has_the_name(craft: Path, noxfile: str, command: str) -> None:
    (craft / "noxfile.py").write_text(noxfile, encoding="utf-8")
    assert adopted(craft).command == command


@pytest.mark.parametrize("name", ["pyproject.toml", "noxfile.py", ".gitignore"])
def test_a_read_only_file_stays_and_so_do_the_others(craft: Path, name: str) -> None:
    (craft / name).write_text("", encoding="utf-8")
    (craft / name).chmod(0o444)
    with pytest.raises(StoreError, match=f"{name}.* is read-only"):
        apply(adopted(craft).edits)
    assert {path.name for path in craft.iterdir()} == {".git", "setup.py", name}
    assert (craft / name).read_bytes() == b""


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("[tool]\ndiptych = 3\n", "diptych"),
        ("[tool.diptych]\n", "python"),
        ("[tool.diptych]\npython = 3\n", "python"),
        ("[[tool.diptych]]\nx = 1\n", "diptych"),
        ('[tool.diptych]\npython = ["3.12"]\npyhton = 1\n', "pyhton"),
    ],
)
def test_a_faulty_table_that_is_there_is_told_and_nothing_written(
    craft: Path, table: str, words: str
) -> None:
    (craft / "pyproject.toml").write_text(table, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        adopted(craft)
    assert words in "\n".join([caught.value.summary, *caught.value.details])
