"""A whole extension that compiles in a second: plain C API, one file, one test."""

from __future__ import annotations

from pathlib import Path

from helpers.checkout import HERE

TABLE = f"""\
[tool.diptych]
source = "project"
python = ["{HERE}"]
compiler = ["gcc"]
channels = ["conda-forge", "local"]
builder = "cmake"
"""
FILES = {
    "CMakeLists.txt": """\
cmake_minimum_required(VERSION 3.21...3.31)
project(tiny VERSION 1.0 LANGUAGES CXX)
find_package(Python COMPONENTS Interpreter Development.Module REQUIRED)
python_add_library(_core MODULE src/core.cpp WITH_SOABI)
install(TARGETS _core DESTINATION tiny)
install(FILES python/tiny/__init__.py DESTINATION tiny)
""",
    "pyproject.toml": """\
[build-system]
requires = ["scikit-build-core>=0.10"]
build-backend = "scikit_build_core.build"

[project]
name = "tiny"
version = "1.0"
description = "One number"
license = "MIT"
""",
    "src/core.cpp": """\
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject* answer(PyObject*, PyObject*) { return PyLong_FromLong(42); }

static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, nullptr}, {nullptr, nullptr, 0, nullptr}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "_core", nullptr, -1, methods, nullptr, nullptr, nullptr, nullptr};

PyMODINIT_FUNC PyInit__core() { return PyModule_Create(&module); }
""",
    "python/tiny/__init__.py": "from tiny._core import answer\n\n__all__ = ['answer']\n",
    "tests/test_tiny.py": "import tiny\n\n\ndef test_the_answer():\n    assert tiny.answer() == 42\n",
}


def lay_out_tiny(root: Path, repository: Path, table: str = TABLE) -> None:
    """Write the extension, its table, and the noxfile of this repository."""
    for name, text in FILES.items():
        path = root / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (root / "noxfile.py").write_bytes((repository / "noxfile.py").read_bytes())
    (root / "pyproject.toml").write_text(table, encoding="utf-8")
