"""What integration tests share: one built checkout a session."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.checkout import Checkout, build_out


@pytest.fixture(scope="session")
def built(
    tmp_path_factory: pytest.TempPathFactory, repository: Path, session_env: dict[str, str]
) -> Checkout:
    """A checkout whose cell of the running Python is built; tests leave its sources as they were."""
    return build_out(tmp_path_factory.mktemp("checkout"), repository, session_env)


@pytest.fixture
def sources(built: Checkout) -> Iterator[Checkout]:
    """The built checkout, with its sources put back afterwards."""
    kept = built.root.parent / "kept"
    shutil.copytree(built.root / "project", kept)
    table = (built.root / "pyproject.toml").read_text(encoding="utf-8")
    yield built
    shutil.rmtree(built.root / "project")
    kept.rename(built.root / "project")
    (built.root / "pyproject.toml").write_text(table, encoding="utf-8")
