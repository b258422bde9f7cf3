"""C++ libraries that a cell's own compiler compiles: a library of CMake from the table, and packages that were added by hand."""

from __future__ import annotations

import ctypes.util
import json
import shutil
from pathlib import Path

import pytest

from diptych import channel
from diptych.archives import open_package
from diptych.errors import ChannelError
from diptych.libraries import apt
from diptych.store import Store
from helpers.checkout import HERE, Checkout, clear
from helpers.needs import lacking, needs, needs_found, needs_linux
from helpers.tiny import FILES, TABLE, lay_out_tiny

pytestmark = [
    needs_linux("libc++ beside libstdc++"),
    needs("clang++", package="clang"),
    needs_found(ctypes.util.find_library("c++"), "libc++", package="libc++-dev libc++abi-dev"),
]
CELL = f"build-{HERE}(clang-libcxx)"
FAR_TABLE = """host = ["far"]
[tool.diptych.libraries.far]
source = "far"
cmake-args = ["-DANSWER=42"]
"""
FAR = {
    "CMakeLists.txt": """\
cmake_minimum_required(VERSION 3.21...3.31)
project(far VERSION 2.1.0 LANGUAGES CXX)
add_library(far SHARED far.cpp)
set_target_properties(far PROPERTIES SOVERSION 2)
target_compile_definitions(far PRIVATE ANSWER=${ANSWER})
target_include_directories(far PUBLIC $<INSTALL_INTERFACE:include>)
install(TARGETS far EXPORT far LIBRARY DESTINATION lib)
install(FILES far.hpp DESTINATION include)
install(EXPORT far FILE farConfig.cmake NAMESPACE far:: DESTINATION lib/cmake/far)
""",
    "far.hpp": """\
#pragma once
#include <stdexcept>
#include <string>
namespace far_ {
class Error : public std::runtime_error { public: using std::runtime_error::runtime_error; ~Error() override; };
std::string of(const std::string &name);
}
""",
    "far.cpp": """\
#include "far.hpp"
far_::Error::~Error() = default;
std::string far_::of(const std::string &name) {
  if (name.empty()) throw Error("no name");
  return name + std::to_string(ANSWER);
}
""",
    "LICENSE": "MIT",
}
CORE = """\
#include <Python.h>
#include <far.hpp>

static PyObject *answer(PyObject *, PyObject *args) {
  const char *name = nullptr;
  if (!PyArg_ParseTuple(args, "s", &name)) return nullptr;
  try {
    return PyUnicode_FromString(far_::of(name).c_str());
  } catch (const far_::Error &error) {
    PyErr_SetString(PyExc_LookupError, error.what());
    return nullptr;
  }
}
static PyMethodDef methods[] = {{"answer", answer, METH_VARARGS, nullptr}, {nullptr, nullptr, 0, nullptr}};
static PyModuleDef module = {PyModuleDef_HEAD_INIT, "_core", nullptr, -1, methods, nullptr, nullptr, nullptr, nullptr};
PyMODINIT_FUNC PyInit__core() { return PyModule_Create(&module); }
"""
TESTS = """\
import pytest
import tiny


def test_the_answer():
    assert tiny.answer("x") == "x42"


def test_an_exception_of_the_library():
    with pytest.raises(LookupError, match="no name"):
        tiny.answer("")
"""


@pytest.fixture
def checkout(tmp_path: Path, repository: Path, built: Checkout, session_env: dict[str, str]) -> Checkout:
    """The tiny extension, which calls a C++ library of its own checkout; clang-libcxx compiles both."""
    root = tmp_path / "checkout"
    lay_out_tiny(root, repository, TABLE.replace('["gcc"]', '["clang-libcxx"]') + FAR_TABLE)
    for name, text in FAR.items():
        (root / "far").mkdir(exist_ok=True)
        (root / "far" / name).write_text(text, encoding="utf-8")
    cmake = FILES["CMakeLists.txt"].replace("python_add", "find_package(far CONFIG REQUIRED)\npython_add")
    cmake = cmake.replace("install(T", "target_link_libraries(_core PRIVATE far::far)\ninstall(T", 1)
    for name, text in {"CMakeLists.txt": cmake, "src/core.cpp": CORE, "tests/test_tiny.py": TESTS}.items():
        (root / "project" / name).write_text(text, encoding="utf-8")
    made = Checkout(root=root, env=session_env, cell=f"{HERE}-clang-libcxx")
    shutil.copytree(built.root / ".diptych" / "channel", root / ".diptych" / "channel")
    return made


def test_a_library_of_the_table(checkout: Checkout) -> None:
    done = checkout.nox("-s", CELL, f"verify-{HERE}(clang-libcxx)")
    assert done.returncode == 0, done.output
    assert "far 2.1.0 of ABI libcxx1" in done.output
    wheel, conda = checkout.packages
    with open_package(conda) as package:
        depends = package.metadata.index["depends"]
    assert "far >=2.1.0,<3.0a0 *_libcxx1_*" in depends
    lock = json.loads(wheel.with_name(f"{wheel.name}.provenance.json").read_text(encoding="utf-8"))["lock"]
    (far,) = (one for one in lock if one["name"] == "far")
    assert far["build"].startswith("x_libcxx1_h")
    again = checkout.nox("-s", CELL)
    assert "own libraries" not in again.output
    assert "· compile" in again.output, again.output
    checkout.edit("far/far.cpp", "std::to_string(ANSWER)", "std::to_string(ANSWER) + to_string")
    clear(checkout.nox("-s", CELL), '"far" does not compile with clang-libcxx', "to_string", "far.log")


