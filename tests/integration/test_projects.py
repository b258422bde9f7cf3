"""Small projects of every common build backend, from their sources to both packages, verified, with a table of a few lines."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from diptych import process
from helpers.checkout import HERE, Checkout

PROJECTS = Path(__file__).parents[1] / "projects"
TABLE = """
[tool.diptych]
python = ["{python}"]
channels = ["conda-forge", "local"]
{more}
"""
MORE = {
    "hatch-hook": 'package = "primehook"',
    "meson-pybind11": 'package = "levenmeson"',
    "poetry-script": 'package = "rot13script"',
    "setuptools-abi3": 'package = "clamped"',
    "setuptools-c": 'package = "fractional"\ntest-sources = ["test_fractional.py"]\ntest = "pytest -q"',
    "setuptools-cffi": 'package = "popcounts"\nrun = ["cffi"]',
    "setuptools-pybind11": 'package = "acme.caesar"',
    "skbuild-boost": 'host = ["libboost-python-devel"]',
    "skbuild-nanobind": 'package = "nanohash"',
    "skbuild-pybind11": "",
}


def adopted(name: str, root: Path, env: dict[str, str]) -> Checkout:
    """A project with a table and a noxfile, and nothing else changed."""
    shutil.copytree(PROJECTS / name, root)
    file = root / "pyproject.toml"
    before = file.read_text(encoding="utf-8") if file.is_file() else ""
    file.write_text(before + TABLE.format(python=HERE, more=MORE[name]), encoding="utf-8")
    (root / "noxfile.py").write_text(
        "from diptych.sessions import define\n\ndefine(__file__)\n", encoding="utf-8"
    )
    return Checkout(root=root, env=env)


@pytest.mark.parametrize("name", sorted(MORE))
def test_a_project_becomes_two_verified_packages(name: str, tmp_path: Path, env: dict[str, str]) -> None:
    project = adopted(name, tmp_path / name, env)
    done = project.nox("-s", f"build-{HERE}", f"verify-{HERE}")
    assert done.returncode == 0, done.output
    assert all(path.is_file() for path in project.packages)
    left = process.run(["git", "status", "--porcelain"], env=env, cwd=PROJECTS, check=False).output
    assert str(PROJECTS / name) not in left


def objects(project: Checkout) -> dict[str, int]:
    """The object files of the cell, and when each was written."""
    found = (project.root / ".diptych" / "build").rglob("*.o")
    return {path.name: path.stat().st_mtime_ns for path in found}


@pytest.mark.parametrize(
    ("name", "python", "compiled"),
    [
        ("skbuild-pybind11", "src/meanwhile/__init__.py", "src/core.cpp"),
        ("setuptools-c", "fractional.py", "_gcd.c"),
        ("meson-pybind11", "levenmeson/__init__.py", "distance.cpp"),
    ],
)
def test_an_edit_compiles_what_it_has_to(
    name: str, python: str, compiled: str, tmp_path: Path, env: dict[str, str]
) -> None:
    project = adopted(name, tmp_path / name, env)
    assert project.build().returncode == 0
    first = objects(project)
    assert first
    for file, comment, recompiled in ((python, "# edited\n", False), (compiled, "// edited\n", True)):
        path = project.root / file
        path.write_text(path.read_text(encoding="utf-8") + comment, encoding="utf-8")
        done = project.build()
        assert done.returncode == 0, done.output
        assert "✓ compile" in done.output
        assert (objects(project) != first) is recompiled, file


def test_what_setup_py_makes_the_package_depend_on_is_there_to_verify(
    tmp_path: Path, env: dict[str, str]
) -> None:
    """The host environment was made before the build, so the local channel lacks it until then."""
    root = tmp_path / "late"
    root.mkdir()
    script = """\
from setuptools import Extension, setup
needs = "".join(["id", "na"])
setup(name="late", version="1", ext_modules=[Extension("late", ["late.c"])], install_requires=[needs])
"""
    (root / "setup.py").write_text(script, encoding="utf-8")
    (root / "late.c").write_text(
        "#include <Python.h>\n"
        'static struct PyModuleDef late = {PyModuleDef_HEAD_INIT, "late", NULL, 0, NULL, NULL, NULL, NULL, NULL};\n'
        "PyMODINIT_FUNC PyInit_late(void) { return PyModuleDef_Init(&late); }\n",
        encoding="utf-8",
    )
    more = "test-requires = []\ntest = \"python -c 'import late'\""
    (root / "pyproject.toml").write_text(TABLE.format(python=HERE, more=more), encoding="utf-8")
    (root / "noxfile.py").write_text(
        "from diptych.sessions import define\n\ndefine(__file__)\n", encoding="utf-8"
    )
    done = Checkout(root=root, env=env).nox("-s", f"verify-{HERE}")
    assert done.returncode == 0, done.output
    assert "✓ verify conda" in done.output
