"""Zig instead of the machine's compiler: a wheel whose tag is the floor, whatever glibc the machine has."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych import process, zig
from diptych.config import CompilerSpec
from diptych.store import Store
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
# What sysconfig of a distribution's Python says to every extension.
FLAGS = {
    "debian": "-Wl,-O1 -Wl,-Bsymbolic-functions -g -fwrapv -O2",
    "ubuntu": "-Wl,-O1 -Wl,-Bsymbolic-functions -Wl,-z,relro -g -flto=auto -ffat-lto-objects -O2",
    "fedora": "-Wl,-z,relro -Wl,--as-needed -Wl,-z,pack-relative-relocs -Wl,-z,now -flto=auto -Wl,--build-id=sha1 -O2",
}


@needs_linux("the floor is a glibc")
@pytest.mark.parametrize("flags", FLAGS.values(), ids=FLAGS)
def test_flags_of_a_distribution(tmp_path: Path, env: dict[str, str], flags: str) -> None:
    spec = zig.commands(
        CompilerSpec(name="zig"),
        platform="linux-64",
        floor=None,
        store=Store(root=tmp_path / "store"),
        env=env,
    )
    (tmp_path / "a.c").write_text("int one(void) { return 1; }\n", encoding="utf-8")
    process.run(
        [str(spec.cc), "-shared", "-fPIC", *flags.split(), "a.c", "-o", "a.so"], env=env, cwd=tmp_path
    )
    assert (tmp_path / "a.so").is_file()


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
