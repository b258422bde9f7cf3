"""Tars made to harm, inside .conda and .tar.bz2, and the layers around them."""

from __future__ import annotations

import bz2
import tarfile
import time
import tracemalloc
from functools import partial
from pathlib import Path

import pytest

from diptych.archives import Limits, open_package
from diptych.errors import FormatError
from diptych.zstd import zstd
from helpers.archive_makers import conda_from_tars, conda_info, make_tar_bz2, tar_bytes, zip_conda
from helpers.archive_raw import END, header, pax, pax_record, tarred

MIB = 1 << 20
INFO = tar_bytes(conda_info({}))
FILE = tarred("lib/file", b"contents")


def consume(path: Path, limits: Limits | None = None) -> dict[str, bytes]:
    with open_package(path, limits=limits or Limits()) as package:
        found = {member.name: content for member, content in package.walk(package.is_payload)}
        assert set(found) <= {member.name for member in package.members}
        return found


PAYLOADS = {
    "absolute": (tarred("/etc/passwd"), "the name is absolute"),
    "parent": (tarred("../x"), "leaves the archive"),
    "parent behind dot": (tarred("./../x"), "leaves the archive"),
    "backslash": (tarred("a\\b"), "backslash"),
    "drive": (tarred("c:x"), "drive letter"),
    "newline": (tarred("a\nb"), "control character"),
    "not utf-8": (tarred("a\udcff"), "not UTF-8"),
    "folder outside": (tarred("../d", kind=tarfile.DIRTYPE), "leaves the archive"),
    "twice": (FILE + FILE, 'member "lib/file": the name occurs more than once'),
    "below a file": (FILE + tarred("lib/file/below"), 'lies below "lib/file"'),
    "link out": (tarred("l", kind=tarfile.SYMTYPE, link="../../x"), "leaves the archive"),
    "link absolute": (tarred("l", kind=tarfile.SYMTYPE, link="/etc"), "leaves the archive"),
    "link circle": (tarred("l", kind=tarfile.SYMTYPE, link="l"), "circle"),
    "write through link": (
        tarred("l", kind=tarfile.SYMTYPE, link="lib") + tarred("l/x", b"x"),
        r'member "l/x": lies below "l"',
    ),
    "hard link out": (tarred("l", kind=tarfile.LNKTYPE, link="../../etc/passwd"), "no file before it"),
    "hard link forward": (tarred("l", kind=tarfile.LNKTYPE, link="lib/file") + FILE, "no file before it"),
    "hard link to link": (
        tarred("s", kind=tarfile.SYMTYPE, link="x") + tarred("l", kind=tarfile.LNKTYPE, link="s"),
        "no file before it",
    ),
    "device": (tarred("d", kind=tarfile.BLKTYPE), "a device, pipe"),
    "character device": (tarred("d", kind=tarfile.CHRTYPE), "a device, pipe"),
    "pipe": (tarred("d", kind=tarfile.FIFOTYPE), "a device, pipe"),
    "sparse": (tarred("d", kind=tarfile.GNUTYPE_SPARSE), "a device, pipe, sparse"),
    "unknown kind": (tarred("d", kind=b"Q"), "something unknown"),
    "link with contents": (tarred("l", b"x", kind=tarfile.SYMTYPE, link="y"), "1 bytes are impossible"),
    "folder with contents": (tarred("d", b"x", kind=tarfile.DIRTYPE), "1 bytes are impossible"),
    "negative size": (header("n", size=-1), "impossible|damaged"),
    "cut in contents": (header("n", size=5000) + b"x", 'member "n": truncated'),
    "damaged header": (b"x" * 512, "damaged"),
    "followed": (FILE + END + FILE, "something follows the end"),
    "pax cut": (pax(b"99 path=x\n") + FILE, "cannot be read"),
    "pax zero": (pax(b"0 path=x\n") + FILE, "cannot be read"),
    "pax text": (pax(b"hello") + FILE, "cannot be read"),
    "pax size": (pax(pax_record("size", "-5")) + FILE, "its size is '-5'"),
    "pax path": (pax(pax_record("path", "../../x")) + FILE, "leaves the archive"),
    "pax nul": (pax(pax_record("path", "a\0b")) + FILE, "control character"),
    "pax sparse": (pax(pax_record("GNU.sparse.major", "1")) + FILE, "sparse file"),
    "pax global path": (pax(pax_record("path", "x"), kind=tarfile.XGLTYPE) + FILE, "global header sets path"),
    "pax twice": (pax(pax_record("path", "x")) * 2 + FILE, "too many or too large"),
    "pax alone": (pax(pax_record("path", "x")), "without a member"),
    "pax huge": (header("pax", size=1 << 33, kind=tarfile.XHDTYPE) + FILE, "too many or too large"),
    "long name": (tarred("@", b"/abs\0", kind=tarfile.GNUTYPE_LONGNAME) + FILE, "the name is absolute"),
    "long link": (
        tarred("@", b"/abs\0", kind=tarfile.GNUTYPE_LONGLINK) + tarred("l", kind=tarfile.SYMTYPE, link="x"),
        "leaves the archive",
    ),
    "huge member": (header("n", size=3 << 30), "more than the limit"),
    "info in payload": (tarred("info/index.json", b"{}"), "occurs more than once|wrong one"),
    "smuggled info": (tarred("info/other", b"{}"), "wrong one of the two tars"),
}


