"""A compiler from a channel package compiles a cell: found in the environment, not on PATH, and recorded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from diptych import process
from helpers.checkout import HERE, Checkout
from helpers.conda_package import tiny_conda
from helpers.tiny import TABLE, lay_out_tiny

# conda-forge's gxx_linux-64 has such programs. Here they hand on to the machine's own compiler.
TARGET = "x86_64-conda-linux-gnu"
TABLE_OF_PACKAGE = """
[tool.diptych.compilers.conda-gcc]
packages = ["gxx_toy=12"]
"""


@pytest.fixture
def checkout(tmp_path: Path, repository: Path, built: Checkout, session_env: dict[str, str]) -> Checkout:
    table = TABLE.replace('["gcc"]', '["conda-gcc"]') + TABLE_OF_PACKAGE
    lay_out_tiny(tmp_path / "checkout", repository, table)
    made = Checkout(root=tmp_path / "checkout", env=session_env, cell=f"{HERE}-conda-gcc")
    shutil.copytree(built.root / ".diptych" / "channel", made.root / ".diptych" / "channel")
    programs = {
        f"bin/{TARGET}-{name}": f'#!/bin/sh\nexec {process.which(name, session_env)} "$@"\n'
        for name in ("gcc", "g++")
    }
    package = tiny_conda(tmp_path, "gxx_toy", "12.0", "0", programs=programs)
    added = made.diptych("channel", "--add", str(package))
    assert added.returncode == 0, added.output
    return made


def test_a_cell_is_compiled_with_it(checkout: Checkout) -> None:
    done = checkout.nox("-s", f"build-{HERE}(conda-gcc)")
    assert done.returncode == 0, done.output
    wheel, _ = checkout.packages
    facts = json.loads(wheel.with_name(f"{wheel.name}.provenance.json").read_text())
    prefix = checkout.root / ".nox" / f"build-{HERE.replace('.', '-')}-conda-gcc"
    assert facts["compiler"]["cxx"] == str(prefix / "bin" / f"{TARGET}-g++")
    assert any(one["name"] == "gxx_toy" for one in facts["lock"])
    log = (checkout.root / ".diptych" / "logs" / checkout.cell / "compile.log").read_text()
    assert f"{TARGET}-g++" in log


def test_a_package_that_brings_no_compiler_is_told(checkout: Checkout, tmp_path: Path) -> None:
    empty = tiny_conda(tmp_path / "empty", "gxx_none", "1.0", "0")
    assert checkout.diptych("channel", "--add", str(empty)).returncode == 0
    checkout.edit("pyproject.toml", "gxx_toy=12", "gxx_none")
    done = checkout.nox("-s", f"build-{HERE}(conda-gcc)")
    assert 'no program "*-g++ or *-clang++"' in done.output, done.output
    assert "gxx_none" in done.output
    assert "Traceback" not in done.output
