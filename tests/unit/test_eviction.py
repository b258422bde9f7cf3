from __future__ import annotations

import os
from pathlib import Path

import pytest

from diptych.eviction import OLD_SECONDS, evict, holdings, plan_eviction
from diptych.store import MANIFEST, Store, write_json

NOW = 2_000_000_000.0
KEYS = ("aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "cccccccccccccccc")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three entries of 100 bytes, used one hour after the other, years ago; a record speaks of the first."""
    store = Store(root=tmp_path)
    for hour, key in enumerate(KEYS):
        folder, _ = store.entry("stage", key, lambda empty: _fill(empty, tmp_path))
        os.utime(folder / MANIFEST, (hour * 3600, hour * 3600))
    write_json(tmp_path / "cells" / "cell.json", {"stage_key": KEYS[0]})
    for name in ("used", "stale"):
        (tmp_path / "build" / name).mkdir(parents=True)
        (tmp_path / "build" / name / "object").write_bytes(b"x" * 50)
        os.utime(tmp_path / "build" / name, (0, 0))
    return store


def _fill(empty: Path, root: Path) -> None:
    (empty / "file").write_bytes(b"x" * (100 - len(f'{{"tree": "{root}/build/used"}}')))
    (empty / "origins.json").write_text(f'{{"tree": "{root}/build/used"}}')


def test_sizes_are_told(store: Store) -> None:
    assert sorted(one.size for one in holdings(store.root)) == [50, 50, 100, 100, 100]


def test_the_oldest_that_nobody_speaks_of_goes_first(store: Store) -> None:
    held = holdings(store.root)
    assert [one.path.name for one in plan_eviction(held, most=400, now=NOW)] == []
    assert [one.path.name for one in plan_eviction(held, most=399, now=NOW)] == ["stale"]
    assert [one.path.name for one in plan_eviction(held, most=300, now=NOW)] == ["stale", KEYS[1]]
    assert [one.path.name for one in plan_eviction(held, most=0, now=NOW)] == ["stale", *KEYS[1:]]
    assert plan_eviction(held, most=0, now=OLD_SECONDS - 1) == ()


def test_what_a_run_found_lately_stays(store: Store) -> None:
    assert store.find("stage", KEYS[1])
    assert [one.path.name for one in evict(store, most=0)] == ["stale", KEYS[2]]
    assert store.find("stage", KEYS[1])
    assert not store.find("stage", KEYS[2])


def test_what_is_locked_stays(store: Store) -> None:
    with store.lock(f"stage-{KEYS[1]}"):
        assert [one.path.name for one in evict(store, most=0)] == ["stale", KEYS[2]]
