from __future__ import annotations

from collections.abc import Sequence

from diptych.binaries import Binary, read
from diptych.symbols import unused_needed
from helpers.elf_builder import Sym, elf
from helpers.macho_builder import macho


def binary(data: bytes) -> Binary:
    return read(data, "x", symbols=True)[0]


def library(*names: str) -> Binary:
    return binary(elf(symbols=[Sym(name=name, defined=True) for name in names]))


def module(needed: Sequence[str], *symbols: Sym) -> Binary:
    return binary(elf(needed=needed, symbols=symbols))


def test_only_libraries_without_a_binding_are_unused() -> None:
    made = module(
        ["liba.so", "libb.so", "libc.so.6"], Sym(name="a"), Sym(name="malloc"), Sym(name="PyList_New")
    )
    providers = {"liba.so": library("a"), "libb.so": library("b"), "libc.so.6": library("malloc")}
    assert unused_needed(made, providers) == ("libb.so",)


def test_first_in_scope_wins() -> None:
    made = module(["liba.so", "libb.so"], Sym(name="f"))
    assert unused_needed(made, {"liba.so": library("f"), "libb.so": library("f")}) == ("libb.so",)
    assert unused_needed(made, {"libb.so": library("f"), "liba.so": library("f")}) == ("liba.so",)


def test_weak_references_count() -> None:
    assert unused_needed(module(["liba.so"], Sym(name="f", weak=True)), {"liba.so": library("f")}) == ()


def test_unknown_libraries_are_kept() -> None:
    assert unused_needed(module(["libq.so", "liba.so"], Sym(name="f")), {"liba.so": library("f")}) == ()


def test_libraries_whose_versions_are_needed_are_kept() -> None:
    made = module(["liba.so", "libb.so"], Sym(name="f", version=("libb.so", "B_1")))
    assert unused_needed(made, {"liba.so": library("f"), "libb.so": library("f")}) == ()


def test_c_library_is_not_reported_when_nothing_was_resolved() -> None:
    made = module(["libb.so", "libc.so.6", "ld-linux-x86-64.so.2"], Sym(name="PyList_New"))
    providers = {
        "libb.so": library("b"),
        "libc.so.6": library("malloc"),
        "ld-linux-x86-64.so.2": library("x"),
    }
    assert unused_needed(made, providers) == ("libb.so",)


def test_nothing_is_said_without_symbols() -> None:
    assert unused_needed(read(elf(needed=["liba.so"]), "x")[0], {"liba.so": library("a")}) == ()


def test_two_level_namespace_decides_for_mach_o() -> None:
    made = binary(macho(needed=["/a.dylib", "/b.dylib"], symbols=[("_f", 2)]))
    provider = binary(macho(symbols=[("_f", 0)]))
    assert unused_needed(made, {"/a.dylib": provider, "/b.dylib": provider}) == ("/a.dylib",)
