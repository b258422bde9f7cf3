"""What a wheel has for other places than site-packages: laid out as pip does, and binaries refused."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from diptych.errors import PackageError
from diptych.packages.elsewhere import check_elsewhere, into_prefix
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
