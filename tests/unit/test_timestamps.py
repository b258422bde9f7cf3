"""The time in packages grows with the sources, and is the same wherever the same sources are built."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from diptych import process
from diptych.timestamps import EARLIEST, TimeStamp, time_stamp

WHEN = 1_700_000_123


@pytest.fixture
def checkout(tmp_path: Path, env: dict[str, str]) -> Path:
    root = tmp_path / "checkout"
    (root / "project").mkdir(parents=True)
    (root / "pyproject.toml").write_text("")
    commit(root, env, WHEN)
    return root


def commit(root: Path, env: dict[str, str], when: int) -> None:
    identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.c", "GIT_COMMITTER_NAME": "a"}
    dated = {"GIT_COMMITTER_EMAIL": "a@b.c", "GIT_COMMITTER_DATE": f"{when} +0200"}
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x", "--allow-empty"]):
        process.run(["git", *words], env={**env, **identity, **dated}, cwd=root)


def test_the_variable_wins(checkout: Path, env: dict[str, str]) -> None:
    found = time_stamp(checkout, checkout / "project", env={**env, "SOURCE_DATE_EPOCH": "1600000000"})
    assert found == TimeStamp(epoch=1_600_000_000, source="SOURCE_DATE_EPOCH")


@pytest.mark.parametrize(("given", "epoch"), [("0", EARLIEST), ("99999999999", 4354819198)])
def test_it_fits_into_a_zip(checkout: Path, env: dict[str, str], given: str, epoch: int) -> None:
    assert time_stamp(checkout, checkout, env={**env, "SOURCE_DATE_EPOCH": given}).epoch == epoch


def test_the_last_commit_also_when_files_were_changed(checkout: Path, env: dict[str, str]) -> None:
    (checkout / "pyproject.toml").write_text("# changed\n")
    found = time_stamp(checkout, checkout / "project", env=env)
    assert found == TimeStamp(epoch=WHEN, source="the last commit")
    commit(checkout, env, WHEN + 60)
    assert time_stamp(checkout, checkout / "project", env=env).epoch == WHEN + 60


@pytest.mark.parametrize("given", ["soon", "-5", "1.5", "\u00b2"])
def test_what_is_no_number_is_passed_over(checkout: Path, env: dict[str, str], given: str) -> None:
    found = time_stamp(checkout, checkout / "project", env={**env, "SOURCE_DATE_EPOCH": given})
    assert found.source == "the last commit"


def test_a_copy_inside_of_a_strangers_checkout_has_no_commit(checkout: Path, env: dict[str, str]) -> None:
    copy = checkout / "copy"
    copy.mkdir()
    (copy / "pyproject.toml").write_text("")
    assert time_stamp(copy, copy, env=env) == TimeStamp(
        epoch=EARLIEST, source="neither a commit nor an sdist"
    )


def test_an_sdist_has_the_time_of_its_files(tmp_path: Path, env: dict[str, str]) -> None:
    for name, when in (("PKG-INFO", WHEN), ("pyproject.toml", WHEN + 1)):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (when, when))
    (tmp_path / "noticed-later.txt").write_text("written after it was unpacked")
    found = time_stamp(tmp_path, tmp_path, env=env)
    assert found == TimeStamp(epoch=WHEN + 1, source="the newest file of the sdist")


def test_without_git(checkout: Path, env: dict[str, str], tmp_path: Path) -> None:
    found = time_stamp(checkout, checkout, env={**env, "PATH": str(tmp_path)})
    assert found.epoch == EARLIEST
