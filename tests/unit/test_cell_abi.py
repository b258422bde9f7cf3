"""The C++ ABI of a cell against that of its host packages: mixing them is refused, both sides named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diptych.cell.abi import abi_of, check_abi
from diptych.compilers import Compiler
from diptych.config import load
from diptych.environments import Environment
from diptych.errors import HostEnvironmentError
from diptych.matrix import Cell, Platform, cells
from helpers.elf_builder import Sym, elf

TABLE = """
[project]
name = "pair"
version = "1.2"
[tool.diptych]
python = ["3.11"]
compiler = ["zig"]
host = ["libfar-devel"]
"""
LIBCXX = "_ZN3far4nameERKNSt3__112basic_stringIcNS0_11char_traitsIcEENS0_9allocatorIcEEEE"
NEW = "_ZN3far4nameERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
OLD = "_ZN3far4nameERKSs"
OLD_WIDE = "_ZN3far4nameERKSbIwSt11char_traitsIwESaIwEE"
PAIR = "_ZN3far4nameERKSt4pairIiiE"


def cell_of(folder: Path, *, platform: Platform = "linux-64") -> Cell:
    (folder / "pyproject.toml").write_text(TABLE, encoding="utf-8")
    return cells(load(folder), platform=platform)[0]


def compiler(library: str, abi: str) -> Compiler:
    return Compiler(
        name="zig", cc=Path("/x/cc"), cxx=Path("/x/c++"), family="clang", version="1", target="x",
        library=library, library_version="1", library_date="", abi=abi,
    )  # fmt: skip


def environment(folder: Path, *symbols: str, needed: str = "libstdc++.so.6") -> Environment:
    prefix = folder / "host"
    (prefix / "lib").mkdir(parents=True)
    (prefix / "conda-meta").mkdir()
    data = elf(
        needed=[needed], soname="libfar.so.1", symbols=[Sym(name=one, defined=True) for one in symbols]
    )
    (prefix / "lib/libfar.so.1").write_bytes(data)
    records = {"libfar": (["lib/libfar.so.1"], []), "libfar-devel": (["include/far.h"], ["libfar >=1"])}
    for name, (files, depends) in records.items():
        record = {"name": name, "files": files, "depends": depends}
        (prefix / "conda-meta" / f"{name}.json").write_text(json.dumps(record), encoding="utf-8")
    return Environment(prefix=prefix, python=prefix / "bin/python", version="3.11", lock=(), channels=())


@pytest.mark.parametrize(
    ("symbols", "abis"),
    [
        ([LIBCXX], ["libc++"]),
        ([NEW, PAIR], ["libstdc++ (cxx11)"]),
        ([PAIR], ["libstdc++"]),
        ([OLD, PAIR], ["libstdc++ (pre-cxx11)"]),
        ([OLD_WIDE], ["libstdc++ (pre-cxx11)"]),
        ([OLD, NEW], ["libstdc++ (pre-cxx11)", "libstdc++ (cxx11)"]),
        (["_ZN3far7SsSbSsSEi", "_ZN2Ss2SbE", "_ZN3far1fILi12EEEvNS_5SsideE"], []),
        (["far_name", "_ZN3far4nameEv"], []),
        (["_ZNSt6vectorIiSaIiEE9push_backEOi", "_ZTVSt9exception"], []),
        (["_ZN3far4nameESt16initializer_listIiE", "_ZN3far4nameERKSt9exception"], []),
    ],
    ids=[
        "libc++",
        "newer string",
        "no string",
        "older",
        "older, wide",
        "two strings",
        "names",
        "C",
        "instantiations",
        "in both",
    ],
)
def test_what_an_interface_speaks_of(tmp_path: Path, symbols: list[str], abis: list[str]) -> None:
    found = abi_of(environment(tmp_path, *symbols).prefix / "lib/libfar.so.1")
    assert [abi for abi, _ in found] == abis


@pytest.mark.parametrize(
    ("symbol", "needed", "library", "abi", "ours", "theirs"),
    [
        (PAIR, "libstdc++.so.6", "libc++", "1", "libc++", "libstdc++"),
        (LIBCXX, "libc++.so.1", "libstdc++", "cxx11", "libstdc++ (cxx11)", "libc++"),
        (NEW, "libstdc++.so.6", "libstdc++", "pre-cxx11", "libstdc++ (pre-cxx11)", "libstdc++ (cxx11)"),
        (OLD, "libstdc++.so.6", "libstdc++", "cxx11", "libstdc++ (cxx11)", "libstdc++ (pre-cxx11)"),
        (OLD, "libstdc++.so.6", "libc++", "1", "libc++", "libstdc++ (pre-cxx11)"),
        (LIBCXX, "libm.so.6", "libstdc++", "cxx11", "libstdc++ (cxx11)", "libc++"),
    ],
)
def test_mixing_is_refused_and_both_are_named(
    tmp_path: Path, symbol: str, needed: str, library: str, abi: str, ours: str, theirs: str
) -> None:
    with pytest.raises(HostEnvironmentError) as caught:
        check_abi(cell_of(tmp_path), compiler(library, abi), environment(tmp_path, symbol, needed=needed))
    assert caught.value.summary == (
        f"3.11-zig: c++ compiles for {ours}, and host packages were compiled for another C++ library"
    )
    assert list(caught.value.details) == [f"libfar: libfar.so.1 is for {theirs}: {symbol}"]


@pytest.mark.parametrize(
    ("symbol", "library", "abi"),
    [
        (NEW, "libstdc++", "cxx11"),
        (NEW, "libstdc++", ""),
        (PAIR, "libstdc++", "pre-cxx11"),
        (PAIR, "libstdc++", "cxx11"),
        (OLD, "libstdc++", "pre-cxx11"),
        ("far_name", "libc++", "1"),
    ],
    ids=[
        "the same",
        "an old libstdc++ that does not say",
        "no string in it",
        "nor here",
        "the same, older",
        "C",
    ],
)
def test_what_fits(tmp_path: Path, symbol: str, library: str, abi: str) -> None:
    check_abi(cell_of(tmp_path), compiler(library, abi), environment(tmp_path, symbol))


def test_damage_and_macos_say_nothing(tmp_path: Path) -> None:
    found = environment(tmp_path, PAIR)
    check_abi(cell_of(tmp_path, platform="osx-arm64"), compiler("libc++", "1"), found)
    (found.prefix / "lib/libfar.so.1").write_bytes(b"\x7fELF and nothing more")
    check_abi(cell_of(tmp_path), compiler("libc++", "1"), found)
