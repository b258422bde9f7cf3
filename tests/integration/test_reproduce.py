"""A cell built twice, in unlike places, gives the same bytes; and when it cannot, the cause is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from diptych.archives import open_package, verify_record
from diptych.store import sha256_file
from helpers.checkout import Checkout
from helpers.tiny import lay_out_tiny


@pytest.fixture
def tiny(tmp_path: Path, repository: Path, built: Checkout) -> Checkout:
    """A checkout of an extension that compiles in a second; this repository's own goes the same way in CI."""
    lay_out_tiny(tmp_path / "tiny", repository)
    shutil.copytree(built.root / ".diptych" / "channel", tmp_path / "tiny" / ".diptych" / "channel")
    return Checkout(root=tmp_path / "tiny", env=built.env)


def test_two_builds_are_byte_identical_and_equal_to_the_first(tiny: Checkout) -> None:
    """Three builds in all: two copies, and the checkout itself, whose folder and prefix have other lengths again."""
    first = tiny.build()
    assert first.returncode == 0, first.output
    done = tiny.diptych("reproduce", tiny.cell, "--json")
    assert done.returncode == 0, done.output
    (found,) = json.loads(done.output[done.output.index("\n{\n") :])["cells"]
    assert found["identical"] is True
    assert found["differences"] == []
    wheel, conda = tiny.packages
    sums = found["sha256"]
    assert (sums["wheel"], sums["conda"]) == ([sha256_file(wheel)] * 2, [sha256_file(conda)] * 2)
    assert sums["sdist"][0] == sums["sdist"][1]


def test_the_packages_record_themselves_truly(built: Checkout) -> None:
    for path in built.packages:
        with open_package(path) as package:
            assert verify_record(package) == ()


def test_no_package_names_the_checkout(built: Checkout) -> None:
    for path in built.packages:
        with open_package(path) as package:
            named = [
                name.name
                for name, content in package.walk(lambda _: True)
                if str(built.root).encode() in content
            ]
        assert named == []


def test_the_bill_names_each_grafted_library(built: Checkout) -> None:
    wheel, _ = built.packages
    lock = json.loads((built.root / ".diptych" / "environment-locks" / f"{built.cell}.json").read_text())
    packages = {one["name"]: one for one in lock["packages"]}
    with open_package(wheel) as package:
        info = package.metadata.dist_info
        content = json.loads(package.read(f"{info}/sboms/diptych.cdx.json"))
        grafted = {member.name for member in package.members if ".libs/" in member.name}
        texts = [member.name for member in package.members if f"{info}/licenses/grafted/" in member.name]
    (boost,) = content["components"]
    assert {one["name"] for one in boost["components"]} == grafted
    assert boost["hashes"][0]["content"] == packages["libboost-python"]["sha256"]
    assert boost["licenses"] == [{"expression": "BSL-1.0"}]
    assert [name.split("/")[3] for name in texts] == ["libboost-python"]


def test_a_path_in_the_product_is_blamed(tiny: Checkout) -> None:
    """A project that compiles its build folder in is told so, with exit code 12."""
    cmake = tiny.root / "project" / "CMakeLists.txt"
    cmake.write_text(
        cmake.read_text(encoding="utf-8")
        + '\nfile(WRITE "${CMAKE_BINARY_DIR}/where.txt" "made in ${CMAKE_SOURCE_DIR}/here\\n")\n'
        + 'install(FILES "${CMAKE_BINARY_DIR}/where.txt" DESTINATION tiny)\n',
        encoding="utf-8",
    )
    done = tiny.diptych("reproduce", tiny.cell)
    assert done.returncode == 12, done.output
    blamed = [line.split() for line in done.output.splitlines() if "where.txt" in line]
    assert [words[0] for words in blamed] == ["path", "path"]
