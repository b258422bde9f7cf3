"""A source distribution gets one form of its bytes, and what pip would refuse is refused here."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from diptych.archives import open_package
from diptych.errors import DiptychError, FormatError, PackageError
from diptych.packages.sdist import settle, version_of
from diptych.reproduce.differences import differences_of
from diptych.store import sha256_file

EPOCH = 1_700_000_000
Entry = tuple[str, bytes, bytes, str]


def entry(name: str, content: bytes = b"", *, kind: bytes = tarfile.REGTYPE, link: str = "") -> Entry:
    return name, content, kind, link


def raw(path: Path, entries: list[Entry], *, mtime: int = 5, uid: int = 1000, mode: int = 0o600) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content, kind, link in entries:
            info = tarfile.TarInfo(name)
            info.size, info.type, info.linkname = len(content), kind, link
            info.mtime, info.uid, info.mode, info.uname = mtime, uid, mode, "ann"
            tar.addfile(info, io.BytesIO(content) if content else None)
    return path


GOOD = [entry("pair-1.0", kind=tarfile.DIRTYPE), entry("pair-1.0/b.txt", b"b"), entry("pair-1.0/a/run", b"a")]


def test_the_same_contents_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "one" / "pair-1.0.tar.gz", tmp_path / "two" / "pair-1.0.tar.gz"
    settle(raw(tmp_path / "1.tar.gz", GOOD), one, epoch=EPOCH)
    settle(raw(tmp_path / "2.tar.gz", GOOD[::-1], mtime=9, uid=0, mode=0o644), two, epoch=EPOCH)
    assert sha256_file(one) == sha256_file(two)
    with tarfile.open(one) as tar:
        assert tar.getnames() == ["pair-1.0/a/run", "pair-1.0/b.txt"]
        assert {(one.mtime, one.uid, one.uname, one.mode) for one in tar} == {(EPOCH, 0, "", 0o644)}


def test_what_may_be_run_stays_so(tmp_path: Path) -> None:
    target = tmp_path / "out" / "pair-1.0.tar.gz"
    settle(raw(tmp_path / "1.tar.gz", GOOD, mode=0o700), target, epoch=EPOCH)
    with tarfile.open(target) as tar:
        assert {one.mode for one in tar} == {0o755}


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (entry("other-1.0/a", b"a"), "outside the folder"),
        (entry("pair-1.0/../../etc/passwd", b"a"), "etc/passwd"),
        (entry("/pair-1.0/a", b"a"), "pair-1.0/a"),
        (entry("pair-1.0/b.txt", b"again"), "pair-1.0/b.txt"),
        (entry("pair-1.0/dev", kind=tarfile.CHRTYPE), "pair-1.0/dev"),
        (entry("pair-1.0/a/up", kind=tarfile.SYMTYPE, link="../../outside"), "pair-1.0/a/up"),
        (entry("pair-1.0/abs", kind=tarfile.SYMTYPE, link="/etc/passwd"), "pair-1.0/abs"),
    ],
    ids=[
        "other folder",
        "upwards",
        "absolute",
        "twice",
        "device",
        "link upwards",
        "absolute link",
    ],
)
def test_members_that_pip_would_refuse(tmp_path: Path, bad: Entry, words: str) -> None:
    target = tmp_path / "out" / "pair-1.0.tar.gz"
    with pytest.raises(DiptychError, match=words):
        settle(raw(tmp_path / "1.tar.gz", [*GOOD, bad]), target, epoch=EPOCH)
    assert not target.parent.exists() or not list(target.parent.iterdir())


def test_a_link_inside_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "out" / "pair-1.0.tar.gz"
    link = entry("pair-1.0/a/up", kind=tarfile.SYMTYPE, link="../b.txt")
    settle(raw(tmp_path / "1.tar.gz", [*GOOD, link]), target, epoch=EPOCH)
    with tarfile.open(target) as tar:
        assert tar.getmember("pair-1.0/a/up").linkname == "../b.txt"


def test_what_differs_is_blamed(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    one = raw(folders[0] / "pair-1.0.tar.gz", GOOD)
    later = raw(folders[1] / "pair-1.0.tar.gz", GOOD, mtime=9)
    assert [(fault.section, fault.cause) for fault in differences_of(one, later)] == [("tar", "time")]
    edited = [*GOOD[:2], entry("pair-1.0/a/run", b"made in /home/ann/x")]
    other = raw(folders[1] / "pair-1.0.tar.gz", edited)
    assert [(fault.member, fault.cause) for fault in differences_of(one, other)] == [
        ("pair-1.0/a/run", "contents")
    ]
    assert not differences_of(one, one)


def test_damage_is_told(tmp_path: Path) -> None:
    whole = raw(tmp_path / "pair-1.0.tar.gz", GOOD).read_bytes()
    cut = tmp_path / "cut" / "pair-1.0.tar.gz"
    cut.parent.mkdir()
    for content in (
        whole[:-12],
        whole[: len(whole) // 2] + b"\xff\xff" + whole[len(whole) // 2 + 2 :],
        b"",
        b"no archive",
    ):
        cut.write_bytes(content)
        with pytest.raises(FormatError), open_package(cut) as package:
            list(package.walk(lambda _: True))


def test_the_version_is_in_the_name(tmp_path: Path) -> None:
    assert version_of(tmp_path / "my_pair-1.0rc1.tar.gz") == "1.0rc1"
    with pytest.raises(PackageError, match=r"NAME-VERSION\.tar\.gz"):
        version_of(tmp_path / "pair.zip")
