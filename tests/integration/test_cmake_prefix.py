"""A C++ library with a program and a Python module, which CMake installs as a whole prefix."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from diptych.archives import open_package
from helpers.checkout import HERE, Checkout, clear
from helpers.projects import small

DIGITS = HERE.replace(".", "")
SITE = f"lib/python{HERE}/site-packages"
MODULE = f"quaternary/_quaternary.cpython-{DIGITS}-{os.uname().machine}-linux-gnu.so"
DEVELOPMENT = {
    "include/quaternary.hpp",
    "lib/cmake/quaternary/quaternaryConfig-release.cmake",
    "lib/cmake/quaternary/quaternaryConfig.cmake",
    "lib/pkgconfig/quaternary.pc",
}
LIBRARIES = {
    "lib/libquaternary.so": "libquaternary.so.3.1",
    "lib/libquaternary.so.3.1": "libquaternary.so.3.1.0",
    "lib/libquaternary.so.3.1.0": None,
}


@pytest.fixture
def prefix(tmp_path: Path, env: dict[str, str]) -> Checkout:
    return small("cmake-prefix", tmp_path / "cmake-prefix", env)


def test_a_prefix_becomes_two_verified_packages(prefix: Checkout) -> None:
    """The project's own tests import the module and start the program: in source, from the wheel, from the conda package."""
    done = prefix.nox("-s", f"build-{HERE}", f"verify-{HERE}")
    assert done.returncode == 0, done.output
    assert done.output.count("2 tests passed against the installed package") == 2
    assert (
        "not in a wheel: include (1 file), lib/cmake/quaternary (2 files), lib/pkgconfig (1 file)"
        in done.output
    )
    # Not one file has reached the host environment, though its path was the destination.
    assert not list(prefix.root.glob(".nox/*/**/*quaternary*"))
    wheel, conda = prefix.packages
    with open_package(wheel) as package:
        names = {member.name for member in package.members}
    assert {MODULE, "quaternary/__init__.py", "quaternary.scripts/quaternary-digits"} <= names
    assert [name.startswith("quaternary.libs/libquaternary-") for name in names].count(True) == 1
    assert not any(name.endswith((".hpp", ".cmake", ".pc")) for name in names)
    with open_package(conda) as package:
        links = {member.name: member.link for member in package.members}
        placeholders = {
            row["_path"] for row in package.metadata.paths["paths"] if row.get("prefix_placeholder")
        }
    assert {f"{SITE}/{MODULE}", "bin/quaternary-digits"} | DEVELOPMENT <= set(links)
    assert {name: links[name] for name in LIBRARIES} == LIBRARIES
    assert "lib/pkgconfig/quaternary.pc" in placeholders
    compared = prefix.diptych("compare")
    assert compared.returncode == 0, compared.output


def test_a_destination_outside_is_refused_with_its_rule(prefix: Checkout) -> None:
    list_file = prefix.root / "CMakeLists.txt"
    lines = len(list_file.read_text(encoding="utf-8").splitlines())
    with list_file.open("a", encoding="utf-8") as file:
        file.write("install(FILES LICENSE DESTINATION /opt/diptych-test-of-strays)\n")
    done = prefix.build()
    clear(done, f"/opt/diptych-test-of-strays/LICENSE (CMakeLists.txt:{lines + 1})", "Python_SITEARCH")
    assert not Path("/opt/diptych-test-of-strays").exists()


def test_headers_are_in_the_wheel_where_the_table_asks_for_them(prefix: Checkout) -> None:
    file = prefix.root / "pyproject.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("[tool.diptych]\n", '[tool.diptych]\nwheel-include = ["include/*"]\n'), encoding="utf-8"
    )
    done = prefix.build()
    assert done.returncode == 0, done.output
    assert "not in a wheel: lib/cmake/quaternary (2 files), lib/pkgconfig (1 file)" in done.output
    with open_package(prefix.packages[0]) as package:
        names = {member.name for member in package.members}
    assert "quaternary-3.1.0.data/data/include/quaternary.hpp" in names
    compared = prefix.diptych("compare")
    assert compared.returncode == 0, compared.output


def test_a_download_without_network_is_told_with_its_name(prefix: Checkout) -> None:
    list_file = prefix.root / "CMakeLists.txt"
    with list_file.open("a", encoding="utf-8") as file:
        file.write("include(FetchContent)\nFetchContent_Declare(json URL https://127.0.0.1:9/json.tar.gz)\n")
        file.write("FetchContent_MakeAvailable(json)\n")
    clear(prefix.build(), "the network did not answer: json", "-DFETCHCONTENT_SOURCE_DIR_JSON=FOLDER")
