"""The odd one out, what follows an axis, and needless compiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from diptych.compare import Comparison
from diptych.compare.across import Across, look_across
from helpers.compare_pairs import CORE, Made, compared, core
from helpers.elf_builder import Sym

CELLS = [f"3.{minor}-{compiler}" for minor in (10, 11, 12) for compiler in ("gcc", "clang")]


@pytest.fixture
def plain(tmp_path: Path) -> Comparison:
    return compared(tmp_path)


def matrix(plain: Comparison, others: Mapping[str, Comparison] | None = None) -> list[Comparison]:
    return [replace((others or {}).get(cell, plain), cell=cell) for cell in CELLS]


def kinds(across: Across) -> dict[str, tuple[str, tuple[str, ...]]]:
    return {one.trait: (one.kind, one.cells) for one in across.oddities}


def more_symbols(made: Made) -> None:
    symbols = (Sym(name="PyInit__core", defined=True), Sym(name="more", defined=True))
    made.wheel.files[CORE] = core(rpath="$ORIGIN/../pair.libs", symbols=symbols)


@pytest.fixture
def other(tmp_path: Path) -> Comparison:
    folder = tmp_path / "other"
    folder.mkdir()
    return compared(folder, more_symbols)


def test_alike_cells_have_no_oddity_and_one_needless_compile(plain: Comparison) -> None:
    across = look_across(matrix(plain))
    assert across.oddities == ()
    assert [(one.binary, one.cells, one.whole) for one in across.repeats] == [
        ("pair/_core", tuple(CELLS), True)
    ]


def test_the_one_cell_that_differs_is_named(plain: Comparison, other: Comparison) -> None:
    across = look_across(matrix(plain, {"3.11-clang": other}))
    assert kinds(across)["_core: exported symbols"] == ("odd", ("3.11-clang",))


def test_what_follows_the_compiler_is_no_odd_cell(plain: Comparison, other: Comparison) -> None:
    clang = {cell: other for cell in CELLS if cell.endswith("clang")}
    assert kinds(look_across(matrix(plain, clang)))["_core: exported symbols"] == ("compiler", tuple(CELLS))


def test_what_follows_the_python_is_no_odd_cell(plain: Comparison, other: Comparison) -> None:
    newest = {cell: other for cell in CELLS if cell.startswith("3.12")}
    assert kinds(look_across(matrix(plain, newest)))["_core: exported symbols"] == ("python", tuple(CELLS))


def test_tests_and_times_count(plain: Comparison) -> None:
    cells = [
        replace(one, facts={"tests": {"in source": 9 if one.cell == "3.10-gcc" else 10, "seconds": 1.0}})
        for one in matrix(plain)
    ]
    slow = replace(cells[3], facts={"tests": {"in source": 10, "seconds": 9.0}})
    found = kinds(look_across([*cells[:3], slow, *cells[4:]]))
    assert found["tests run in source"] == ("odd", ("3.10-gcc",))
    assert found["time of the tests in source"] == ("odd", (slow.cell,))


def test_sizes_far_from_the_rest_count(plain: Comparison) -> None:
    large = replace(plain, pair=replace(plain.pair, left=replace(plain.pair.left, size=900_000)))
    found = kinds(look_across(matrix(plain, {"3.12-gcc": large})))
    assert found == {"download of the wheel": ("odd", ("3.12-gcc",))}


def test_groups_have_medians(plain: Comparison) -> None:
    groups = look_across(matrix(plain)).groups
    assert [(one.axis, one.name, one.cells) for one in groups] == [
        ("compiler", "gcc", 3),
        ("compiler", "clang", 3),
        ("python", "3.10", 2),
        ("python", "3.11", 2),
        ("python", "3.12", 2),
    ]
    assert groups[0].medians["download of the wheel"] == plain.wheel.size


@pytest.mark.parametrize(("seconds", "odd"), [(0.5, True), (0.19, False), (0.1, False)])
def test_a_cell_that_imports_much_slower_is_odd_and_a_little_noise_is_not(
    seconds: float, *, odd: bool, plain: Comparison
) -> None:
    def timed(cell: str) -> Comparison:
        side = {"import_seconds": seconds if cell == "3.11-gcc" else 0.1, "benchmark": None}
        return replace(plain, cell=cell, facts={"cost": {"left": side, "right": side, "command": ""}})

    across = look_across([timed(cell) for cell in CELLS])
    found = {one.trait: one for one in across.oddities}
    assert ("time to import the wheel" in found) == odd
    if odd:
        assert found["time to import the wheel"].values == {
            "500 ms": ("3.11-gcc",),
            "median 100 ms": tuple(cell for cell in CELLS if cell != "3.11-gcc"),
        }
