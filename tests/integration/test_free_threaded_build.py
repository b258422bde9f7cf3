"""A cell of a Python without the GIL, from sources to two verified packages, on a machine that has such a Python on its PATH."""

from __future__ import annotations

import shutil
from pathlib import Path

from diptych.archives import open_package
from helpers.checkout import adopted

TABLE = """
[tool.diptych]
python = ["{python}"]
compiler = ["gcc"]
channels = ["conda-forge", "local"]
package = "fractional"
test-sources = ["test_fractional.py"]
test = "pytest -q"
"""
# Few machines have one, and no package of Debian's brings it: without one there is no test here, rather than one that is skipped.
THERE = [python for python in ("3.13t", "3.14t", "3.15t") if shutil.which(f"python{python}")]

if THERE:

    def test_both_packages_are_for_it_alone(tmp_path: Path, env: dict[str, str]) -> None:
        python = THERE[0]
        digits = python.replace(".", "")
        project = adopted("setuptools-c", tmp_path / "fractional", TABLE.format(python=python), env)
        done = project.nox("-s", f"build-{python}", f"verify-{python}")
        assert done.returncode == 0, done.output
        assert done.output.count("1 tests passed against the installed package") == 2
        wheel, conda = project.packages
        assert f"-cp{digits[:-1]}-cp{digits}-" in wheel.name
        with open_package(conda) as package:
            depends = package.metadata.index["depends"]
            names = {member.name for member in package.members}
        assert f"python_abi {python[:-1]}.* *_cp{digits}" in depends
        assert any(
            name.startswith(f"lib/python{python}/site-packages/_gcd.cpython-{digits}-") for name in names
        )
