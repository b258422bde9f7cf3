"""Packages of the local channel that CMake and backends compile against: found where conda-forge has them."""

from __future__ import annotations

import shutil
from pathlib import Path

from helpers.checkout import HERE, NOXFILE, PROJECTS, Checkout
from helpers.projects import TABLE

CMAKE = """\
cmake_minimum_required(VERSION 3.18)
project(means VERSION 0.1.0 LANGUAGES CXX)
set(PYBIND11_FINDPYTHON ON)
find_package(pybind11 2.13 CONFIG REQUIRED)
pybind11_add_module(means means.cpp)
install(TARGETS means DESTINATION .)
"""
SOURCE = """\
#include <pybind11/pybind11.h>
PYBIND11_MODULE(means, module) { module.def("half", [](double of) { return of / 2; }); }
"""


def test_cmake_alone_finds_pybind11_of_the_host_environment(tmp_path: Path, env: dict[str, str]) -> None:
    root = tmp_path / "means"
    (root / "tests").mkdir(parents=True)
    more = 'host = ["pybind11"]'
    table = f'[project]\nname = "means"\nversion = "0.1.0"\n{TABLE.format(python=HERE, more=more)}'
    texts = {
        "CMakeLists.txt": CMAKE,
        "means.cpp": SOURCE,
        "tests/test_half.py": "import means\n\n\ndef test_half():\n    assert means.half(3) == 1.5\n",
        "pyproject.toml": table,
        "noxfile.py": NOXFILE,
    }
    for name, text in texts.items():
        (root / name).write_text(text, encoding="utf-8")
    done = Checkout(root=root, env=env).build()
    assert done.returncode == 0, done.output
    assert "1 tests passed" in done.output


def test_without_isolation_the_backend_is_the_host_environments(tmp_path: Path, env: dict[str, str]) -> None:
    root = tmp_path / "nanohash"
    shutil.copytree(PROJECTS / "skbuild-nanobind", root)
    more = 'package = "nanohash"\nbuild-isolation = false\nhost = ["nanobind", "scikit-build-core"]'
    with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(TABLE.format(python=HERE, more=more))
    (root / "noxfile.py").write_text(NOXFILE, encoding="utf-8")
    project = Checkout(root=root, env=env)
    done = project.build()
    assert done.returncode == 0, done.output
    log = (root / ".diptych" / "logs" / f"{HERE}-gcc" / "compile.log").read_text(encoding="utf-8")
    assert not (root / ".diptych" / "backends").exists()
    assert "nanobind" in log
