"""Small projects of every common build backend, from their sources to both packages, verified, with a table of a few lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych import process
from helpers.checkout import HERE, PROJECTS
from helpers.needs import needs
from helpers.projects import MORE, small

MARKS = {"maturin-cffi": needs("cargo", package="cargo")}


@pytest.mark.parametrize("name", [pytest.param(name, marks=MARKS.get(name, ())) for name in sorted(MORE)])
def test_a_project_becomes_two_verified_packages(name: str, tmp_path: Path, env: dict[str, str]) -> None:
    project = small(name, tmp_path / name, env)
    done = project.nox("-s", f"build-{HERE}", f"verify-{HERE}")
    assert done.returncode == 0, done.output
    assert all(path.is_file() for path in project.packages)
    left = process.run(["git", "status", "--porcelain"], env=env, cwd=PROJECTS, check=False).output
    assert str(PROJECTS / name) not in left
