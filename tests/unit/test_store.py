from __future__ import annotations

import errno
import os
import re
import subprocess  # noqa: TID251 -- an interpreter with another hash seed
import sys
import threading
from pathlib import Path
from subprocess import Popen as popen  # noqa: N813, TID251 -- a run that has ended

import pytest

from diptych.errors import StoreError, SystemFaultError
from diptych.folders import replaced
from diptych.store import (
    Store,
    copy_file,
    digest,
    discard,
    disk_errors,
    intact,
    seal,
    sha256_tree,
    told_errors,
    write_json,
    written,
)


def fill(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "file").write_text("content")
    (folder / "link").symlink_to("sub/file")


def test_an_entry_is_made_once(tmp_path: Path) -> None:
    store = Store(root=tmp_path)
    first, made = store.entry("stage", "k", fill)
    again, made_again = store.entry("stage", "k", lambda _: pytest.fail("made twice"))
    assert (first, made, made_again) == (again, True, False)
    assert (first / "link").read_text() == "content"


@pytest.mark.parametrize("victim", ["sub/file", "link", ".manifest.json"])
def test_an_entry_that_lost_a_file_is_made_again(tmp_path: Path, victim: str) -> None:
    store = Store(root=tmp_path)
    folder, _ = store.entry("stage", "k", fill)
    (folder / victim).unlink()
    assert store.find("stage", "k") is None
    folder, made = store.entry("stage", "k", fill)
    assert made
    assert intact(folder)


def test_an_entry_with_a_changed_or_an_extra_file_is_not_intact(tmp_path: Path) -> None:
    fill(tmp_path)
    seal(tmp_path)
    assert intact(tmp_path)
    (tmp_path / "extra").write_text("")
    assert not intact(tmp_path)
    (tmp_path / "extra").unlink()
    (tmp_path / "sub" / "file").write_text("Content")
    assert not intact(tmp_path)


def test_a_failing_maker_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        fill(folder)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Store(root=tmp_path).entry("stage", "k", fail)
    assert list((tmp_path / "stage").iterdir()) == []


def test_what_a_killed_run_left_is_swept(tmp_path: Path) -> None:
    left = tmp_path / "stage" / ".k.abandoned"
    left.mkdir(parents=True)
    fill(left)
    Store(root=tmp_path).entry("stage", "k", fill)
    assert [path.name for path in (tmp_path / "stage").iterdir()] == ["k"]


def test_a_full_disk_is_told_with_the_next_step(tmp_path: Path) -> None:
    def full(_folder: Path) -> None:
        raise OSError(28, "No space left on device", "big file")

    with pytest.raises(StoreError, match='cannot write "big file": No space left') as caught:
        Store(root=tmp_path).entry("stage", "k", full)
    assert "free some space" in caught.value.hint


def test_written_replaces_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old")

    def interrupted() -> None:
        with written(target) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_text() == "old"
    write_json(target, {"b": 1, "a": [Path("x")]})
    assert target.read_text() == '{\n  "a": [\n    "x"\n  ],\n  "b": 1\n}\n'
    assert list(tmp_path.iterdir()) == [target]


def test_copy_keeps_the_mode(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "a").chmod(0o750)
    copy_file(tmp_path / "a", tmp_path / "new" / "b")
    assert (tmp_path / "new" / "b").stat().st_mode & 0o777 == 0o750


def test_discard_of_what_is_not_there_is_quiet(tmp_path: Path) -> None:
    discard(tmp_path / "nothing")
    fill(tmp_path)
    discard(tmp_path / "sub")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link"]


def test_digest_sees_order_of_values_but_not_of_keys() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest([1, 2]) != digest([2, 1])


def test_a_tree_hash_sees_names_modes_and_links(tmp_path: Path) -> None:
    fill(tmp_path)
    files = [tmp_path / "sub" / "file", tmp_path / "link"]
    before = sha256_tree(tmp_path, files)
    assert before == sha256_tree(tmp_path, files[::-1])
    (tmp_path / "sub" / "file").chmod(0o755)
    assert before != sha256_tree(tmp_path, files)


def test_a_second_run_waits_and_says_for_what(tmp_path: Path) -> None:
    started, end = threading.Event(), threading.Event()

    def hold() -> None:
        with Store(root=tmp_path).lock("one"):
            started.set()
            end.wait(10)

    waited: list[str] = []

    def waiting(name: str) -> None:
        waited.append(name)
        end.set()

    other = threading.Thread(target=hold)
    other.start()
    assert started.wait(10)
    with Store(root=tmp_path, waiting=waiting).lock("one"):
        (said,) = waited
        assert re.fullmatch(rf"one \(process {os.getpid()}, `.*`, since 20\d\d-.*Z\)", said)
    other.join()


