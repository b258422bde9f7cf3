"""The floor of the table: read for each cell, and held against finished packages and a release."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych.cell.floor import hold_floor
from diptych.config import load
from diptych.errors import ConfigError, PackageError
from diptych.fanout.collect import Placed
from diptych.fanout.piece import Piece
from diptych.fanout.plan import plan
from diptych.matrix import Cell, Platform, cells
from diptych.records import CondaPackages
from diptych.release.gate import check_floors
from helpers.archive_makers import make_wheel, wheel_files
from helpers.conda_package import tiny_conda
from helpers.elf_builder import Sym, elf

TABLE = """
[project]
name = "pair"
version = "1.2"
[tool.diptych]
python = ["3.12", "3.11"]
compiler = ["gcc", "zig"]
floor = {floor}
[[tool.diptych.overrides]]
select = "3.12-*"
floor = "2_34"
"""


def matrix(folder: Path, floor: str, *, platform: Platform = "linux-64") -> dict[str, Cell]:
    (folder / "pyproject.toml").write_text(TABLE.format(floor=floor), encoding="utf-8")
    return {cell.id: cell for cell in cells(load(folder), platform=platform)}


def wheel(folder: Path) -> Path:
    symbols = [
        Sym(name="pthread_create", version=("libc.so.6", "GLIBC_2.34")),
        Sym(name="pthread_join", version=("libc.so.6", "GLIBC_2.34")),
        Sym(name="clock_gettime", version=("libc.so.6", "GLIBC_2.17")),
    ]
    data = elf(needed=["libc.so.6"], symbols=symbols)
    return make_wheel(
        folder, wheel_files({"pair/_core.so": data}), name="pair-1.2-cp311-cp311-linux_x86_64.whl"
    )


def test_a_wheel_above_its_floor_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PackageError) as caught:
        hold_floor(matrix(tmp_path, '"2_28"')["3.11-gcc"], wheel(tmp_path))
    assert caught.value.summary == (
        "3.11-gcc: the wheel needs manylinux_2_34, and the floor is manylinux_2_28"
    )
    assert list(caught.value.details) == ["GLIBC_2.34 (pthread_create, pthread_join) in pair/_core.so"]


def test_a_cell_of_its_own_floor_keeps_it(tmp_path: Path) -> None:
    hold_floor(matrix(tmp_path, '"2_17"')["3.12-zig"], wheel(tmp_path))


@pytest.mark.parametrize(
    ("stated", "kept"),
    [("__glibc >=2.28,<3.0.a0", True), ("__glibc >=2.34,<3.0.a0", False), ("python", True)],
)
def test_a_conda_package_states_no_more_than_the_floor(tmp_path: Path, stated: str, *, kept: bool) -> None:
    package = tiny_conda(tmp_path, "pair", "1.2", "py311_0", depends=["libfar >=9.9", stated])
    cell = matrix(tmp_path, '"2_28"')["3.11-gcc"]
    if kept:
        hold_floor(cell, package)
        return
    with pytest.raises(PackageError) as caught:
        hold_floor(cell, package)
    assert caught.value.summary == (
        f"3.11-gcc: the conda package states {stated}, and the floor is manylinux_2_28"
    )
    assert list(caught.value.details) == [package.name]


def test_a_release_takes_no_package_above_the_floor_of_its_cell(tmp_path: Path) -> None:
    matrix(tmp_path, '"2_28"')
    jobs = plan(load(tmp_path), ["linux-64"])
    pieces = [placed(tmp_path, job.name, job.cell.id) for job in jobs]
    check = check_floors(pieces, jobs)
    assert check.detail == "2 above the table's"
    assert check.fault == "; ".join(
        f"3.11-{compiler}: the wheel needs manylinux_2_34, and the floor is manylinux_2_28 "
        "(GLIBC_2.34 (pthread_create, pthread_join) in pair/_core.so)"
        for compiler in ("gcc", "zig")
    )
    kept = check_floors(pieces[:2], jobs)  # the override's 2_34
    assert (kept.detail, kept.fault) == ("2 cells of 2 have one, and keep it", "")


def placed(folder: Path, name: str, cell: str) -> Placed:
    own = folder / name
    own.mkdir()
    piece = Piece(
        folder=own, cell=cell, platform="linux-64", project="pair", version="1.2", table="t",
        sources="s", tests={}, files=(),
    )  # fmt: skip
    conda = tiny_conda(own, "pair", "1.2", "py311_0")
    return Placed(piece=piece, wheel=wheel(own), conda=CondaPackages(main=conda), first_compiler=True)


def test_macos_has_no_floor(tmp_path: Path) -> None:
    hold_floor(matrix(tmp_path, '"2_17"', platform="osx-arm64")["3.11-gcc"], tmp_path / "never-opened")


@pytest.mark.parametrize("floor", ['"2.28"', '"manylinux_2_28"', '"2_5"', "2.28", '""', '["2_28"]'])
def test_what_is_no_floor(tmp_path: Path, floor: str) -> None:
    with pytest.raises(ConfigError) as caught:
        matrix(tmp_path, floor)
    text = "\n".join([caught.value.summary, *caught.value.details])
    assert "floor" in text
    assert 'a glibc as in a wheel\'s tag, such as "2_17" or "2_28"' in text
