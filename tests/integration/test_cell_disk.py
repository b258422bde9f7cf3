"""A disk that is full, and a channel whose package is not what its index says: one clear message, and the next run is right."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from helpers.checkout import HERE, Checkout, clear
from helpers.mount import mounted
from helpers.tiny import TABLE, lay_out_tiny


@pytest.fixture
def tiny(tmp_path: Path, repository: Path, session_env: dict[str, str]) -> Checkout:
    lay_out_tiny(tmp_path / "tiny", repository)
    return Checkout(root=tmp_path / "tiny", env=session_env, filled=False)


@pytest.mark.parametrize("size", ["8m", "150m"])
def test_a_full_disk_is_told_and_leaves_nothing_half_made(tiny: Checkout, built: Checkout, size: str) -> None:
    """8 MB end while the local channel is made; 150 MB hold the channel, and end in the build."""
    store = tiny.root / ".diptych"
    store.mkdir()
    kept = tiny.root / "kept"
    with mounted(store, f"size={size}"):
        if size == "150m":
            shutil.copytree(built.root / ".diptych" / "channel", store / "channel")
            _fill(store, leave=40_000)
        clear(tiny.build(), "No space left")
        assert not (tiny.root / "dist").exists()
        (store / "filler").unlink(missing_ok=True)
        shutil.copytree(store, kept, symlinks=True)
    shutil.rmtree(store)
    kept.rename(store)
    again = tiny.build()
    assert again.returncode == 0, again.output
    assert all(path.is_file() for path in tiny.packages)


def _fill(folder: Path, *, leave: int) -> None:
    free = shutil.disk_usage(folder).free
    with (folder / "filler").open("wb") as file:
        file.write(bytes(max(free - leave, 0)))


def test_a_package_that_is_not_what_its_index_says(tiny: Checkout, built: Checkout, tmp_path: Path) -> None:
    channel = tmp_path / "channel"
    shutil.copytree(built.root / ".diptych" / "channel", channel)
    (package,) = channel.glob("noarch/iniconfig-*.conda")
    content = bytearray(package.read_bytes())
    content[len(content) // 2] ^= 0xFF
    package.write_bytes(content)
    table = TABLE.replace('["conda-forge", "local"]', f'["{channel.as_uri()}"]')
    (tiny.root / "pyproject.toml").write_text(table)
    cache = {"RATTLER_CACHE_DIR": str(tmp_path / "cache")}
    clear(tiny.nox("-s", f"build-{HERE}", **cache), "iniconfig")
    assert not list((tiny.root / ".nox").glob("build-*/conda-meta"))
