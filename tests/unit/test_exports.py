"""What a package of a library promises to those who link it."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych.packages.exports import shared_names, upper_bound
from helpers.elf_builder import elf


@pytest.mark.parametrize(
    ("version", "names", "bound"),
    [
        ("3.1.0", ["libx.so.3.1"], "x.x"),
        ("3.1.0", ["libx.so.3"], "x"),
        ("3.1.0", ["libx.so.3", "liby.so.3.1"], "x.x"),
        ("3.1.0", ["libx.so"], "x.x.x"),
        ("3.1.0", ["libx.so.7"], "x.x.x"),
        ("3.1", ["libx.so.7"], "x.x.x"),
        ("3.1.0.post2", ["libx.so.3.1.0"], "x.x.x"),
        ("3.1.0", ["libx.3.dylib"], "x"),
    ],
)
def test_how_much_of_the_version_stays(version: str, names: list[str], bound: str) -> None:
    assert upper_bound(version, names) == bound


def test_the_libraries_that_others_can_link(tmp_path: Path) -> None:
    (tmp_path / "lib" / "cmake").mkdir(parents=True)
    (tmp_path / "lib" / "libx.so.3.1").write_bytes(elf(soname="libx.so.3"))
    (tmp_path / "lib" / "libx.so").symlink_to("libx.so.3.1")
    (tmp_path / "lib" / "plugin.so").write_bytes(elf())
    (tmp_path / "lib" / "text.so").write_bytes(b"INPUT(libx.so.3)")
    assert shared_names(tmp_path) == ()  # there are no headers
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "x.hpp").write_text("")
    assert shared_names(tmp_path) == ("libx.so.3",)
