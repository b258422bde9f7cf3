"""Room for load commands: what a relink may add to a Mach-O file."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych.binaries import header_room, read
from diptych.binaries.macho_room import dylib_size, rpath_size
from diptych.errors import RelinkError
from diptych.relink.editors import InstallNameTool
from diptych.relink.plan import FilePlan
from helpers.elf_builder import elf
from helpers.macho_builder import macho


def test_room_ends_at_the_first_section() -> None:
    data = macho(rpath=["@loader_path"], text=b"\xc0\x03\x5f\xd6" * 4)
    (binary,) = read(data, "x.dylib")
    text = next(section for section in binary.sections if section.stored)
    assert 0 <= header_room(binary, data) < 16, "the builder puts the code at the next multiple of eight"
    assert data[text.offset : text.offset + 4] == b"\xc0\x03\x5f\xd6"
    assert header_room(read(elf(), "x.so")[0], elf()) == 0


@pytest.mark.parametrize(("text", "size"), [("", 16), ("abc", 16), ("abcd", 24), ("@loader_path", 32)])
def test_commands_are_rounded_to_words(text: str, size: int) -> None:
    assert rpath_size(text) == size
    assert dylib_size(text) in {size + 8, size + 16}


def test_a_plan_that_would_reach_into_the_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.dylib"
    data = macho(rpath=["@loader_path"])
    path.write_bytes(data)
    plan = FilePlan(name="x.dylib", rpath=("/a/long/folder/name/that/is/not/there", "@loader_path"))
    with pytest.raises(RelinkError, match="no room") as caught:
        InstallNameTool(env={}).edit(plan, path)
    assert "bytes are free before the code, 56 are wanted" in caught.value.details[0]
    assert path.read_bytes() == data
