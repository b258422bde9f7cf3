"""A project that links the library of tests/projects/cmake-prefix."""

from __future__ import annotations

from pathlib import Path

SECOND = """\
cmake_minimum_required(VERSION 3.18)
project(second LANGUAGES CXX)
find_package(quaternary REQUIRED)
add_executable(second main.cpp)
target_link_libraries(second quaternary::quaternary)
"""
MAIN = """\
#include <iostream>
#include <quaternary.hpp>
int main() { std::cout << quaternary::digits(27) << '\\n'; }
"""


def lay_out_second(folder: Path) -> None:
    """Write it into a new folder."""
    folder.mkdir()
    (folder / "CMakeLists.txt").write_text(SECOND, encoding="utf-8")
    (folder / "main.cpp").write_text(MAIN, encoding="utf-8")
