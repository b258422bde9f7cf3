"""A project of the stable ABI and two Pythons: one compile, and each Python verifies the same two packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych import interpreters
from diptych.archives import open_package
from helpers.checkout import Checkout, adopted
from helpers.needs import lacking

OLD, NEW = "3.10", "3.11"
TABLE = f"""
[tool.diptych]
python = ["{OLD}", "{NEW}"]
compiler = ["gcc"]
channels = ["conda-forge", "local"]
package = "clamped"
"""


@pytest.fixture
def clamped(tmp_path: Path, env: dict[str, str]) -> Checkout:
    for python in (OLD, NEW):
        if not any(
            one.version.startswith(f"{python}.") and one.has_headers for one in interpreters.find_all(env=env)
        ):
            lacking(f"a Python {python} with its headers")
    return adopted("setuptools-abi3", tmp_path / "clamped", TABLE, env)


def test_one_build_serves_the_newer_python(clamped: Checkout) -> None:
    done = clamped.nox("-s", f"build-{OLD}", f"build-{NEW}", f"verify-{NEW}")
    assert done.returncode == 0, done.output
    assert (
        f"served by {OLD}-gcc, whose packages are for Python {OLD} and newer; nothing compiled" in done.output
    )
    assert done.output.count("✓ compile") == 1
    assert done.output.count(f"1 tests passed against the installed package, which is {OLD}-gcc's") == 2
    wheel, conda = clamped.packages
    assert "-cp310-abi3-" in wheel.name
    with open_package(conda) as package:
        index = package.metadata.index
        names = {member.name for member in package.members}
    assert (index["noarch"], index["subdir"]) == ("python", "linux-64")
    assert {f"cpython >={OLD}", "_python_abi3_support 1.*"} <= set(index["depends"])
    assert not any(spec.startswith("python_abi") for spec in index["depends"])
    assert {"site-packages/clamped/_clamp.abi3.so", "site-packages/clamped/__init__.py"} <= names
    clamped.edit("clamp.c", "value < low ? low :", "(value < low) ? low :")
    again = clamped.nox("-s", f"build-{NEW}")
    assert again.returncode == 0, again.output
    assert "served by" not in again.output
