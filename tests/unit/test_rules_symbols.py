"""Names of the system that came too late, and names that two modules export: each fault beside its healthy twin."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

import pytest

from diptych.doctor import gather
from diptych.policy import new_in_macos
from diptych.rules import Finding, Severity, all_rules, judge
from helpers.archive_makers import honest_wheel
from helpers.elf_builder import Sym, elf
from helpers.macho_builder import CPU_ARM64, CPU_X86_64, MH_BUNDLE, macho

E, D, N = Severity.ERROR, Severity.DRIFT, Severity.NOTE
TWO_LEVEL = ["/usr/lib/libSystem.B.dylib", "/usr/lib/libc++.1.dylib", "@rpath/libc++.1.dylib"]
FLOAT_CHARS = "__ZNSt3__18to_charsEPcS0_d"
PMR = "__ZNSt3__13pmr20get_default_resourceEv"
PATH = "__ZNSt3__14__fs10filesystem4path17replace_extensionERKS2_"


def found(path: Path, *codes: str) -> list[Finding]:
    seen = judge(gather(path, shown=path.name, host=None), all_rules()).findings
    return [one for one in seen if one.code in codes]


def mac(
    folder: Path,
    symbol: str,
    library: int,
    *,
    tag: str,
    minos: tuple[int, int],
    cpu: int = CPU_X86_64,
    weak: bool = False,
) -> Path:
    data = macho(
        cpu=cpu,
        kind=MH_BUNDLE,
        needed=TWO_LEVEL,
        minos=minos,
        symbols=[("_PyInit__core", 0), (symbol, library)],
        weakly=[symbol] if weak else [],
        signed=True,
    )
    return honest_wheel(
        folder, {"pair/_core.cpython-311-darwin.so": data}, name=f"pair-1.2-cp311-cp311-{tag}.whl"
    )


CASES = {
    "to_chars on 11": (FLOAT_CHARS, 2, "macosx_11_0_x86_64", (11, 0), E),
    "to_chars on 14": (FLOAT_CHARS, 2, "macosx_14_0_x86_64", (14, 0), None),
    "the tag is higher than the file": (FLOAT_CHARS, 2, "macosx_14_0_x86_64", (11, 0), None),
    "a libc++ of its own": (FLOAT_CHARS, 3, "macosx_11_0_x86_64", (11, 0), None),
    "pmr on 13": (PMR, 2, "macosx_13_0_x86_64", (13, 0), E),
    "filesystem on 10.13": (PATH, 2, "macosx_10_13_x86_64", (10, 13), D),
    "filesystem on 10.15": (PATH, 2, "macosx_10_15_x86_64", (10, 15), None),
    "preadv on 10.9": ("_preadv", 1, "macosx_10_9_x86_64", (10, 9), D),
    "strchrnul on 15": ("_strchrnul", 1, "macosx_15_0_x86_64", (15, 0), E),
    "strchr on 10.9": ("_strchr", 1, "macosx_10_9_x86_64", (10, 9), None),
    "Accelerate's new names on 12": (
        "_cblas_dgemm$NEWLAPACK$ILP64",
        1,
        "macosx_12_0_x86_64",
        (12, 0),
        E,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_newer_than_the_oldest_macos(case: str, tmp_path: Path) -> None:
    symbol, library, tag, minos, severity = CASES[case]
    seen = found(mac(tmp_path, symbol, library, tag=tag, minos=minos), "DIP612")
    assert [one.severity for one in seen] == ([severity] if severity else [])
    assert all(symbol[1:] in one.evidence[0] for one in seen)


def test_a_weak_reference_may_stay_undefined(tmp_path: Path) -> None:
    path = mac(tmp_path, FLOAT_CHARS, 2, tag="macosx_11_0_x86_64", minos=(11, 0), weak=True)
    assert found(path, "DIP612") == []


def test_arm64_began_with_macos_11(tmp_path: Path) -> None:
    path = mac(tmp_path, "_preadv", 1, tag="macosx_11_0_arm64", minos=(10, 9), cpu=CPU_ARM64)
    assert found(path, "DIP612") == []


def test_every_pattern_is_told_apart_and_dated() -> None:
    text = resources.files("diptych").joinpath("data/macos_symbols.json").read_text(encoding="utf-8")
    groups = json.loads(text)["groups"]
    assert len({group["what"] for group in groups}) == len(groups)
    assert all(re.fullmatch(r"\d+\.\d+(\.\d+)?", group["first"]) for group in groups)
    assert [one.first for one in new_in_macos(["strchrnul", "aligned_alloc", "puts"])] == [(15, 4), (10, 15)]


def linux(folder: Path, *modules: bytes, names: tuple[str, ...] = ("_one", "_two")) -> Path:
    suffix = ".cpython-311-x86_64-linux-gnu.so"
    files = {f"pair/{name}{suffix}": data for name, data in zip(names, modules, strict=True)}
    return honest_wheel(folder, files, name="pair-1.2-cp311-cp311-manylinux_2_17_x86_64.whl")


def module(name: str, *symbols: Sym) -> bytes:
    own = (Sym(name=f"PyInit_{name}", defined=True), Sym(name="PyModule_Create2"))
    return elf(symbols=(*own, *symbols), needed=["libc.so.6"])


def test_one_name_of_two_modules(tmp_path: Path) -> None:
    shared = Sym(name="pair_registry", defined=True)
    (seen,) = found(linux(tmp_path, module("_one", shared), module("_two", shared)), "DIP708")
    assert seen.severity is N
    assert "pair_registry" in seen.evidence[0]


@pytest.mark.parametrize(
    "other", [Sym(name="other_registry", defined=True), Sym(name="pair_registry", defined=False)]
)
def test_names_that_only_one_defines(other: Sym, tmp_path: Path) -> None:
    path = linux(tmp_path, module("_one", Sym(name="pair_registry", defined=True)), module("_two", other))
    assert found(path, "DIP708") == []


def test_weak_definitions_are_meant_to_be_shared(tmp_path: Path) -> None:
    shared = Sym(name="_ZN4pair8registryE", defined=True, weak=True)
    assert found(linux(tmp_path, module("_one", shared), module("_two", shared)), "DIP708") == []


def test_helpers_of_compilers_are_alike_on_purpose(tmp_path: Path) -> None:
    shared = Sym(name="_ZSt28__throw_bad_array_new_lengthv", defined=True)
    assert found(linux(tmp_path, module("_one", shared), module("_two", shared)), "DIP708") == []


def test_all_names_of_a_package_are_one_finding(tmp_path: Path) -> None:
    a, b = Sym(name="pair_a", defined=True), Sym(name="pair_b", defined=True)
    path = linux(
        tmp_path,
        module("_one", a, b),
        module("_two", a),
        module("_three", b),
        names=("_one", "_two", "_three"),
    )
    (seen,) = found(path, "DIP708")
    assert "3 modules export 2 names" in seen.message
