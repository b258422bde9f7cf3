"""Clang with libc++: a C++ extension that needs no C++ library of the machine, as wheel and as conda package."""

from __future__ import annotations

import ctypes.util
import zipfile
from pathlib import Path

from diptych.binaries import read
from helpers.checkout import HERE, adopted
from helpers.needs import needs, needs_found, needs_linux

TABLE = """
[tool.diptych]
python = ["{python}"]
compiler = ["clang-libcxx"]
channels = ["conda-forge", "local"]
package = "acme.caesar"
test = "pytest -q {{source}}/tests"
"""


@needs_linux("macOS has libc++")
@needs("clang++", package="clang")
@needs_found(ctypes.util.find_library("c++"), "libc++", package="libc++-dev libc++abi-dev")
def test_a_module_brings_its_own_libcxx(tmp_path: Path, env: dict[str, str]) -> None:
    project = adopted("setuptools-pybind11", tmp_path / "project", TABLE.format(python=HERE), env)
    done = project.nox("-s", f"build-{HERE}", f"verify-{HERE}")
    assert done.returncode == 0, done.output
    assert "libc++ 1" in done.output
    (wheel, _) = project.packages
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (one for one in archive.namelist() if one.endswith(".so"))
        (binary,) = read(archive.read(name), name, symbols=True)
    assert not any(needed.startswith(("libc++", "libstdc++")) for needed in binary.needed)
    exported = [symbol.name for symbol in binary.symbols or () if symbol.defined and "__throw" in symbol.name]
    assert not exported, "its libc++ is hidden"
