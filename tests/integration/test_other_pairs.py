"""Pairs that others made: wheels from PyPI, beside conda packages compiled here from the sdists of the same version."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from diptych import process


@pytest.mark.parametrize("project", ["kiwisolver", "nano-astar"])  # setuptools with cppy; CMake with nanobind
def test_a_wheel_of_pypi_is_laid_beside_a_conda_package(
    project: str, env: dict[str, str], repository: Path, tmp_path: Path
) -> None:
    script = repository / "bench" / "other_pairs.py"
    done = process.run(
        [sys.executable, script, tmp_path, project], env=env, cwd=tmp_path, check=False, timeout=300
    )
    assert done.returncode == 0, done.output
    assert re.search(rf"^{project} [\d.]+: drift; unexplained: nothing$", done.output, re.MULTILINE)
    # This much is found in each of these pairs, and no error among it; where the compiler is not PyPI's, its code differs too.
    codes = dict(re.findall(r"(?:drift|expected|error) (DIP8\d\d) x(\d+)", done.output))
    assert {"DIP825", "DIP832"} <= set(codes)
    assert "error DIP" not in done.output
