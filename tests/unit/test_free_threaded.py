"""A Python without the GIL (PEP 703) is a version like any other, with names of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.tags import Tag

from diptych import channel
from diptych.build.pep517 import fits
from diptych.compare import compare_packages
from diptych.config.project import ProjectInfo
from diptych.environments import HostRequest, LockedPackage, is_python
from diptych.errors import MissingToolError
from diptych.matrix import Cell, select
from diptych.output import Output
from diptych.pythons import match_spec
from diptych.store import Store
from diptych.workspace import open_workspace
from helpers.compare_pairs import base, found, write

TABLE = """\
[project]
name = "pkg"
version = "1.0"
requires-python = ">=3.13"
[tool.diptych]
python = ["3.14", "3.14t"]
compiler = ["gcc"]
"""


@pytest.fixture
def cells(tmp_path: Path) -> tuple[Cell, ...]:
    (tmp_path / "pyproject.toml").write_text(TABLE)
    return open_workspace(tmp_path, env={"PATH": ""}, machine="x86_64", output=Output(env={})).cells


def test_names(cells: tuple[Cell, ...]) -> None:
    assert [(one.id, one.tag, one.abi, str(one.site_packages)) for one in cells] == [
        ("3.14-gcc", "cp314", "cp314", "lib/python3.14/site-packages"),
        ("3.14t-gcc", "cp314", "cp314t", "lib/python3.14t/site-packages"),
    ]
    assert [one.free_threaded for one in cells] == [False, True]
    assert [one.id for one in select(cells, ["3.14t"])] == ["3.14t-gcc"]


@pytest.mark.parametrize(
    ("tag", "python", "expected"),
    [
        ("cp314-cp314t", "3.14t", True),
        ("cp314-cp314", "3.14t", False),
        ("cp314-cp314t", "3.14", False),
        ("cp310-abi3", "3.14t", False),
        ("cp310-abi3", "3.14", True),
        ("cp315-abi3", "3.14", False),
        ("cp315-abi3t", "3.15t", True),
        ("cp315-abi3t", "3.16t", True),
        ("cp315-abi3t", "3.15", False),
        ("cp315-abi3t", "3.14t", False),
        ("cp315t-abi3t", "3.15t", False),
        ("py3-none", "3.14t", True),
        ("cp313-cp313t", "3.14t", False),
    ],
)
def test_which_wheel_is_for_it(tag: str, python: str, *, expected: bool) -> None:
    interpreter, abi = tag.split("-")
    assert fits(Tag(interpreter, abi, "linux_x86_64"), python) is expected


def test_conda_tells_it_by_the_build_string() -> None:
    assert match_spec("3.11") == "python 3.11.*"
    assert match_spec("3.14t") == "python 3.14.* *_cp314t"
    assert (
        HostRequest(python="3.14t", specs=(), channels=()).key
        != HostRequest(python="3.14", specs=(), channels=()).key
    )


@pytest.mark.parametrize(
    ("version", "build", "wanted", "expected"),
    [
        ("3.14.1", "h1_0_cp314t", "3.14t", True),
        ("3.14.1", "h1_100_cp314", "3.14t", False),
        ("3.14.1", "h1_0_cp314t", "3.14", False),
        ("3.14.1", "h1_100_cp314", "3.14", True),
        ("3.11.7", "h1_0_cpython", "3.11", True),
        ("3.13.1", "h1_0_cp313t", "3.14t", False),
    ],
)
def test_which_python_an_environment_holds(version: str, build: str, wanted: str, *, expected: bool) -> None:
    package = LockedPackage(name="python", version=version, build=build, subdir="linux-64", url="", sha256="")
    assert is_python(package, wanted) is expected


@pytest.mark.parametrize(("bounds", "admitted"), [(">=3.13", True), (">=3.15", False), ("==3.14.*", True)])
def test_requires_python_does_not_see_it(bounds: str, *, admitted: bool) -> None:
    assert ProjectInfo(name="pkg", requires_python=bounds).admits("3.14t") is admitted


def test_a_machine_without_one_is_told_how_to_get_it(tmp_path: Path) -> None:
    env = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    with pytest.raises(MissingToolError) as refused:
        channel.ensure(
            ["pip"],
            python="3.99t",
            root=tmp_path / "channel",
            store=Store(root=tmp_path),
            env=env,
            say=lambda _: None,
        )
    assert "there is no Python 3.99t on this machine" in refused.value.summary
    assert "uv python install 3.99t" in refused.value.hint
    assert "pyenv install 3.99t" in refused.value.hint


def test_with_and_without_the_gil_are_different_pythons(tmp_path: Path) -> None:
    made = base()
    made.wheel.name = "pair-1.2-cp311-cp311t-manylinux_2_17_x86_64.whl"
    assert ("error", "DIP835", "") in found(compare_packages(*write(made, tmp_path), one_build=True))
    made.conda.index["depends"] = ["python >=3.11,<3.12.0a0", "python_abi 3.11.* *_cp311t", "numpy >=1.26"]
    assert "DIP835" not in {
        code for _, code, _ in found(compare_packages(*write(made, tmp_path), one_build=True))
    }
