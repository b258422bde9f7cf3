from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from diptych.binaries import dynamic_symbols, find_binaries, mapped, read, read_file
from diptych.errors import FormatError
from helpers.elf_builder import Sym, elf
from helpers.macho_builder import macho


def test_find_binaries_goes_by_content(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/b.so").write_bytes(elf())
    (tmp_path / "pkg/a.txt").write_bytes(macho())
    (tmp_path / "pkg/c.so").write_bytes(b"text")
    (tmp_path / "empty.so").write_bytes(b"")
    (tmp_path / "link.so").symlink_to("pkg/b.so")
    (tmp_path / "folder-link").symlink_to("pkg")
    os.mkfifo(tmp_path / "pipe.so")
    assert list(find_binaries(tmp_path)) == [tmp_path / "pkg/a.txt", tmp_path / "pkg/b.so"]


def test_read_file(tmp_path: Path) -> None:
    (tmp_path / "x.so").write_bytes(elf(needed=["liba.so"]))
    (binary,) = read_file(tmp_path / "x.so")
    assert binary.needed == ("liba.so",)
    assert binary.name == str(tmp_path / "x.so")


@pytest.mark.parametrize("make", ["missing", "empty", "folder"])
def test_what_cannot_be_read_is_a_format_error(tmp_path: Path, make: str) -> None:
    path = tmp_path / make
    if make == "empty":
        path.touch()
    elif make == "folder":
        path.mkdir()
    with pytest.raises(FormatError, match=make):
        read_file(path)


def test_a_damaged_file_is_closed_again(tmp_path: Path) -> None:
    (tmp_path / "x.so").write_bytes(elf()[:80])
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0
    for _ in range(5):
        with pytest.raises(FormatError):
            read_file(tmp_path / "x.so")
    after = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0
    assert after == before


def test_a_large_file_is_not_read_through(tmp_path: Path) -> None:
    path = tmp_path / "large.so"
    path.write_bytes(elf(needed=["liba.so"], symbols=[Sym(name="f")]))
    with path.open("r+b") as file:
        file.truncate(1 << 33)  # sparse: reading it through would take memory and minutes
    tracemalloc.start()
    with mapped(path) as data:
        (binary,) = read(data, str(path))
        assert [symbol.name for symbol in dynamic_symbols(binary, data)] == ["f"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_names_that_overlap_without_measure_are_refused() -> None:
    """1,000 names that begin one byte apart in one string would cost the square of its length."""
    long = "n" * 60_000
    tags = [(1, 1 + place) for place in range(1_000)]
    with pytest.raises(FormatError, match="without measure"):
        read(elf(needed=[long], extra=tags), "x")
