"""Differences of builds: crafted pairs of packages, each with one known difference."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest

from diptych.reproduce.causes import causes
from diptych.reproduce.differences import PackageDifference, differences_of
from helpers.archive_makers import FILES, conda_info, make_conda, make_wheel, wheel_files
from helpers.elf_builder import elf


def blamed(folder: Path, one: bytes, other: bytes, name: str = "pair/made.txt") -> list[tuple[str, str, str]]:
    first, second = (folder / name for name in ("a", "b"))
    for place in (first, second):
        place.mkdir()
    wheels = [
        make_wheel(place, wheel_files({**FILES, name: content}))
        for place, content in ((first, one), (second, other))
    ]
    faults = differences_of(wheels[0], wheels[1])
    return [(fault.member, fault.section, fault.cause) for fault in faults if fault.cause != "follows"]


@pytest.mark.parametrize(
    ("one", "other", "cause"),
    [
        (b"made in /home/ann/src/x\n", b"made in /srv/ci/b/x\n", "path"),
        (b"built 2026-11-23T20:48:28Z\n", b"built 2026-11-24T01:02:03Z\n", "time"),
        (b"built Nov 23 2026 20:48:28\n", b"built Nov 24 2026 01:02:03\n", "time"),
        (b'{"timestamp": 1795467108}', b'{"timestamp": 1795467999}', "time"),
        (b"b\na\nc\n", b"a\nb\nc\n", "order"),
        (b'{"needs": ["b", "a"]}', b'{"needs": ["a", "b"]}', "order"),
        (b"Generator: tool 1.2.3\n", b"Generator: tool 1.3.0\n", "tool"),
        (b"red\n", b"blue\n", "contents"),
        (b"\0\1" + struct.pack("<HI", 3, 1795467108), b"\0\1" + struct.pack("<HI", 3, 1795467999), "time"),
    ],
)
def test_each_cause_is_named(tmp_path: Path, one: bytes, other: bytes, cause: str) -> None:
    assert blamed(tmp_path, one, other) == [("pair/made.txt", "whole", cause)]


def test_two_causes_in_one_file_are_both_named() -> None:
    one = b"in /home/ann/x\nat 2026-11-23\n"
    assert causes(one, b"in /srv/y/z\nat 2026-11-24\n") == ("path", "time")


def test_a_known_folder_is_a_path_whatever_it_looks_like() -> None:
    assert causes(b"x=C:w;", b"x=D:much:longer;", (["C:w"], ["D:much:longer"])) == ("path",)


def test_a_path_in_byte_code_is_found_though_lengths_differ(tmp_path: Path) -> None:
    codes = []
    for path in ("/srv/one/pair.py", "/srv/another/folder/pair.py"):
        body = b"\0\0\0\0\xe3\0\0code" + struct.pack("<I", len(path)) + path.encode() + b"\0\0"
        codes.append(bytes(16) + body)
    name = "pair/__pycache__/x.cpython-311.pyc"
    assert blamed(tmp_path, codes[0], codes[1], name) == [(name, "code", "path")]


def test_a_time_in_the_header_of_byte_code(tmp_path: Path) -> None:
    codes = [
        b"\xa7\r\r\n\0\0\0\0" + struct.pack("<II", stamp, 9) + b"same" for stamp in (1795467108, 1795467999)
    ]
    name = "pair/__pycache__/x.cpython-311.pyc"
    assert blamed(tmp_path, codes[0], codes[1], name) == [(name, "header", "time")]


@pytest.mark.parametrize(
    ("one", "other", "section", "cause"),
    [
        (elf(text=b"\xc3/home/ann/build/x\0"), elf(text=b"\xc3/home/bob/build/x\0"), ".text", "path"),
        (elf(text=b"\xc3Nov 23 2026\0"), elf(text=b"\xc3Nov 24 2026\0"), ".text", "time"),
        (elf(text=b"\xc3" * 8), elf(text=b"\x90" * 8), ".text", "contents"),
        (elf(), elf().replace(b"(test) 1.0", b"(test) 2.0"), ".comment", "tool"),
        (elf(rpath="/home/ann/lib"), elf(rpath="/home/bob/lib"), "outside the sections", "path"),
    ],
)
def test_the_section_of_a_binary_is_named(
    tmp_path: Path, one: bytes, other: bytes, section: str, cause: str
) -> None:
    assert blamed(tmp_path, one, other, "pair/_x.so") == [("pair/_x.so", section, cause)]


def test_identical_files_have_nothing_to_blame(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    assert differences_of(wheel, wheel) == ()


def test_a_missing_member_is_told_with_its_side(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    one = make_wheel(tmp_path, wheel_files({**FILES, "pair/extra": b"x"}))
    (fault, *_) = differences_of(one, make_wheel(tmp_path / "b"))
    assert (fault.member, fault.cause, fault.detail) == ("pair/extra", "missing", "only in the first")


def rezipped(
    source: Path, target: Path, *, backwards: bool = False, year: int = 1980, level: int = 6
) -> Path:
    with (
        zipfile.ZipFile(source) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist()[:: -1 if backwards else 1]:
            fresh = zipfile.ZipInfo(entry.filename, (year, 1, 1, 0, 0, 0))
            fresh.external_attr, fresh.compress_type = entry.external_attr, zipfile.ZIP_DEFLATED
            new.writestr(fresh, old.read(entry), compresslevel=level)
    return target


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"backwards": True}, ("zip", "order")),
        ({"year": 1999}, ("zip", "time")),
        ({"level": 0}, ("compressed bytes", "tool")),
    ],
)
def test_the_container_is_blamed(tmp_path: Path, options: dict[str, int], expected: tuple[str, str]) -> None:
    original = make_wheel(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one = rezipped(original, tmp_path / "a" / original.name)
    other = rezipped(original, tmp_path / "b" / original.name, **options)  # type: ignore[arg-type]
    (fault,) = differences_of(one, other)
    assert (fault.member, fault.section, fault.cause) == ("", *expected)


def test_order_in_the_tar_of_a_conda_package(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    info = conda_info()
    one = make_conda(tmp_path, FILES, info=info)
    other = make_conda(tmp_path / "b", dict(list(FILES.items())[::-1]), info=info)
    (fault,) = differences_of(one, other)
    assert isinstance(fault, PackageDifference)
    assert (fault.section, fault.cause) == ("pkg-pair-1.2-py311_0.tar.zst", "order")
