"""The small projects of tests/projects with what each needs in its table."""

from __future__ import annotations

from pathlib import Path

from helpers.checkout import HERE, Checkout, adopted

TABLE = """
[tool.diptych]
python = ["{python}"]
channels = ["conda-forge", "local"]
{more}
"""
MORE = {
    "cmeel-boost": 'package = "cmeelday"',
    "hatch-hook": 'package = "primehook"',
    "maturin-cffi": 'package = "rustsum"',
    "meson-pybind11": 'package = "levenmeson"',
    "poetry-script": 'package = "rot13script"',
    "setuptools-abi3": 'package = "clamped"',
    "setuptools-c": 'package = "fractional"\ntest-sources = ["test_fractional.py"]\ntest = "pytest -q"',
    "setuptools-cffi": 'package = "popcounts"\nrun = ["cffi"]',
    "setuptools-many": 'package = "alpha"\ntest = "pytest -q --import-mode=append {source}/tests"',
    "setuptools-pybind11": 'package = "acme.caesar"',
    "skbuild-boost": 'host = ["libboost-python-devel"]',
    "skbuild-nanobind": 'package = "nanohash"',
    "skbuild-pybind11": "",
}


def small(name: str, root: Path, env: dict[str, str]) -> Checkout:
    """A copy of one with its table, and nothing else changed."""
    return adopted(name, root, TABLE.format(python=HERE, more=MORE.get(name, "")), env)
