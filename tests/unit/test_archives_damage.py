"""Whatever happens to an archive on its way: a FormatError or the right contents, never another exception."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diptych.archives import Limits, open_package, verify_record
from diptych.errors import FormatError
from helpers.archive_makers import (
    FILES,
    conda_from_tars,
    conda_info,
    make_conda,
    make_tar_bz2,
    make_wheel,
    tar_bytes,
)

MAKERS: dict[str, Callable[[Path], Path]] = {
    "wheel": make_wheel,
    "conda": make_conda,
    "tar.bz2": make_tar_bz2,
}
LIMITS = Limits(max_total=1 << 24, max_member=1 << 22, max_metadata=1 << 20)


def _made(kind: str) -> tuple[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = MAKERS[kind](Path(folder))
        return path.name, path.read_bytes()


ARCHIVES = {kind: _made(kind) for kind in MAKERS}


def payload(name: str, data: bytes) -> dict[str, bytes] | None:
    """Read everything there is to read; None if the archive is refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        try:
            with open_package(path, limits=LIMITS) as package:
                _ = package.collisions, package.size, package.tags, package.metadata.metadata
                _ = package.metadata.about, package.metadata.run_exports, package.metadata.link
                verify_record(package)
                for member in package.members:
                    if member.link is None or member.hard:
                        package.head(member, 3)
                return {member.name: content for member, content in package.walk(package.is_payload)}
        except FormatError as error:
            assert name in str(error)  # noqa: PT017 -- the property under test
            return None


@pytest.mark.parametrize("kind", ARCHIVES)
def test_undamaged(kind: str) -> None:
    assert payload(*ARCHIVES[kind]) == FILES


@pytest.mark.parametrize("kind", ARCHIVES)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_truncated(kind: str, data: st.DataObject) -> None:
    name, whole = ARCHIVES[kind]
    length = data.draw(st.integers(0, len(whole) - 1))
    assert payload(name, whole[:length]) is None


@pytest.mark.parametrize("kind", ARCHIVES)
@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_flipped_bits(kind: str, data: st.DataObject) -> None:
    name, whole = ARCHIVES[kind]
    places = st.integers(0, len(whole) * 8 - 1)
    changed = bytearray(whole)
    for place in data.draw(st.lists(places, min_size=1, max_size=4, unique=True)):
        changed[place // 8] ^= 1 << place % 8
    found = payload(name, bytes(changed))
    # Checksums guard contents, not modes: a bit can make a zip's file a link, which is not walked.
    assert found is None or set(found.values()) <= set(FILES.values())


@pytest.mark.parametrize("kind", ARCHIVES)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_spliced(kind: str, data: st.DataObject) -> None:
    """Parts overwritten, repeated or cut out: where headers contradict each other."""
    name, whole = ARCHIVES[kind]
    start, end, to = sorted(data.draw(st.lists(st.integers(0, len(whole)), min_size=3, max_size=3)))
    filling = data.draw(st.one_of(st.just(b""), st.just(whole[end:to]), st.binary(max_size=40)))
    payload(name, whole[:start] + filling + whole[end:])


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_flipped_bits_inside_a_tar(data: st.DataObject) -> None:
    """What is packed after the damage was done has right checksums around it."""
    info, whole = tar_bytes(conda_info()), bytearray(tar_bytes(FILES, {"pair/link": "data"}))
    headers = [at for at in range(0, len(whole), 512) if whole[at + 257 : at + 262] == b"ustar"]
    at = data.draw(st.sampled_from(headers))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[at + data.draw(st.integers(0, 511))] = data.draw(st.sampled_from(b"\0 /.:0157xgLK\x80\xff"))
    if data.draw(st.booleans()):  # else the header's checksum is usually wrong
        whole[at + 148 : at + 156] = b" " * 8
        whole[at + 148 : at + 156] = b"%06o\0 " % sum(whole[at : at + 512])
    with tempfile.TemporaryDirectory() as folder:
        path = conda_from_tars(Path(folder), info, bytes(whole))
        payload(path.name, path.read_bytes())


@settings(deadline=None, max_examples=100)
@given(kind=st.sampled_from(sorted(ARCHIVES)), data=st.binary(max_size=600))
def test_anything_at_all(kind: str, data: bytes) -> None:
    assert payload(ARCHIVES[kind][0], data) is None
