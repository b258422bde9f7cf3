"""Zig instead of the machine's compiler: a wheel whose tag is the floor, whatever glibc the machine has."""

from __future__ import annotations

from pathlib import Path

from diptych import process
from helpers.checkout import HERE, adopted
from helpers.needs import needs_linux

TABLE = """
[tool.diptych]
python = ["{python}"]
compiler = ["zig"]
channels = ["conda-forge", "local"]
floor = "2_17"
package = "fractional"
test-sources = ["test_fractional.py"]
test = "pytest -q"
"""


@needs_linux("the floor is a glibc")
def test_a_wheel_for_the_floor(tmp_path: Path, env: dict[str, str]) -> None:
    project = adopted("setuptools-c", tmp_path / "project", TABLE.format(python=HERE), env)
    done = project.nox("-s", f"build-{HERE}", f"verify-{HERE}")
    assert done.returncode == 0, done.output
    (wheel, _) = project.packages
    shown = process.run(["auditwheel", "show", wheel], env=env, cwd=tmp_path).output
    assert "manylinux_2_17" in wheel.name or "manylinux_2_5" in wheel.name
    levels = ("manylinux_2_17", "manylinux_2_12", "manylinux_2_5")
    assert any(f'"{level}_x86_64"' in shown.replace("\n", "") for level in levels), shown
