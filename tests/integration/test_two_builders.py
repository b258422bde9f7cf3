"""The same extension by either builder: CMake alone, or the project's own build backend."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.checkout import HERE, TABLE, Checkout, lay_out


@pytest.fixture
def by_backend(tmp_path: Path, repository: Path, env: dict[str, str]) -> Checkout:
    """A checkout that the project's own backend has built, beside the one that CMake has."""
    root = tmp_path / "backend"
    lay_out(root, repository, TABLE.format(python=HERE).replace('"cmake"', '"pep517"'))
    checkout = Checkout(root=root, env=env)
    done = checkout.build()
    assert done.returncode == 0, done.output
    return checkout


def test_both_builders_make_the_same_code(built: Checkout, by_backend: Checkout) -> None:
    for one, other in (
        (built.packages[0], by_backend.packages[0]),
        (built.packages[0], by_backend.packages[1]),
        (by_backend.packages[0], built.packages[1]),
    ):
        done = built.diptych("compare", str(one), str(other))
        assert done.returncode == 0, done.output