@pytest.mark.parametrize("case", PAYLOADS)
def test_hostile_payload(tmp_path: Path, case: str) -> None:
    payload, cause = PAYLOADS[case]
    with pytest.raises(FormatError, match=cause) as caught:
        consume(conda_from_tars(tmp_path, INFO, payload + END))
    assert "pair-1.2-py311_0.conda" in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("case", [case for case in PAYLOADS if "info" not in case])
def test_hostile_old_package(tmp_path: Path, case: str) -> None:
    payload, cause = PAYLOADS[case]
    path = tmp_path / "pair-1.2-py311_0.tar.bz2"
    path.write_bytes(bz2.compress(INFO[: INFO.rindex(b"}") // 512 * 512 + 512] + payload + END))
    with pytest.raises(FormatError, match=cause):
        consume(path)


def test_members_without_an_end_mark_are_truncated(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="truncated"):
        consume(conda_from_tars(tmp_path, INFO, FILE))


@pytest.mark.parametrize(
    "payload",
    [
        FILE + END,
        FILE + END[:512],
        tarred("./lib/file", b"contents") + END + bytes(9000),
        tarred(".", kind=tarfile.DIRTYPE) + tarred("lib/", kind=tarfile.DIRTYPE) + FILE + END,
        pax(pax_record("path", "lib/file") + pax_record("mtime", "1.5")) + tarred("x", b"contents") + END,
        pax(pax_record("comment", "hello"), kind=tarfile.XGLTYPE) + FILE + END,
        tarred("@", b"lib/file\0", kind=tarfile.GNUTYPE_LONGNAME) + tarred("x", b"contents") + END,
    ],
)
def test_unusual_but_honest(tmp_path: Path, payload: bytes) -> None:
    assert consume(conda_from_tars(tmp_path, INFO, payload)) == {"lib/file": b"contents"}


def test_pax_size_counts(tmp_path: Path) -> None:
    payload = pax(pax_record("size", "8")) + header("lib/file") + b"contents" + bytes(504) + END
    assert consume(conda_from_tars(tmp_path, INFO, payload)) == {"lib/file": b"contents"}


def test_smuggled_payload(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="wrong one"):
        consume(conda_from_tars(tmp_path, tarred("lib/file") + INFO, FILE + END))


PACK = partial(zstd.compress, options={zstd.CompressionParameter.checksum_flag: 1})
PARTS = {
    "metadata.json": b'{"conda_pkg_format_version": 2}',
    "pkg-a-1-0.tar.zst": PACK(FILE + END),
    "info-a-1-0.tar.zst": PACK(INFO),
}
LAYERS: dict[str, tuple[dict[str, bytes | None], str]] = {
    "no metadata.json": ({"metadata.json": None}, "format version None, not 2"),
    "version 3": ({"metadata.json": b'{"conda_pkg_format_version": 3}'}, "format version 3, not 2"),
    "list": ({"metadata.json": b"[2]"}, "format version None"),
    "deep": ({"metadata.json": b"[" * 10**6}, "format version None"),
    "no payload": ({"pkg-a-1-0.tar.zst": None}, r"0 members are called pkg-\*"),
    "two infos": ({"info-b-1-0.tar.zst": b""}, r"2 members are called info-\*"),
    "empty": ({"pkg-a-1-0.tar.zst": b""}, "cut off"),
    "not zstd": ({"pkg-a-1-0.tar.zst": FILE}, "damaged: Unable to decompress Zstandard"),
    "cut": ({"pkg-a-1-0.tar.zst": PARTS["pkg-a-1-0.tar.zst"][:-1]}, "cut off"),
    "followed": (
        {"pkg-a-1-0.tar.zst": PARTS["pkg-a-1-0.tar.zst"] + b"garbage"},
        "damaged: Unable to decompress Zstandard",
    ),
    "checksum": (
        {"pkg-a-1-0.tar.zst": PARTS["pkg-a-1-0.tar.zst"][:-4] + b"abcd"},
        "damaged: Unable to decompress Zstandard",
    ),
    "empty info": ({"info-a-1-0.tar.zst": PACK(END)}, "has no name"),
}


@pytest.mark.parametrize("case", LAYERS)
def test_hostile_layers(tmp_path: Path, case: str) -> None:
    changes, cause = LAYERS[case]
    parts = {name: data for name, data in {**PARTS, **changes}.items() if data is not None}
    with pytest.raises(FormatError, match=cause):
        consume(zip_conda(tmp_path / "a-1-0.conda", parts))


def test_several_frames_are_one_stream(tmp_path: Path) -> None:
    data = FILE + END
    parts = {
        **PARTS,
        "pkg-a-1-0.tar.zst": b"".join(PACK(data[at : at + 300]) for at in range(0, len(data), 300)),
    }
    assert consume(zip_conda(tmp_path / "a-1-0.conda", parts)) == {"lib/file": b"contents"}


def test_several_bzip2_streams_are_one(tmp_path: Path) -> None:
    path = make_tar_bz2(tmp_path)
    data = bz2.decompress(path.read_bytes())
    whole = consume(path)
    path.write_bytes(b"".join(bz2.compress(data[at : at + 5000]) for at in range(0, len(data), 5000)))
    assert consume(path) == whole


def test_a_huge_zstd_window_is_refused(tmp_path: Path) -> None:
    wide: dict[int, int] = {
        zstd.CompressionParameter.window_log: 28,
        zstd.CompressionParameter.enable_long_distance_matching: 1,
    }
    codec = zstd.ZstdCompressor(
        options=wide
    )  # a stream: with its size known, the window would be as small as it
    data = codec.compress(FILE + END) + codec.flush()
    with pytest.raises(FormatError, match="too much memory"):
        consume(zip_conda(tmp_path / "a-1-0.conda", {**PARTS, "pkg-a-1-0.tar.zst": data}))


def _zeros(count: int) -> bytes:
    codec = zstd.ZstdCompressor(level=1)
    head = header("zeros", size=count)
    first = codec.compress(head)
    body = [codec.compress(bytes(MIB)) for _ in range(count // MIB)]
    return b"".join([first, *body, codec.flush()])


def test_bombs_are_stopped_early_in_little_memory(tmp_path: Path) -> None:
    path = zip_conda(tmp_path / "a-1-0.conda", {**PARTS, "pkg-a-1-0.tar.zst": _zeros(500 * MIB)})
    tracemalloc.start()
    try:
        with open_package(path) as package, pytest.raises(FormatError, match="a bomb"):
            _ = package.members
        # One piece of at most 32 MiB, and the reader's own slice of it.
        assert tracemalloc.get_traced_memory()[1] < 100 * MIB
    finally:
        tracemalloc.stop()


def test_a_bzip2_bomb(tmp_path: Path) -> None:
    path = tmp_path / "a-1-0.tar.bz2"
    path.write_bytes(bz2.compress(header("zeros", size=100 * MIB) + bytes(100 * MIB)))
    with pytest.raises(FormatError, match="a bomb"):
        consume(path)


@pytest.mark.parametrize(
    ("limits", "cause"),
    [
        (Limits(max_total=3000), "inflates to more than the limit of 3000 bytes"),
        (Limits(max_members=9), "more than 9 members"),
        (Limits(max_names=50), "the names take more than 50 bytes"),
    ],
)
def test_limits(tmp_path: Path, limits: Limits, cause: str) -> None:
    payload = b"".join(tarred(f"lib/number-{number}") for number in range(20)) + END
    path = conda_from_tars(tmp_path, INFO, payload)
    with pytest.raises(FormatError, match=cause):
        consume(path, limits)


def test_ten_thousand_folders_are_counted(tmp_path: Path) -> None:
    payload = b"".join(tarred(f"d{number}/", kind=tarfile.DIRTYPE) for number in range(100)) + END
    with pytest.raises(FormatError, match="more than 50 members"):
        consume(conda_from_tars(tmp_path, INFO, payload), Limits(max_members=50))


def test_hashing_every_member_takes_one_pass(tmp_path: Path) -> None:
    payload = b"".join(tarred(f"lib/{number}", bytes([number % 256]) * 20_000) for number in range(400)) + END
    started = time.process_time()
    with open_package(conda_from_tars(tmp_path, INFO, payload)) as package:
        assert len({member.sha256 for member in package.payload}) == 256
    assert time.process_time() - started < 5
