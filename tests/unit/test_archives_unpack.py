"""Unpacking: whole or not at all, below the folder, with harmless modes."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from diptych.archives import open_package, unpack
from diptych.errors import FormatError, StoreError
from helpers.archive_makers import FILES, conda_from_tars, conda_info, make_conda, make_wheel, tar_bytes
from helpers.archive_raw import END, header, tarred

LINKS = {"lib/libpair.so": "libpair.so.1"}


def unpacked(path: Path, folder: Path) -> None:
    with open_package(path) as package:
        unpack(package, folder)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("exists", [True, False])
def test_a_wheel(tmp_path: Path, exists: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    folder = tmp_path / "out"
    if exists:
        folder.mkdir()
    unpacked(make_wheel(tmp_path), folder)
    assert {name: data for name, data in contents(folder).items() if "dist-info" not in name} == FILES
    assert stat.S_IMODE((folder / "pair/_core.so").stat().st_mode) == 0o755
    assert stat.S_IMODE((folder / "pair/__init__.py").stat().st_mode) == 0o644
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_a_conda_package_with_links(tmp_path: Path) -> None:
    files = {**FILES, "lib/libpair.so.1": b"lib"}
    unpacked(
        make_conda(tmp_path, files, links=LINKS, hard={"bin/twin.so": "pair/_core.so"}), tmp_path / "out"
    )
    out = tmp_path / "out"
    assert (out / "lib/libpair.so").readlink() == Path("libpair.so.1")
    assert (out / "lib/libpair.so").read_bytes() == b"lib"
    assert (out / "bin/twin.so").read_bytes() == FILES["pair/_core.so"]
    assert (out / "bin/twin.so").stat().st_ino != (out / "pair/_core.so").stat().st_ino
    assert (out / "info/index.json").exists()


def test_mode_bits_are_limited(tmp_path: Path) -> None:
    payload = header("bin/root", mode=0o6777) + header("bin/secret", mode=0) + END
    unpacked(conda_from_tars(tmp_path, tar_bytes(conda_info({})), payload), tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out/bin/root").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "out/bin/secret").stat().st_mode) == 0o644


@pytest.mark.parametrize("kind", ["full", "file", "link"])
def test_only_into_an_empty_folder(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    if kind == "full":
        out.mkdir()
        (out / "mine").write_bytes(b"mine")
    elif kind == "file":
        out.write_bytes(b"mine")
    else:
        (tmp_path / "elsewhere").mkdir()
        out.symlink_to("elsewhere")
    path = make_wheel(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(StoreError, match="not an empty folder"):
        unpacked(path, out)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "payload",
    [
        tarred("a/file", b"x") + tarred("a/link", kind=b"2", link="../../etc"),
        tarred("link", kind=b"2", link=".") + tarred("link/file", b"x"),
        tarred("file", b"x") + tarred("file/below", b"x"),
        tarred("a", b"x") + tarred("a", b"y"),
        tarred("a", b"x") + b"x" * 512,
    ],
)
def test_a_hostile_package_leaves_nothing(tmp_path: Path, payload: bytes) -> None:
    path = conda_from_tars(tmp_path, tar_bytes(conda_info({})), payload + END)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FormatError):
        unpacked(path, tmp_path / "out")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot write"):
        unpacked(make_wheel(tmp_path), tmp_path / "missing" / "out")
