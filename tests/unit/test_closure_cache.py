from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.closure import read_cache
from diptych.errors import FormatError

BY_NAME = 1 << 62


def cache(
    entries: Sequence[tuple[str, str, int, int]], levels: Sequence[str] = (), *, old: bool = False
) -> bytes:
    """Return a cache of (name, path, flags, hwcap) entries."""
    strings = b""
    at = 48 + 24 * len(entries)
    rows = b""
    for name, path, flags, hwcap in entries:
        rows += struct.pack("<iIIIQ", flags, at + len(strings), at + len(strings) + len(name) + 1, 0, hwcap)
        strings += name.encode() + b"\0" + path.encode() + b"\0"
    places = []
    for level in levels:
        places.append(at + len(strings))
        strings += level.encode() + b"\0"
    end = at + len(strings)
    extension = b""
    if levels:
        strings += b"\0" * (-end % 4)
        end = at + len(strings)
        extension = struct.pack("<II4I", 0xEAA42174, 1, 1, 0, end + 24, 4 * len(levels))
        extension += struct.pack(f"<{len(levels)}I", *places)
    header = b"glibc-ld.so.cache1.1" + struct.pack(
        "<IIBxxxI12x", len(entries), len(strings), 2, end if levels else 0
    )
    data = header + rows + strings + extension
    return b"ld.so-1.7.0\0" + struct.pack("=I", 0) + data if old else data


ENTRIES = [
    ("liba.so", "/lib/i386/liba.so", 3, 0),
    ("liba.so", "/v3/liba.so", 0x0303, BY_NAME | 1),
    ("liba.so", "/v2/liba.so", 0x0303, BY_NAME | 0),
    ("liba.so", "/plain/liba.so", 0x0303, 0),
    ("libb.so", "/arm/libb.so", 0x0A03, 0),
]
DATA = cache(ENTRIES, ["x86-64-v2", "x86-64-v3"])


@pytest.mark.parametrize(
    ("machine", "hwcaps", "path"),
    [
        ("x86_64", ("glibc-hwcaps/x86-64-v3", "glibc-hwcaps/x86-64-v2"), "/v3/liba.so"),
        ("x86_64", ("glibc-hwcaps/x86-64-v2",), "/v2/liba.so"),
        ("x86_64", (), "/plain/liba.so"),
        ("i386", (), "/lib/i386/liba.so"),
        ("aarch64", (), None),
    ],
)
def test_the_best_entry_for_machine_and_cpu(machine: str, hwcaps: tuple[str, ...], path: str | None) -> None:
    assert read_cache(DATA, machine=machine, hwcaps=hwcaps).get("liba.so") == path


def test_behind_the_old_format() -> None:
    assert read_cache(cache(ENTRIES[3:4], old=True), machine="x86_64") == {"liba.so": "/plain/liba.so"}


@given(st.integers(0, len(DATA) - 1), st.integers(0, 255), st.integers(0, len(DATA)))
def test_damage_is_a_format_error(place: int, value: int, length: int) -> None:
    data = bytearray(DATA)
    data[place] = value
    for damaged in (bytes(data), bytes(data[:length])):
        try:
            read_cache(damaged, machine="x86_64", hwcaps=("glibc-hwcaps/x86-64-v2",))
        except FormatError as error:
            assert "ld.so.cache" in str(error)  # noqa: PT017
