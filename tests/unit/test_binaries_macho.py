from __future__ import annotations

import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.binaries import Signature, code_hashes, dynamic_symbols, hardening, read, signature, sniff
from diptych.errors import FormatError
from helpers.macho_builder import CPU_ARM64, CPU_X86_64, MH_BUNDLE, macho, universal

THIN = macho(
    install_name="@rpath/libx.dylib",
    needed=["@rpath/liba.dylib", "/usr/lib/libSystem.B.dylib"],
    weak=["@rpath/liba.dylib"],
    rpath=["@loader_path/../lib", "@loader_path/../lib", "/opt/lib"],
    symbols=[("_mine", 0), ("_puts", 2), ("_PyList_New", 0xFE)],
    signed=True,
)
FAT = universal((CPU_X86_64, macho(cpu=CPU_X86_64, minos=(10, 13))), (CPU_ARM64, THIN))


def test_load_commands() -> None:
    (binary,) = read(THIN, "libx.dylib")
    assert (binary.format, binary.machine, binary.bits, binary.kind) == ("macho", "arm64", 64, "shared")
    assert binary.soname == "@rpath/libx.dylib"
    assert binary.needed == ("@rpath/liba.dylib", "/usr/lib/libSystem.B.dylib")
    assert binary.weak_needed == ("@rpath/liba.dylib",)
    assert binary.rpath == ("@loader_path/../lib", "@loader_path/../lib", "/opt/lib")
    assert (binary.platform, binary.min_os, binary.sdk) == ("macos", "11.0", "14.0")
    assert binary.build_tools == ("ld 1115.0",)
    assert binary.build_id == bytes(range(16)).hex()
    assert [segment.name for segment in binary.segments] == ["__TEXT"]
    assert [section.name for section in binary.sections] == ["__TEXT,__text"]
    assert binary.signed
    assert binary.congruent


def test_symbols_have_two_level_libraries() -> None:
    (binary,) = read(THIN, "x", symbols=True)
    assert [(symbol.name, symbol.defined, symbol.library) for symbol in binary.symbols or ()] == [
        ("_mine", True, None),
        ("_puts", False, "/usr/lib/libSystem.B.dylib"),
        ("_PyList_New", False, None),
    ]


def test_code_hashes_and_hardening() -> None:
    data = macho(kind=MH_BUNDLE, text=b"12345678")
    (binary,) = read(data, "x")
    assert binary.kind == "bundle"
    assert code_hashes(binary, data) == {"__TEXT,__text": hashlib.sha256(b"12345678").hexdigest()}
    assert hardening(binary, data).pie


@pytest.mark.parametrize("wide", [False, True])
def test_universal(*, wide: bool) -> None:
    slices = (CPU_X86_64, macho(cpu=CPU_X86_64, minos=(10, 13))), (CPU_ARM64, THIN)
    data = universal(*slices, wide=wide)
    intel, arm = read(data, "x")
    assert (intel.machine, intel.min_os, arm.machine, arm.min_os) == ("x86_64", "10.13", "arm64", "11.0")
    assert signature(intel, data) is Signature.ABSENT
    assert signature(arm, data) is Signature.ADHOC
    assert [symbol.name for symbol in dynamic_symbols(arm, data)] == ["_mine", "_puts", "_PyList_New"]


def test_signature_is_stale_after_any_edit() -> None:
    data = bytearray(THIN)
    data[THIN.index(b"/opt/lib")] ^= 1
    (binary,) = read(bytes(data), "x")
    assert signature(binary, bytes(data)) is Signature.STALE
    (untouched,) = read(THIN, "x")
    assert signature(untouched, THIN) is Signature.ADHOC


def test_java_classes_are_not_universal_files() -> None:
    assert sniff(bytes.fromhex("cafebabe00000034")) is None
    assert sniff(FAT[:8]) == "macho"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (THIN[:20], "outside the file"),
        (FAT[:40], "outside the file"),
        (
            struct.pack("<IiiIIIII", 0xFEEDFACF, CPU_ARM64, 0, 6, 1, 8, 0, 0) + bytes(8),
            "load command of 0 bytes",
        ),
        (struct.pack("<IiiIIIII", 0xFEEDFACF, CPU_ARM64, 0, 6, 1 << 20, 0, 0, 0), "load commands"),
        (struct.pack(">II5I", 0xCAFEBABE, 1, 7, 0, 0, 28, 0), "no Mach-O"),
    ],
)
def test_damage_is_named(data: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        read(data, "x")


@given(
    st.lists(st.tuples(st.integers(0, len(FAT) - 1), st.integers(0, 255)), max_size=8),
    st.integers(0, len(FAT)),
)
def test_damaged_anywhere(changes: list[tuple[int, int]], length: int) -> None:
    changed = bytearray(FAT)
    for place, value in changes:
        changed[place] = value
    for data in (bytes(changed), bytes(changed[:length])):
        try:
            for binary in read(data, "fuzz", symbols=True):
                code_hashes(binary, data)
                signature(binary, data)
                hardening(binary, data)
        except FormatError as error:
            assert "fuzz" in str(error)  # noqa: PT017
