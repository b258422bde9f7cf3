from __future__ import annotations

import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diptych.binaries import (
    Binary,
    Signature,
    code_hashes,
    dynamic_symbols,
    hardening,
    read,
    signature,
    sniff,
)
from diptych.binaries import static_symbols as all_symbols
from diptych.errors import FormatError
from helpers.elf_builder import Sym, elf, note

RICH = elf(
    soname="libx.so.1",
    needed=["libb.so", "liba.so", "libc.so.6"],
    rpath="$ORIGIN:/opt/lib",
    runpath="",
    symbols=[
        Sym(name="puts", version=("libc.so.6", "GLIBC_2.2.5")),
        Sym(name="mine", defined=True),
        Sym(name="maybe", weak=True),
        Sym(name="__memcpy_chk", version=("libc.so.6", "GLIBC_2.3.4")),
        Sym(name="other", version=("liba.so", "A_1")),
    ],
    notes=note(b"GNU\0", 1, struct.pack("<4I", 0, 3, 2, 0))
    + note(b"GNU\0", 3, bytes.fromhex("deadbeef"))
    + note(b"GNU\0", 5, struct.pack("<IIII", 0xC0000002, 4, 3, 0)),
)


def one(data: bytes) -> Binary:
    (binary,) = read(data, "x.so", symbols=True)
    return binary


def test_everything_the_loader_uses() -> None:
    binary = one(RICH)
    assert (binary.format, binary.machine, binary.bits, binary.endianness) == ("elf", "x86_64", 64, "little")
    assert binary.kind == "shared"
    assert binary.soname == "libx.so.1"
    assert binary.needed == ("libb.so", "liba.so", "libc.so.6")
    assert binary.rpath == ("$ORIGIN", "/opt/lib")
    assert binary.runpath == ("",)
    assert [(need.library, need.version) for need in binary.version_needs] == [
        ("libc.so.6", "GLIBC_2.2.5"),
        ("libc.so.6", "GLIBC_2.3.4"),
        ("liba.so", "A_1"),
    ]
    assert binary.platform == "linux"
    assert binary.min_os == "3.2.0"
    assert binary.build_id == "deadbeef"
    assert binary.features == ("IBT", "SHSTK")
    assert binary.build_tools == ("GCC: (test) 1.0",)
    assert binary.congruent
    assert not binary.has_debug_info


def test_symbols() -> None:
    found = {symbol.name: symbol for symbol in one(RICH).symbols or ()}
    assert list(found) == ["puts", "mine", "maybe", "__memcpy_chk", "other"]
    assert (found["puts"].version, found["puts"].library) == ("GLIBC_2.2.5", "libc.so.6")
    assert found["mine"].defined
    assert found["mine"].version is None
    assert found["maybe"].binding == "weak"
    assert found["other"].library == "liba.so"


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("stripped", [False, True])
def test_every_class_and_byte_order(bits: int, order: str, *, stripped: bool) -> None:
    data = elf(
        bits=bits,
        order=order,
        machine=8,
        soname="libm.so",
        needed=["libc.so"],
        interpreter="/lib/ld.so",
        symbols=[Sym(name="f", version=("libc.so", "V1"))],
        text=None if stripped else b"code",
    )
    binary = one(data)
    assert (binary.bits, binary.endianness) == (bits, "little" if order == "<" else "big")
    assert (binary.soname, binary.needed, binary.interpreter) == ("libm.so", ("libc.so",), "/lib/ld.so")
    assert [(symbol.name, symbol.version) for symbol in binary.symbols or ()] == [("f", "V1")]
    assert bool(binary.sections) is not stripped


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (elf(kind=1), "object"),
        (elf(kind=2), "executable"),
        (elf(kind=3), "shared"),
        (elf(kind=4), "core"),
        (elf(interpreter="/ld.so"), "executable"),
        (elf(interpreter="/ld.so", soname="libc.so.6"), "shared"),
        (elf(extra=[(0x6FFFFFFB, 0x08000000)]), "executable"),
    ],
    ids=["object", "exec", "dyn", "core", "pie", "libc", "static-pie"],
)
def test_kind(data: bytes, kind: str) -> None:
    assert one(data).kind == kind


