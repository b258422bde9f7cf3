"""What a run reads once at its surface."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych.output import Output
from diptych.workspace import Workspace, open_workspace

TABLE = '[project]\nname = "pair"\nversion = "1"\n[tool.diptych]\nsource = "."\npython = ["3.11"]\n'


def opened(root: Path, env: dict[str, str]) -> Workspace:
    (root / "pyproject.toml").write_text(TABLE, encoding="utf-8")
    return open_workspace(root, env=env, machine="x86_64", output=Output(env={}))


def test_a_home_that_is_there_is_kept(tmp_path: Path) -> None:
    assert opened(tmp_path, {"HOME": str(tmp_path)}).env["HOME"] == str(tmp_path)


@pytest.mark.parametrize("home", ["/nonexistent", "relative/and/absent"])
def test_without_a_home_caches_go_into_the_store(tmp_path: Path, home: str) -> None:
    assert opened(tmp_path, {"HOME": home}).env["HOME"] == str(tmp_path / ".diptych" / "home")
