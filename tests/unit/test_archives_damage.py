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
from helpers.archive_makers import FILES, make_conda, make_tar_bz2, make_wheel

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
    # Checksums guard contents, not names, modes and times: a zip's name bits are in no CRC.
    assert found is None or sorted(found.values()) == sorted(FILES.values()) or kind == "wheel"


@pytest.mark.parametrize("kind", ARCHIVES)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_spliced(kind: str, data: st.DataObject) -> None:
    """Parts overwritten, repeated or cut out: where headers contradict each other."""
    name, whole = ARCHIVES[kind]
    start, end, to = sorted(data.draw(st.lists(st.integers(0, len(whole)), min_size=3, max_size=3)))
    filling = data.draw(st.one_of(st.just(b""), st.just(whole[end:to]), st.binary(max_size=40)))
    payload(name, whole[:start] + filling + whole[end:])


@settings(deadline=None, max_examples=100)
@given(kind=st.sampled_from(sorted(ARCHIVES)), data=st.binary(max_size=600))
def test_anything_at_all(kind: str, data: bytes) -> None:
    assert payload(ARCHIVES[kind][0], data) is None