def test_flags() -> None:
    assert one(elf(extra=[(30, 8), (0x6FFFFFFB, 0x801), (22, 0)])).dynamic_flags == (
        "BIND_NOW",
        "NODEFLIB",
        "TEXTREL",
    )


def test_last_of_repeated_tags_counts() -> None:
    data = elf(soname="one", extra=[(14, 1)], needed=["two"])
    assert one(data).soname == "two"


def test_code_hashes() -> None:
    code = bytes(range(64))
    data = elf(text=code)
    assert code_hashes(one(data), data) == {".text": hashlib.sha256(code).hexdigest()}


def test_code_hashes_without_sections_take_the_executable_segments() -> None:
    data = elf(text=None)
    assert code_hashes(one(data), data) == {"LOAD:r-x": hashlib.sha256(data).hexdigest()}


def test_hardening() -> None:
    facts = hardening(one(RICH), RICH)
    assert facts.nx_stack
    assert facts.pie
    assert facts.relro == "none"
    assert facts.fortified == ("__memcpy_chk",)
    assert facts.control_flow == ("IBT", "SHSTK")
    assert not facts.stack_protector


def test_elf_has_no_signature() -> None:
    assert signature(one(RICH), RICH) is Signature.ABSENT


def test_sniff() -> None:
    assert sniff(RICH) == "elf"
    assert sniff(b"#!/bin/sh\n") is None
    assert sniff(b"") is None


def test_memoryview_of_wider_items() -> None:
    padded = RICH + bytes(-len(RICH) % 4)
    assert read(memoryview(padded).cast("I"), "x")[0].needed == one(RICH).needed


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "neither ELF nor Mach-O"),
        (b"\x7fELF", "outside the file"),
        (b"\x7fELF\x03" + bytes(60), "class 3"),
        (RICH[:5] + b"\x07" + RICH[6:], "byte order 7"),
        (RICH[:100], "outside the file"),
        (RICH[:-1], "outside the file"),
        (elf(extra=[(14, 1 << 40)]), "outside its string table"),
        (elf(extra=[(0x6FFFFFFE, 1 << 50), (0x6FFFFFFF, 1)]), "no loaded segment"),
    ],
)
def test_damage_is_named(data: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words) as caught:
        read(data, "lib/broken.so")
    assert "lib/broken.so" in str(caught.value)


def test_version_list_that_claims_65535_entries_of_itself_is_refused() -> None:
    """The count is wrong and each entry's next is 1: the walk goes forwards, so it meets its end."""
    data = bytearray(RICH)
    at = data.index(struct.pack("<HH", 1, 2))
    struct.pack_into("<H", data, at + 2, 0xFFFF)
    struct.pack_into("<I", data, at + 16 + 12, 1)
    try:
        _all_facts(bytes(data))
    except FormatError as error:
        assert "fuzz" in str(error)  # noqa: PT017


def _all_facts(data: bytes) -> None:
    """Everything that this package can be asked about a file."""
    for binary in read(data, "fuzz", symbols=True):
        code_hashes(binary, data)
        hardening(binary, data)
        signature(binary, data)
        all_symbols(binary, data)
        dynamic_symbols(binary, data)


@given(st.integers(0, len(RICH)))
def test_truncated_anywhere(length: int) -> None:
    try:
        _all_facts(RICH[:length])
    except FormatError as error:
        assert "fuzz" in str(error)  # noqa: PT017


@given(st.lists(st.tuples(st.integers(0, len(RICH) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_bytes_changed_anywhere(changes: list[tuple[int, int]]) -> None:
    data = bytearray(RICH)
    for place, value in changes:
        data[place] = value
    try:
        _all_facts(bytes(data))
    except FormatError as error:
        assert "fuzz" in str(error)  # noqa: PT017


@given(
    st.integers(0, len(RICH) // 8 - 1),
    st.sampled_from([0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 63, (1 << 64) - 1]),
)
def test_any_word_made_huge(place: int, value: int) -> None:
    data = bytearray(RICH)
    struct.pack_into("<Q", data, place * 8, value)
    try:
        _all_facts(bytes(data))
    except FormatError as error:
        assert "fuzz" in str(error)  # noqa: PT017
