"""Zig instead of the machine's compiler: a wheel whose tag is the floor, whatever glibc the machine has."""

from __future__ import annotations

import shutil
from pathlib import Path

from diptych import process
from helpers.checkout import HERE, Checkout
from helpers.needs import needs_linux

PROJECTS = Path(__file__).parents[1] / "projects"
TABLE = """
[tool.diptych]
python = ["{python}"]
compiler = ["{compiler}"]
channels = ["conda-forge", "local"]
floor = "2_17"
package = "fractional"
test-sources = ["test_fractional.py"]
test = "pytest -q"
"""


def adopted(root: Path, env: dict[str, str], *, compiler: str) -> Checkout:
    shutil.copytree(PROJECTS / "setuptools-c", root)
    with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(TABLE.format(python=HERE, compiler=compiler))
    (root / "noxfile.py").write_text(
        "from diptych.sessions import define\n\ndefine(__file__)\n", encoding="utf-8"
    )
    return Checkout(root=root, env=env)


@needs_linux("the floor is a glibc")
def test_a_wheel_for_the_floor(tmp_path: Path, env: dict[str, str]) -> None:
    project = adopted(tmp_path / "project", env, compiler="zig")
    done = project.nox("-s", f"build-{HERE}", f"verify-{HERE}")
    assert done.returncode == 0, done.output
    (wheel, _) = project.packages
    shown = process.run(["auditwheel", "show", wheel], env=env, cwd=tmp_path).output
    assert "manylinux_2_17" in wheel.name or "manylinux_2_5" in wheel.name
    levels = ("manylinux_2_17", "manylinux_2_12", "manylinux_2_5")
    assert any(f'"{level}_x86_64"' in shown.replace("\n", "") for level in levels), shown