def test_a_library_of_the_other_abi_that_a_person_has_added(checkout: Checkout, built: Checkout) -> None:
    """The local channel's Boost.Python is one of libstdc++."""
    text = (checkout.root / "pyproject.toml").read_text(encoding="utf-8")
    table = text.replace('host = ["far"]', 'host = ["libboost-python-devel"]').partition("[tool.diptych.lib")[
        0
    ]
    (checkout.root / "pyproject.toml").write_text(table, encoding="utf-8")
    for path in sorted((built.root / ".diptych/channel").glob("*/libboost-*.conda")):
        added = checkout.diptych("channel", "--add", str(path))
        assert added.returncode == 0, added.output
    done = checkout.nox("-s", CELL)
    clear(done, "compiles for libc++", "libboost-python: libboost_python", "is for libstdc++")
    assert "own libraries" not in done.output


def test_a_boost_that_is_none_or_does_not_compile(checkout: Checkout) -> None:
    checkout.edit("pyproject.toml", 'host = ["far"]', 'host = ["libboost-python-devel"]')
    checkout.edit("pyproject.toml", "[tool.diptych.libraries.far]", "[tool.diptych.libraries.boost]")
    checkout.edit("pyproject.toml", 'source = "far"', 'source = "boost"')
    clear(
        checkout.nox("-s", CELL),
        'the source of "boost" is not there',
        "[tool.diptych.libraries.boost], source",
    )
    (checkout.root / "boost").mkdir()
    clear(checkout.nox("-s", CELL), 'is not the source of "boost"')
    for name, text in {
        "boost/version.hpp": "#define BOOST_VERSION 109100\n",
        "libs/python/src/module.cpp": "#error planted\n",
        "libs/python/src/numpy/numpy.cpp": "\n",
    }.items():
        (checkout.root / "boost" / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout.root / "boost" / name).write_text(text, encoding="utf-8")
    clear(
        checkout.nox("-s", CELL), '"boost" does not compile with clang-libcxx', "error: planted", "boost.log"
    )
    assert not list((checkout.root / ".diptych/compiled").glob("*/*/libboost-python-*.conda"))


def test_a_python_that_pypi_has_no_boost_for_is_told_apart(
    tmp_path: Path, session_env: dict[str, str]
) -> None:
    """By that the cell's own compiler compiles one; here pip sees an index without any."""
    env = {**session_env, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    store = Store(root=tmp_path / "store")
    with pytest.raises(channel.NoWheelError) as caught:
        channel.ensure(
            ["libboost-python-devel"], python=HERE, root=tmp_path / "channel", store=store, env=env, say=print
        )
    assert caught.value.project == channel.BOOST


BOOST = {
    "CMakeLists.txt": """\
cmake_minimum_required(VERSION 3.21...3.31)
project(tiny VERSION 1.0 LANGUAGES CXX)
find_package(Python COMPONENTS Interpreter Development.Module REQUIRED)
set(component python${Python_VERSION_MAJOR}${Python_VERSION_MINOR})
find_package(Boost 1.80 CONFIG REQUIRED COMPONENTS ${component})
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
add_library(far SHARED src/far.cpp)
python_add_library(_core MODULE src/core.cpp WITH_SOABI)
target_link_libraries(_core PRIVATE far Boost::${component})
install(TARGETS far _core LIBRARY DESTINATION tiny)
install(FILES python/tiny/__init__.py DESTINATION tiny)
""",
    "src/far.hpp": FAR["far.hpp"]
    .replace("class ", '#define API __attribute__((visibility("default")))\nclass API ')
    .replace("std::string of", "API std::string of"),
    "src/far.cpp": FAR["far.cpp"].replace("ANSWER", "42"),
    "src/core.cpp": """\
#include "far.hpp"
#include <boost/python.hpp>

BOOST_PYTHON_MODULE(_core) {
  namespace bp = boost::python;
  bp::register_exception_translator<far_::Error>(
      [](const far_::Error &error) { PyErr_SetString(PyExc_LookupError, error.what()); });
  bp::def("answer", far_::of);
}
""",
    "tests/test_tiny.py": TESTS,
}


def test_boost_python_from_its_source(tmp_path: Path, checkout: Checkout) -> None:
    """An exception is thrown in a library of the project, caught by Boost.Python in the module, and turned into Python's."""
    try:
        apt.find("boost1.90/sid", folder=tmp_path / "apt", env=checkout.env)
    except ChannelError as error:
        lacking(f"the source of Boost through apt ({error.summary})")
    checkout.edit("pyproject.toml", 'host = ["far"]', 'host = ["libboost-python-devel"]')
    text = (checkout.root / "pyproject.toml").read_text(encoding="utf-8").partition("[tool.diptych.lib")[0]
    (checkout.root / "pyproject.toml").write_text(text, encoding="utf-8")
    for name, content in BOOST.items():
        (checkout.root / "project" / name).write_text(content, encoding="utf-8")
    done = checkout.nox("-s", CELL, f"verify-{HERE}(clang-libcxx)")
    assert done.returncode == 0, done.output
    wheel, conda = checkout.packages
    with open_package(conda) as package:
        depends = package.metadata.index["depends"]
    assert "libboost-python >=1.90.0,<1.91.0a0 *_libcxx1_*" in depends
    lock = json.loads(wheel.with_name(f"{wheel.name}.provenance.json").read_text(encoding="utf-8"))["lock"]
    builds = {one["name"]: one["build"] for one in lock}
    assert builds["libboost-python"].startswith(f"py{HERE.replace('.', '')}_libcxx1_h")
    again = checkout.nox("-s", CELL)
    assert "own libraries" not in again.output
    assert "· compile" in again.output, again.output
    checkout.edit("pyproject.toml", '"libboost-python-devel"', '"libboost-python-devel 1.85.*"')
    clear(checkout.nox("-s", CELL), '"libboost-python-devel 1.85.*"', "is 1.90.0")
