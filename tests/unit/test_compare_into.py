"""The preview of an installation: duplicates and rivals by SONAME, shadows by file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diptych.compare.into import preview
from diptych.errors import ConfigError
from diptych.output import Output
from helpers.compare_pairs import base, library, write
from helpers.elf_builder import elf


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """A conda prefix with libzlib, and a venv-style package that brings an OpenMP runtime."""
    root = tmp_path / "env"
    site = root / "lib/python3.11/site-packages"
    (site / "other.libs").mkdir(parents=True)
    (root / "lib/libz.so.1.3.1").write_bytes(library("libz.so.1"))
    (root / "conda-meta").mkdir()
    record = {"name": "libzlib", "version": "1.3.1", "files": ["lib/libz.so.1.3.1"]}
    (root / "conda-meta/libzlib-1.3.1-0.json").write_text(json.dumps(record))
    (site / "other.libs/libgomp-aaaaaaaa.so.1").write_bytes(elf(soname="libgomp-aaaaaaaa.so.1"))
    (site / "other-2.0.dist-info").mkdir()
    (site / "other-2.0.dist-info/RECORD").write_text("other.libs/libgomp-aaaaaaaa.so.1,,\n")
    return root


@pytest.fixture
def packages(tmp_path: Path) -> tuple[Path, Path]:
    made = base()
    made.wheel.files["pair.libs/libiomp5-1a2b3c4d.so"] = library("libiomp5-1a2b3c4d.so")
    return write(made, tmp_path)


def test_a_wheel_duplicates_what_conda_has(prefix: Path, packages: tuple[Path, Path]) -> None:
    found = {(one.kind, one.name, one.there, one.owner) for one in preview(packages[0], prefix).clashes}
    assert found == {
        ("duplicate", "libz.so.1", "lib/libz.so.1.3.1", "libzlib 1.3.1"),
        (
            "rival",
            "libiomp5.so",
            "lib/python3.11/site-packages/other.libs/libgomp-aaaaaaaa.so.1",
            "other 2.0",
        ),
    }


def test_a_conda_package_shares_it(prefix: Path, packages: tuple[Path, Path]) -> None:
    assert [(one.kind, one.name) for one in preview(packages[1], prefix).clashes] == [("shared", "libz.so.1")]


def test_a_file_that_is_there_is_shadowed_unless_it_is_the_project_s_own(
    prefix: Path, packages: tuple[Path, Path]
) -> None:
    site = prefix / "lib/python3.11/site-packages"
    (site / "pair").mkdir()
    (site / "pair/__init__.py").write_text("")
    assert ("shadow", "pair/__init__.py") in {
        (one.kind, one.name) for one in preview(packages[0], prefix).clashes
    }
    (site / "pair-1.1.dist-info").mkdir()
    (site / "pair-1.1.dist-info/RECORD").write_text("pair/__init__.py,,\n")
    assert "shadow" not in {one.kind for one in preview(packages[0], prefix).clashes}


def test_a_folder_that_is_no_environment_is_refused(tmp_path: Path, packages: tuple[Path, Path]) -> None:
    with pytest.raises(ConfigError, match="is no environment"):
        preview(packages[0], tmp_path)


def test_it_is_told_in_80_columns(
    prefix: Path, tmp_path: Path, packages: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    Output(env={}).show(preview(packages[0], prefix).table())
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    assert "two copies in one process" in text
    (tmp_path / "empty/lib/python3.11/site-packages").mkdir(parents=True)
    Output(env={}).show(preview(packages[0], tmp_path / "empty").table())
    assert "nothing is duplicated or shadowed" in capsys.readouterr().out
