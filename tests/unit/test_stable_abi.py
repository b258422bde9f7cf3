"""One build of the stable ABI for several Pythons: who serves whom, how it is tagged, and its conda package by CEP 20."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from diptych.build.objects import Counted
from diptych.build.stage import Stage
from diptych.cell.makers import own_tag, stable_floor
from diptych.cell.serving import FLOOR, conditions, served
from diptych.compilers import Compiler
from diptych.errors import PackageError
from diptych.inputs import part
from diptych.matrix import find
from diptych.output import Output
from diptych.packages.finished import check_finished
from diptych.packages.metadata import Metadata
from diptych.packages.recipe import RecipeFacts, RecipeSettings, recipe
from diptych.records import PROVENANCE, Artefact, CellRecord, read_record, write_record
from diptych.store import write_json
from diptych.workspace import Workspace, open_workspace
from helpers.elf_builder import elf

COMPILER = Compiler(
    name="gcc", cc=Path("gcc"), cxx=Path("g++"), family="gcc", version="12.2.0", target="x86_64-linux-gnu",
    library="libstdc++", library_version="12", library_date="20220819",
)  # fmt: skip
TABLE = """\
[project]
name = "pkg"
version = "1.0"
[tool.diptych]
python = ["3.10", "3.11", "3.12"]
compiler = ["gcc", "clang"]
[[tool.diptych.overrides]]
select = "3.12-*"
env = { A = "1" }
"""


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    (tmp_path / "CMakeLists.txt").write_text("")
    (tmp_path / "pyproject.toml").write_text(TABLE)
    return open_workspace(tmp_path, env={"PATH": ""}, machine="x86_64", output=Output(env={}))


def record(space: Workspace, cell: str, floor: str, **other: str) -> CellRecord:
    """Leave what a build of a cell leaves."""
    artefacts = []
    for kind, name in (("wheel", f"{cell}.whl"), ("conda", f"{cell}.conda")):
        path = space.store.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(cell.encode())
        artefacts.append(Artefact(kind=kind, path=path, sha256="0", size=1, tag="x"))
    then = other.get("conditions", conditions(space, find(space.cells, cell)))
    made = CellRecord(
        cell=cell,
        stage=space.root,
        stage_key="k",
        wheel=artefacts[0],
        conda=artefacts[1],
        channels=(),
        fallback="",
        published=(),
        provenance={FLOOR: floor, "inputs": {"conditions": then}},
    )
    write_record(space.store, made)
    return made


def who_serves(space: Workspace, cell: str) -> str:
    found = served(space, find(space.cells, cell))
    return found.served_by if found else ""


def test_a_newer_python_is_served(space: Workspace) -> None:
    first = record(space, "3.10-gcc", "3.10")
    assert who_serves(space, "3.11-gcc") == "3.10-gcc"
    left = read_record(space.store, "3.11-gcc")
    assert left is not None
    assert (left.cell, left.wheel, left.conda) == ("3.11-gcc", first.wheel, first.conda)


@pytest.mark.parametrize(
    ("maker", "floor", "cell", "other"),
    [
        ("3.10-gcc", "", "3.11-gcc", {}),
        ("3.10-gcc", "3.10", "3.11-clang", {}),
        ("3.10-gcc", "3.10", "3.12-gcc", {}),
        ("3.10-gcc", "3.10", "3.11-gcc", {"conditions": "of yesterday"}),
        ("3.10-gcc", "3.12", "3.11-gcc", {}),
        ("3.11-gcc", "3.10", "3.10-gcc", {}),
    ],
    ids=[
        "one Python's",
        "another compiler",
        "another setting",
        "other sources, settings or variables",
        "a newer floor",
        "an older Python",
    ],
)
def test_who_is_not_served(
    space: Workspace, maker: str, floor: str, cell: str, other: dict[str, str]
) -> None:
    record(space, maker, floor, **other)
    assert who_serves(space, cell) == ""


@pytest.mark.parametrize("what", ["source", "table", "variable"])
def test_what_was_edited_since_serves_nobody(space: Workspace, what: str) -> None:
    record(space, "3.10-gcc", "3.10")
    if what == "source":
        (space.root / "CMakeLists.txt").write_text("# edited")
    elif what == "table":
        file = space.root / "pyproject.toml"
        file.write_text(
            file.read_text().replace(
                'compiler = ["gcc", "clang"]', 'compiler = ["gcc"]\ncmake-args = ["-DA=1"]'
            )
        )
    env = {"PATH": "", **({"CXXFLAGS": "-O1"} if what == "variable" else {})}
    assert (
        who_serves(open_workspace(space.root, env=env, machine="x86_64", output=Output(env={})), "3.11-gcc")
        == ""
    )


def test_what_is_served_serves_nobody(space: Workspace) -> None:
    """Its packages are those of the oldest, and a record of it alone must not outlive theirs."""
    write_record(
        space.store, replace(record(space, "3.10-gcc", "3.10"), cell="3.11-gcc", served_by="3.10-gcc")
    )
    (space.store.root / "cells" / "3.10-gcc.json").unlink()
    assert who_serves(space, "3.11-gcc") == ""


def test_what_the_cell_had_built_itself_goes(space: Workspace) -> None:
    record(space, "3.10-gcc", "3.10")
    names = {"3.10-gcc": "pkg-cp310.whl", "3.11-gcc": "pkg-cp311.whl"}
    folder = space.dist / "wheels"
    for cell, name in names.items():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
        write_json(folder / (name + PROVENANCE), {"cell": cell})
    (space.dist / "conda" / "noarch").mkdir(parents=True)
    assert who_serves(space, "3.11-gcc") == "3.10-gcc"
    assert {path.name for path in folder.iterdir()} == {"pkg-cp310.whl", "pkg-cp310.whl" + PROVENANCE}


def stage_with(root: Path, *names: str, tag: str = "") -> Stage:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    info = None
    if tag:
        info = root.with_name("pkg-1.0.dist-info")
        info.mkdir()
        (info / "WHEEL").write_text(f"Wheel-Version: 1.0\nTag: {tag}-linux_x86_64\n")
    return Stage(
        key="k", root=root, folder=root, origins={}, tree=root, compiler=COMPILER, info=info, extra=None, backend={},
        objects=Counted(taken=0, compiled=0), kept=False
    )  # fmt: skip


@pytest.mark.parametrize(
    ("names", "tag", "floor"),
    [
        (["pkg/_a.abi3.so"], "cp310-abi3", "3.10"),
        (["pkg/_a.abi3.so", "pkg/libb.so"], "", "3.11"),
        (["pkg/_a.abi3.so"], "cp311-cp311", ""),
        (["pkg/_a.abi3.so", "pkg/_b.cpython-311-x86_64-linux-gnu.so"], "cp310-abi3", ""),
        (["pkg/_a.cpython-311-x86_64-linux-gnu.so"], "", ""),
        (["pkg/_a.so"], "", ""),
        (["pkg/_a.abi3t.so"], "cp315-abi3.abi3t", "3.15"),
        (["pkg/_a.abi3t.so"], "cp315-abi3t", ""),
    ],
)
def test_the_floor_of_a_stage(tmp_path: Path, names: list[str], tag: str, floor: str) -> None:
    stage = stage_with(tmp_path / "stage", *names, tag=tag)
    assert stable_floor(stage, "3.11") == floor


@pytest.mark.parametrize(
    ("names", "python", "tag"),
    [
        (["pkg/_a.abi3.so"], "3.11", "cp311-abi3"),
        (["pkg/_a.abi3t.so"], "3.15t", "cp315-abi3t"),
        (["pkg/_a.abi3.so"], "3.15t", "cp315-cp315t"),
        (["pkg/_a.cpython-315t-x86_64-linux-gnu.so"], "3.15t", "cp315-cp315t"),
        (["pkg/_a.so"], "3.11", "cp311-cp311"),
    ],
)
def test_what_no_backend_has_tagged(tmp_path: Path, names: list[str], python: str, tag: str) -> None:
    assert own_tag(stage_with(tmp_path / "stage", *names), python) == tag


def test_a_wheel_for_both_kinds_of_python_keeps_both_tags(tmp_path: Path) -> None:
    stage = stage_with(tmp_path / "stage", "pkg/_a.abi3t.so", tag="cp315-abi3")
    assert stage.info is not None
    (stage.info / "WHEEL").write_text("Tag: cp315-abi3-linux_x86_64\nTag: cp315-abi3t-linux_x86_64\n")
    assert stage.tag == "cp315-abi3.abi3t"


def test_the_recipe_says_what_cep_20_asks_for(space: Workspace, tmp_path: Path) -> None:
    info = tmp_path / "made" / "pkg-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.4\nName: pkg\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[console_scripts]\npkg = pkg:main\n")
    facts = RecipeFacts(
        python="3.10",
        platform="linux-64",
        settings=part(RecipeSettings, find(space.cells, "3.10-gcc").settings),
        metadata=Metadata(folder=info, name="pkg", version="1.0"),
        source=tmp_path,
        package="pkg",
        stable="3.10",
    )
    made = recipe(facts)
    assert made["build"]["python"] == {"entry_points": ["pkg = pkg:main"], "version_independent": True}
    assert made["build"]["dynamic_linking"] == {"binary_relocation": False}
    assert made["requirements"]["run"] == ["python", "cpython >=3.10", "_python_abi3_support 1.*"]
    plain = recipe(replace(facts, stable=""))
    assert "version_independent" not in plain["build"]["python"]
    assert plain["requirements"]["run"] == ["python"]


@pytest.mark.parametrize(
    ("subdir", "depends", "fine"),
    [
        ("linux-64", ["python", "cpython >=3.10"], True),
        ("linux-64", ["python"], False),
        ("noarch", ["python", "cpython >=3.10"], False),
    ],
)
def test_binaries_in_noarch_packages(tmp_path: Path, subdir: str, depends: list[str], *, fine: bool) -> None:
    index = {"name": "pkg", "version": "1.0", "noarch": "python", "subdir": subdir, "depends": depends}
    for name, content in {
        "info/index.json": json.dumps(index).encode(),
        "site-packages/pkg/_a.abi3.so": elf(soname="x"),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    if fine:
        check_finished(tmp_path)
    else:
        with pytest.raises(PackageError, match="noarch"):
            check_finished(tmp_path)
