"""What a wheel has for other places than site-packages: laid out as pip does, and binaries refused."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path, PurePosixPath

import pytest

from diptych.errors import PackageError
from diptych.packages.elsewhere import check_elsewhere, into_prefix, with_files
from diptych.packages.metadata import Metadata


def test_each_scheme_goes_where_pip_puts_it(tmp_path: Path) -> None:
    extra = tmp_path / "extra"
    for name in ("scripts/run", "headers/a.h", "data/share/b.txt"):
        (extra / name).parent.mkdir(parents=True, exist_ok=True)
        (extra / name).write_text("x", encoding="utf-8")
    check_elsewhere(extra)
    folder = tmp_path / "prefix"
    metadata = Metadata(folder=tmp_path / "a_b-1.dist-info", name="a-b", version="1")
    into_prefix(extra, folder, python="3.11", metadata=metadata)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {"bin/run", "include/python3.11/a-b/a.h", "share/b.txt"}
    assert (folder / "bin" / "run").stat().st_mode & 0o111 == 0o111


def test_a_binary_there_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy2(Path(sys.executable).resolve(), tmp_path / "scripts" / "tool")
    with pytest.raises(PackageError) as refused:
        check_elsewhere(tmp_path)
    assert list(refused.value.details) == ["scripts/tool"]


def test_a_folder_that_no_installer_knows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manuals").mkdir()
    with pytest.raises(PackageError, match="manuals"):
        check_elsewhere(tmp_path)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """What CMake installs: headers, CMake files, a library with its link, site-packages."""
    tree = tmp_path / "tree"
    for name in (
        "include/x/a.hpp",
        "include/b.hpp",
        "lib/cmake/x/xConfig.cmake",
        "lib/python3.11/site-packages/x.py",
    ):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("x", encoding="utf-8")
    shutil.copy2(Path(sys.executable).resolve(), tree / "lib" / "libx.so.1")
    (tree / "lib" / "libx.so").symlink_to("libx.so.1")
    return tree


KEPT = (PurePosixPath("lib/python3.11/site-packages"),)


def test_files_that_the_table_asks_for_are_data_of_the_wheel(tmp_path: Path, installed: Path) -> None:
    assert with_files(None, installed, (), tmp_path / "made", kept=KEPT) is None
    extra = tmp_path / "extra"
    (extra / "scripts").mkdir(parents=True)
    (extra / "scripts" / "run").write_text("x", encoding="utf-8")
    folder = with_files(extra, installed, ("include/*", "lib/cmake/*"), tmp_path / "made", kept=KEPT)
    assert folder is not None
    check_elsewhere(folder)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {
        "scripts/run", "data/include/x/a.hpp", "data/include/b.hpp", "data/lib/cmake/x/xConfig.cmake"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("glob", "words"),
    [
        ("includes/*", "matches no file"),
        ("lib/python3.11/*", "matches no file"),
        ("lib/*", "which is a binary"),
        ("lib/libx.so", "lib/libx.so, which is a binary"),
    ],
)
def test_globs_that_match_nothing_or_a_binary_are_refused(
    tmp_path: Path, installed: Path, glob: str, words: str
) -> None:
    with pytest.raises(PackageError, match=words):
        with_files(None, installed, (glob,), tmp_path / "made", kept=KEPT)
