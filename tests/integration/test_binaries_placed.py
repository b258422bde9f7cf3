"""Hashes without addresses: another link of the same objects is equal, any change of code or data is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych import process
from diptych.binaries import code_hashes, read

SOURCE = """\
#include <cstdio>
struct Shape { virtual ~Shape() {} virtual int area() const { return SIDE; } };
extern "C" int first(int x) { return x + 1; }
extern "C" int second(int x) { return x * 2; }
static int (*table[])(int) = {first, TARGET};
static const char* names[] = {"one", "two"};
static const int sizes[] = {7, 8}, weights[] = {9, 10};
#ifdef OTHER
extern "C" int sized(int n) { return weights[n & 1]; }
extern "C" int weighted(int n) { return sizes[n & 1]; }
#else
extern "C" int sized(int n) { return sizes[n & 1]; }
extern "C" int weighted(int n) { return weights[n & 1]; }
#endif
extern "C" const char* told(int n) {
  static Shape s;
  std::puts(names[n & 1]);
  return table[n & 1](s.area()) ? names[0] : names[1];
}
"""
USUAL = ("-DSIDE=3", "-DTARGET=second", "-Wl,-rpath,/a")
FAR = "-Wl,-rpath," + "/a-folder" * 500  # more than a page


def linked(folder: Path, env: dict[str, str], *words: str) -> bytes:
    source, library = folder / "a.cpp", folder / "liba.so"
    source.write_text(SOURCE, encoding="utf-8")
    process.run(["g++", "-shared", "-fPIC", "-O1", *words, "-o", library, source], env=env, cwd=folder)
    return library.read_bytes()


def hashes(data: bytes, *, placed: bool) -> dict[str, str]:
    return code_hashes(read(data, "liba.so")[0], data, placed=placed)


def test_another_link_of_the_same_code_is_equal(tmp_path: Path, env: dict[str, str]) -> None:
    one, other = linked(tmp_path, env, *USUAL), linked(tmp_path, env, *USUAL, FAR)
    assert hashes(one, placed=True)[".data"] != hashes(other, placed=True)[".data"]
    assert hashes(one, placed=False) == hashes(other, placed=False)


def test_an_entry_more_in_the_dynamic_section_is_equal(tmp_path: Path, env: dict[str, str]) -> None:
    """It moves the constant data with relocations away from code that refers to it by a distance."""
    words = (*USUAL[:2], "-fvisibility=hidden")
    one, other = linked(tmp_path, env, *words), linked(tmp_path, env, *words, "-Wl,-rpath,/a")
    assert hashes(one, placed=True)[".text"] != hashes(other, placed=True)[".text"]
    assert hashes(one, placed=False) == hashes(other, placed=False)


@pytest.mark.parametrize(
    ("change", "section"),
    [
        ((*USUAL, "-DOTHER"), ".text"),
        ((*USUAL, "-USIDE", "-DSIDE=4"), ".text"),
        ((*USUAL, "-UTARGET", "-DTARGET=first"), ".rela.dyn"),
        ((*USUAL, "-fvisibility=hidden"), ".rela.dyn"),
    ],
    ids=["distance", "code", "pointer", "symbol"],
)  # fmt: skip
def test_a_change_is_seen(tmp_path: Path, env: dict[str, str], change: tuple[str, ...], section: str) -> None:
    one, other = linked(tmp_path, env, *USUAL), linked(tmp_path, env, *change)
    assert hashes(one, placed=False)[section] != hashes(other, placed=False)[section]
