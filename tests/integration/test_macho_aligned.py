"""The pool of names that LLVM's tools leave at half a word, moved; the files are made by a real linker and edited by a real tool."""

from __future__ import annotations

import hashlib
import struct
import sys
from pathlib import Path

import pytest

from diptych import process
from diptych.binaries import Signature, dynamic_symbols, read, signature, with_aligned_names
from diptych.binaries.bytesview import View
from diptych.binaries.macho_commands import LC_SEGMENT_64, LC_SYMTAB, read_commands
from diptych.binaries.macho_signature import page_hashes
from diptych.errors import FormatError

WORD = 8


def library(folder: Path, target: str, env: dict[str, str]) -> bytes:
    (folder / "a.c").write_text(
        "int other(void); int one(void) { return other(); } int two(void) { return one(); }"
    )
    words = ["-target", target, "-shared", "-undefined", "dynamic_lookup", "a.c", "-o", "liba.dylib"]
    process.run([sys.executable, "-m", "ziglang", "cc", *words], env=env, cwd=folder)
    return (folder / "liba.dylib").read_bytes()


def pool(content: bytes) -> tuple[int, int]:
    mach = read_commands(View(data=content, name="a", size=len(content)))
    command = mach.first(LC_SYMTAB)
    assert command is not None
    offset, size = mach.words(command, "IIII", "the symbol table")[2:]
    return offset, size


def moved_back(content: bytes) -> bytes:
    """Put the pool half a word before where it is: over what fills up the table before it, or into it where there is none."""
    offset, size = pool(content)
    made = bytearray(content)
    names = made[offset : offset + size]
    made[offset - 4 : offset + size] = names + bytes(4)
    at = made.index(struct.pack("<II", offset, size))
    struct.pack_into("<I", made, at, offset - 4)
    crooked = View(data=bytes(made), name="a", size=len(made))
    for one in page_hashes(read_commands(crooked)):
        digest = hashlib.new(one.algorithm, crooked.take(one.begin, one.size, "a page")).digest()
        made[one.at : one.at + one.length] = digest[: one.length]
    return bytes(made)


@pytest.mark.parametrize("target", ["aarch64-macos.11.0", "x86_64-macos.11.0"])
def test_names_are_the_same_and_where_dyld_wants_them(
    tmp_path: Path, env: dict[str, str], target: str
) -> None:
    content = library(tmp_path, target, env)
    crooked = moved_back(content)
    (before,), (bad,) = read(content, "a"), read(crooked, "a")
    assert bad.misaligned
    mended = with_aligned_names(crooked, "a")
    (after,) = read(mended, "a")
    assert not after.misaligned
    signed = Signature.ADHOC if target.startswith("aarch64") else Signature.ABSENT
    assert signature(after, mended) is signature(before, content) is signed
    assert dynamic_symbols(after, mended) == dynamic_symbols(before, content)


def test_a_file_that_ends_with_its_names_gets_longer(tmp_path: Path, env: dict[str, str]) -> None:
    crooked = moved_back(library(tmp_path, "x86_64-macos.11.0", env))
    offset, size = pool(crooked)
    mach = read_commands(View(data=crooked, name="a", size=len(crooked)))
    last = max(
        (one for one in mach.commands if one.kind == LC_SEGMENT_64),
        key=lambda one: mach.words(one, "16xQQQ", "s")[2],
    )
    made = bytearray(crooked[: offset + size])
    struct.pack_into("<Q", made, last.offset + 48, offset + size - mach.words(last, "16xQQQ", "s")[2])
    mended = with_aligned_names(bytes(made), "a")
    assert len(mended) == len(made) + 4
    assert not read(mended, "a")[0].misaligned


def test_what_somebody_else_signed_stays(tmp_path: Path, env: dict[str, str]) -> None:
    crooked = bytearray(moved_back(library(tmp_path, "aarch64-macos.11.0", env)))
    crooked[pool(bytes(crooked))[0] + 1] ^= 1  # a page whose hash no longer agrees
    assert with_aligned_names(bytes(crooked), "a") == bytes(crooked)


def test_what_is_straight_stays(tmp_path: Path, env: dict[str, str]) -> None:
    content = library(tmp_path, "aarch64-macos.11.0", env)
    assert pool(content)[0] % WORD == 0
    assert with_aligned_names(content, "a") == content


def test_what_is_no_mach_o_is_refused() -> None:
    with pytest.raises(FormatError):
        with_aligned_names(b"\x7fELF" + bytes(100), "a")
