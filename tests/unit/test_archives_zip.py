"""Zip files made to harm, or to be read in two ways: each is refused with member and cause."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from diptych.archives import Limits, open_package
from diptych.errors import FormatError
from helpers.archive_raw import End, Zipped, deflated, raw_zip

INFO = Zipped(name=b"a-1.dist-info/METADATA", data=b"Metadata-Version: 2.1\nName: a\nVersion: 1\n")
MIB = 1 << 20
WIDE_EXTRA = b"\1\0\x10\0" + (5).to_bytes(8, "little") + (7).to_bytes(8, "little")


def consume(folder: Path, data: bytes, limits: Limits | None = None) -> dict[str, bytes]:
    path = folder / "a-1-py3-none-any.whl"
    path.write_bytes(data)
    with open_package(path, limits=limits or Limits()) as package:
        return {member.name: content for member, content in package.walk(lambda _: True)}


def bad(**fields: object) -> list[Zipped]:
    return [Zipped(**{"name": b"bad", "data": b"data" * 9, **fields}), INFO]  # type: ignore[arg-type]


MEMBERS = {
    "absolute": (bad(name=b"/etc/passwd"), "the name is absolute"),
    "parent": (bad(name=b"a/../../b"), r'leaves the archive by "\.\."'),
    "just parent": (bad(name=b".."), r'leaves the archive by "\.\."'),
    "dot": (bad(name=b"a/./b"), r'empty or "\." part'),
    "double slash": (bad(name=b"a//b"), r'empty or "\." part'),
    "empty": (bad(name=b""), "the name is empty"),
    "slash": (bad(name=b"/", data=b"", mode=0), "the name is empty"),
    "backslash": (bad(name=b"a\\..\\b"), "backslash"),
    "drive": (bad(name=b"C:evil"), "drive letter"),
    "nul": (bad(name=b"good.py\0.so"), "control character"),
    "escape": (bad(name=b"a\x1b[2Jb"), "control character"),
    "c1": (bad(name="a\u0085b".encode()), "control character"),
    "not utf-8": (bad(name=b"\xff\xfe"), "not UTF-8, but says so"),
    "long": (bad(name=b"a/" * 600 + b"a"), "longer than 1024 bytes"),
    "long part": (bad(name=b"a" * 256), "a part of the name is longer"),
    "deep": (bad(name=b"a/" * 65 + b"a"), "more than 64 folders deep"),
    "twice": ([*bad(), *bad()], "occurs more than once"),
    "file and folder": (
        [*bad(), Zipped(name=b"bad/", data=b"", mode=0o40755, method=0)],
        "is a file and a folder",
    ),
    "below a file": ([*bad(), Zipped(name=b"bad/below")], r'lies below "bad", which is not a folder'),
    "below a link": (
        [Zipped(name=b"l", data=b".", mode=0o120777), Zipped(name=b"l/x"), INFO],
        r'member "l/x": lies below "l"',
    ),
    "link up": (bad(mode=0o120777, data=b"../x"), r'link to "\.\./x" leaves'),
    "link absolute": (bad(mode=0o120777, data=b"/etc/passwd"), "leaves the archive"),
    "link long": (bad(mode=0o120777, data=b"x" * 2000), "very long target"),
    "link not utf-8": (bad(mode=0o120777, data=b"\xff"), "not UTF-8"),
    "link empty": (bad(mode=0o120777, data=b""), "leaves the archive"),
    "device": (bad(mode=0o60644), "a device, pipe or socket"),
    "pipe": (bad(mode=0o10644), "a device, pipe or socket"),
    "folder with contents": (bad(name=b"bad/"), "a folder by its name, but not by its contents"),
    "folder by mode": (bad(mode=0o40755), "a folder by its mode, but not by its name"),
    "encrypted": (bad(flags=1), "encrypted"),
    "strongly encrypted": (bad(flags=1 << 6 | 1), "encrypted"),
    "lzma": (bad(method=14), "compression method 14 is unknown"),
    "zstd": (bad(method=93), "compression method 93 is unknown"),
    "bad crc": (bad(crc=1), "CRC-32 is wrong"),
    "inflates to more": (bad(size=10), "inflates to more than the 10 bytes announced"),
    "inflates to less": (bad(size=1000), "inflates to 36 bytes, but announces 1000"),
    "stored lies": (bad(method=0, size=10), "stored in 36 bytes, but announces 10"),
    "stored short": (bad(method=0, packed=b"data", packed_size=36), "overlaps|truncated"),
    "deflate damaged": (bad(packed=b"\xff" * 20), "damaged"),
    "deflate cut": (bad(packed=deflated(b"data" * 9)[:-3]), "cut off"),
    "deflate followed": (bad(packed=deflated(b"data" * 9) + b"more"), "something follows"),
    "no deflate": (bad(packed=b""), "cut off"),
    "other local name": (bad(local_name=b"cad"), "local header and directory disagree"),
    "other local size": (bad(local_size=7), "local header and directory disagree"),
    "no local header": (bad(local_signature=b"PK\1\2"), "no local header"),
    "beyond the end": (bad(offset=10**6), "overlaps"),
    "same bytes": (
        [*bad(), Zipped(name=b"two", data=b"data" * 9, offset=0), INFO],
        "overlaps the next member",
    ),
    "partly": ([*bad(), Zipped(name=b"two", data=b"data" * 9, offset=20), INFO], "overlaps the next member"),
    "other part": (bad(disk=3), "lies in another part"),
    "zip64 sizes missing": (bad(size=0xFFFFFFFF), "zip64: its sizes are missing"),
    "extra overrun": (bad(extra=b"\1\0\xff\0abc"), "extra fields do not fit"),
    "extra twice": (bad(extra=b"\7\0\0\0" * 2), "extra fields do not fit"),
    "second name": (bad(extra=b"\x75\x70\x08\0" + b"\1\0\0\0\0two"), "second, different name"),
    "zip64 lies": (
        bad(size=0xFFFFFFFF, packed_size=0xFFFFFFFF, extra=WIDE_EXTRA),
        "something follows|announces|truncated|cut off",
    ),
}


@pytest.mark.parametrize("case", MEMBERS)
def test_hostile_members(tmp_path: Path, case: str) -> None:
    members, cause = MEMBERS[case]
    with pytest.raises(FormatError, match=cause) as caught:
        consume(tmp_path, raw_zip(members))
    assert "a-1-py3-none-any.whl" in str(caught.value)
    assert "member " in str(caught.value)
    assert str(caught.value).isprintable()


ENDS = {
    "empty": (b"", "not a zip file"),
    "text": (b"PK but no zip" * 50, "not a zip file"),
    "no end": (raw_zip([INFO])[:-22], "not a zip file"),
    "short end": (raw_zip([INFO])[:-1], "not a zip file"),
    "followed": (raw_zip([INFO], End(after=b"more")), "something follows the end record"),
    "short comment": (raw_zip([INFO], End(announced_comment=5)), "truncated, or something follows"),
    "prepended": (b"#!/bin/sh\n" + raw_zip([INFO]), "not where the end record says"),
    "disk": (raw_zip([INFO], End(disk=1)), "one part of several"),
    "fewer announced": (raw_zip([INFO, Zipped(name=b"x")], End(count=1)), "2 entries, but announces 1"),
    "more announced": (raw_zip([INFO], End(count=9)), "1 entries, but announces 9"),
    "too many announced": (raw_zip([INFO], End(count=60000)), "more than 1000 members"),
    "directory size": (raw_zip([INFO], End(size=10)), "not where the end record says"),
    "directory offset": (raw_zip([INFO], End(offset=10**9)), "not where the end record says"),
    "directory cut": (
        raw_zip([INFO], End(size=20, offset=len(raw_zip([INFO])) - 42)),
        "directory is cut off",
    ),
    "zip64 disagrees": (raw_zip([INFO], End(wide=True, count=2)), "two end records disagree"),
    "zip64 count": (raw_zip([INFO], End(wide=True, count=0xFFFF, wide_count=3)), "announces 3"),
    "zip64 without": (raw_zip([INFO], End(count=0xFFFF)), "one part of several|more than 1000|announces"),
}


@pytest.mark.parametrize("case", ENDS)
def test_hostile_ends(tmp_path: Path, case: str) -> None:
    data, cause = ENDS[case]
    with pytest.raises(FormatError, match=cause):
        consume(tmp_path, data, Limits(max_members=1000))


@pytest.mark.parametrize(
    "data",
    [
        raw_zip([INFO]),
        raw_zip([INFO], End(comment=b"a comment")),
        raw_zip([INFO], End(wide=True)),
        raw_zip([INFO], End(wide=True, count=0xFFFF, size=0xFFFFFFFF, offset=0xFFFFFFFF)),
        raw_zip([INFO], before=b"#!/bin/sh\n"),
        raw_zip([Zipped(name=b"l", data=b"a-1.dist-info/METADATA", mode=0o120777), INFO]),
        raw_zip([Zipped(name=b"d/", mode=0o40755, method=0), Zipped(name=b"d/\x81", flags=0), INFO]),
    ],
)
def test_unusual_but_honest(tmp_path: Path, data: bytes) -> None:
    assert consume(tmp_path, data)["a-1.dist-info/METADATA"] == INFO.data


def test_a_bomb_is_refused_by_what_it_announces(tmp_path: Path) -> None:
    zeros = bytes(100 * MIB)
    with pytest.raises(FormatError, match="a bomb"):
        consume(tmp_path, raw_zip([Zipped(name=b"zeros", data=zeros), INFO]))
    with pytest.raises(FormatError, match="limit of 1048576 bytes"):
        consume(tmp_path, raw_zip([Zipped(name=b"zeros", data=zeros), INFO]), Limits(max_total=MIB))


def test_a_lying_bomb_is_stopped_early(tmp_path: Path) -> None:
    data = raw_zip([Zipped(name=b"zeros", data=bytes(200 * MIB), size=1000), INFO])
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="more than the 1000 bytes announced"):
            consume(tmp_path, data)
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()


def test_many_entries_are_counted_while_reading(tmp_path: Path) -> None:
    members = [Zipped(name=b"%d" % number, method=0) for number in range(50)]
    with pytest.raises(FormatError, match="more than 20 members"):
        consume(tmp_path, raw_zip(members, End(count=5)), Limits(max_members=20))


@pytest.mark.parametrize(
    ("links", "cause"),
    [
        ({"a": "a"}, "runs in a circle"),
        ({"a": "b", "b": "a"}, "runs in a circle"),
        ({"d/e/y": "../..", "x": "d/e/y/../z"}, "leaves the archive"),
        ({"x": "d/../../z"}, "leaves the archive"),
        ({"x": "C:/z"}, "leaves the archive"),
    ],
)
def test_links_through_links(tmp_path: Path, links: dict[str, str], cause: str) -> None:
    members = [Zipped(name=k.encode(), data=v.encode(), mode=0o120777) for k, v in links.items()]
    with pytest.raises(FormatError, match=cause):
        consume(tmp_path, raw_zip([*members, INFO]))


def test_links_that_stay_inside(tmp_path: Path) -> None:
    links = {
        "lib/a.so": "a.so.1",
        "lib/a.so.1": "a.so.1.2",
        "d/e/up": "../..",
        "x": "d/e/up/lib/a.so",
        "gone": "no",
    }
    members = [Zipped(name=k.encode(), data=v.encode(), mode=0o120777) for k, v in links.items()]
    assert set(consume(tmp_path, raw_zip([*members, INFO]))) == {"a-1.dist-info/METADATA"}


def test_a_great_tangle_of_links_takes_no_great_time(tmp_path: Path) -> None:
    deep = "/".join(["x"] * 400)
    members = [
        Zipped(name=b"%d" % number, data=f"{number + 1}/../{deep}".encode(), mode=0o120777)
        for number in range(3000)
    ]
    with pytest.raises(FormatError, match=r"circle|too often"):
        consume(tmp_path, raw_zip([*members, INFO]))