def test_waiting_has_a_limit_and_names_the_holder(tmp_path: Path) -> None:
    with Store(root=tmp_path).lock("one"):
        other = Store(root=tmp_path, limit=0).lock("one")
        with pytest.raises(StoreError, match="waited 0 s for the lock") as caught, other:
            pass
        assert caught.value.details[0].startswith(f"held by process {os.getpid()}, `")
    assert (tmp_path / "locks" / "one.lock").read_bytes() == b""


def test_a_holder_that_has_ended_is_told_as_such(tmp_path: Path, env: dict[str, str]) -> None:
    """A killed run, whose supervisors are ending what it had started."""
    with Store(root=tmp_path).lock("one"):
        child = popen([sys.executable, "-c", "pass"], env=env)
        child.wait()
        lock = tmp_path / "locks" / "one.lock"
        lock.write_text(f'{{"pid": {child.pid}, "command": "nox", "since": "then"}}')
        with pytest.raises(StoreError) as caught, Store(root=tmp_path, limit=0).lock("one"):
            pass
    assert caught.value.details == (
        f"held by process {child.pid}, `nox`, since then; that process has ended, what it started is being ended",
    )


def test_the_lock_of_a_dead_run_is_free(tmp_path: Path) -> None:
    lock = tmp_path / "locks" / "one.lock"
    lock.parent.mkdir()
    lock.write_text('{"pid": 1, "command": "nox", "since": "then"}')
    with Store(root=tmp_path, waiting=pytest.fail).lock("one"):
        assert str(os.getpid()) in lock.read_text()


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError(111, "refused"), FileNotFoundError(2, "no", "input")]
)
def test_a_fault_inside_a_stage_is_its_own(tmp_path: Path, error: OSError) -> None:
    def fail(*_: object) -> None:
        raise error

    with pytest.raises(type(error)):
        Store(root=tmp_path).entry("stage", "k", fail)
    with pytest.raises(type(error)), written(tmp_path / "file"):
        fail()
    with pytest.raises(type(error)), replaced(tmp_path / "out"):
        fail()
    assert not (tmp_path / "out").exists()


def test_an_entry_that_is_no_longer_valid_is_made_again_under_its_lock(tmp_path: Path) -> None:
    store = Store(root=tmp_path)
    folder, _ = store.entry("stage", "k", fill)

    def again(empty: Path) -> None:
        assert folder.is_dir()  # until the new one is whole
        with pytest.raises(StoreError), Store(root=tmp_path, limit=0).lock("stage-k"):
            pass
        fill(empty)

    assert store.entry("stage", "k", again, valid=lambda _: False) == (folder, True)
    assert store.entry("stage", "k", again, valid=lambda _: True) == (folder, False)


def test_a_set_has_one_digest(env: dict[str, str]) -> None:
    code = "from diptych.store import digest; print(digest({'a', 'b', 'c', 'd'}, frozenset({'x', ('y', 1)})))"
    made = {
        subprocess.check_output([sys.executable, "-c", code], env={**env, "PYTHONHASHSEED": str(seed)})
        for seed in range(4)
    }
    assert len(made) == 1


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    if os.geteuid() == 0:  # root may write anywhere; a file in the way works for everybody
        (tmp_path / "locks").write_text("")
        with pytest.raises(StoreError, match="cannot write"), Store(root=tmp_path).lock("x"):
            pass
        return
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="permissions"), Store(root=tmp_path).lock("x"):
        pass


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_a_disk_that_refuses_is_told_at_the_surface(tmp_path: Path, number: int) -> None:
    with pytest.raises(StoreError, match="cannot write") as caught, disk_errors(tmp_path):
        raise OSError(number, "refused")
    assert caught.value.hint


def test_another_fault_of_the_system_is_no_fault_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), disk_errors(tmp_path):
        (tmp_path / "gone").read_text()


def test_any_fault_of_the_system_is_told_at_the_surface_as_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(SystemFaultError, match='gone": No such file'), told_errors(tmp_path):
        (tmp_path / "gone").read_text()
    with pytest.raises(SystemFaultError, match="refused"), told_errors(tmp_path):
        raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    with pytest.raises(StoreError, match="cannot write"), told_errors(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
