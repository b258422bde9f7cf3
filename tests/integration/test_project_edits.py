"""What a build of a small project makes of files for other places, of edits, and of what its setup.py computes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from diptych import process
from diptych.archives import open_package
from diptych.environments import HostRequest, create
from diptych.packages.channel_folder import index_folder
from helpers.checkout import HERE, NOXFILE, Checkout
from helpers.projects import TABLE, small


def test_what_a_wheel_has_for_other_places_is_in_both_packages_and_runs(
    tmp_path: Path, env: dict[str, str]
) -> None:
    project = small("setuptools-c", tmp_path / "setuptools-c", env)
    done = project.build()
    assert done.returncode == 0, done.output
    wheel, conda = project.packages
    data = "fractional_gcd-0.9.data"
    with open_package(wheel) as package:
        names = {member.name for member in package.members}
        assert {
            f"{data}/scripts/gcd-of",
            f"{data}/headers/gcd.h",
            f"{data}/data/share/fractional/primes.txt",
        } <= names
        boms = [member for member in package.members if member.name.endswith(".cdx.json")]
        assert all(b"gcd-of" not in package.read(member) for member in boms)
    channel = tmp_path / "channel"
    shutil.copytree(conda.parent.parent, channel)
    (channel / "noarch").mkdir(exist_ok=True)
    index_folder(channel)
    prefix = tmp_path / "prefix"
    local = project.root / ".diptych" / "channel"
    request = HostRequest(python=HERE, specs=("fractional-gcd",), channels=(channel.as_uri(), local.as_uri()))
    create(request, prefix, env=env)
    # No PATH: the script names its own interpreter.
    script = process.run([prefix / "bin" / "gcd-of", "12", "18"], env={}, cwd=tmp_path)
    assert script.output.strip() == "6"
    assert (prefix / "share" / "fractional" / "primes.txt").read_text(encoding="utf-8").split()[0] == "2"
    assert (prefix / "include" / f"python{HERE}" / "fractional-gcd" / "gcd.h").is_file()


def objects(project: Checkout) -> dict[str, int]:
    """The object files of the cell, and when each was written."""
    found = (project.root / ".diptych" / "build").rglob("*.o")
    return {path.name: path.stat().st_mtime_ns for path in found}


@pytest.mark.parametrize(
    ("name", "python", "compiled"),
    [
        ("skbuild-pybind11", "src/meanwhile/__init__.py", "src/core.cpp"),
        ("skbuild-nanobind", "nanohash/__init__.py", "_hash.cpp"),  # the objects of nanobind itself stay
        ("setuptools-c", "fractional.py", "_gcd.c"),
        ("meson-pybind11", "levenmeson/__init__.py", "distance.cpp"),
    ],
)
def test_an_edit_compiles_what_it_has_to(
    name: str, python: str, compiled: str, tmp_path: Path, env: dict[str, str]
) -> None:
    project = small(name, tmp_path / name, env)
    assert project.build().returncode == 0
    first = objects(project)
    assert first
    own = {name for name in first if name.startswith(Path(compiled).stem)}
    assert len(own) == 1
    for file, comment, recompiled in ((python, "# edited\n", set[str]()), (compiled, "// edited\n", own)):
        path = project.root / file
        path.write_text(path.read_text(encoding="utf-8") + comment, encoding="utf-8")
        done = project.build()
        assert done.returncode == 0, done.output
        assert "✓ compile" in done.output
        assert {name for name, when in objects(project).items() if first.get(name) != when} == recompiled, (
            file
        )


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
    (root / "noxfile.py").write_text(NOXFILE, encoding="utf-8")
    done = Checkout(root=root, env=env).nox("-s", f"verify-{HERE}")
    assert done.returncode == 0, done.output
    assert "✓ verify conda" in done.output
