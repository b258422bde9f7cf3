"""Pieces of many machines: what is wrong with any of them is named, and nothing is written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from diptych.build.sources import source_hash
from diptych.errors import ConfigError, PackageError
from diptych.fanout.collect import collect, summary_of
from diptych.fanout.completeness import find_pieces
from diptych.fanout.piece import LISTING, Piece, piece_file, read_piece
from diptych.fanout.plan import Job, plan, table_hash
from diptych.matrix import Platform
from diptych.output import Output
from diptych.records import PROVENANCE
from diptych.store import write_json
from diptych.workspace import Workspace, open_workspace
from helpers.conda_package import tiny_conda

PLATFORMS: tuple[Platform, ...] = ("linux-64",)


def workspace(root: Path, *, more: str = "", **env: str) -> Workspace:
    root.mkdir(parents=True, exist_ok=True)
    (root / "CMakeLists.txt").write_text("")
    (root / "pyproject.toml").write_text(
        '[project]\nname = "pkg"\nversion = "1.0"\n'
        '[tool.diptych]\npython = ["3.11", "3.12"]\ncompiler = ["gcc", "clang"]\n' + more
    )
    return open_workspace(root, env={"PATH": "", **env}, machine="x86_64", output=Output(env={}))


def piece(space: Workspace, job: Job, folder: Path, *, library: str = "", **other: str) -> Path:
    """Lay out a piece as ``diptych cell`` does, with a package of a C++ library that has this content."""
    cell, digits = job.cell, job.cell.python_digits
    folder.mkdir(parents=True)
    wheel = folder / f"pkg-1.0-cp{digits}-cp{digits}-manylinux_2_28_x86_64.whl"
    wheel.write_bytes(job.name.encode())
    conda = Path(
        shutil.move(tiny_conda(folder.parent / "made" / job.name, "pkg", "1.0", f"py{digits}_0"), folder)
    )
    files = [piece_file(wheel, "wheel"), piece_file(conda, "conda")]
    if library:
        made = tiny_conda(folder.parent / "made" / job.name, "libpkg", "1.0", "h0_0", content=library)
        files.append(piece_file(Path(shutil.move(made, folder)), "library"))
    for package in tuple(files):
        beside = folder / f"{package.name}{PROVENANCE}"
        facts = {
            "cell": cell.id,
            "platform": cell.platform,
            "version": "1.0",
            "fallback": "",
            "sha256": package.sha256,
        }
        write_json(beside, {**facts, **{key: value for key, value in other.items() if key == "fallback"}})
        files.append(piece_file(beside, "provenance"))
    whole = Piece(
        folder=folder,
        cell=cell.id,
        platform=cell.platform,
        project="pkg",
        version="1.0",
        table=other.get("table", table_hash(space.config)),
        sources=other.get("sources", source_hash(space.config.source, env=space.env)),
        tests={"in source": 3, "wheel": 3, "conda": None},
        files=tuple(files),
    )
    write_json(folder / LISTING, whole.to_json())
    return folder


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    return workspace(tmp_path / "checkout")


@pytest.fixture
def pieces(space: Workspace, tmp_path: Path) -> Path:
    for job in plan(space.config, PLATFORMS):
        piece(space, job, tmp_path / "pieces" / f"cell-{job.name}")
    shutil.rmtree(tmp_path / "pieces" / "made")
    return tmp_path / "pieces"


def refused(space: Workspace, *folders: Path) -> str:
    with pytest.raises(PackageError) as caught:
        collect(space, folders, platforms=PLATFORMS, out=space.dist)
    assert not space.dist.exists()
    return str(caught.value)


def test_whole_pieces_become_a_dist(space: Workspace, pieces: Path) -> None:
    placed = collect(space, [pieces], platforms=PLATFORMS, out=space.dist)
    assert [one.piece.name for one in placed] == [
        f"{python}-{compiler}-linux-64" for python in ("3.11", "3.12") for compiler in ("gcc", "clang")
    ]
    assert len(list((space.dist / "wheels").glob("*.whl"))) == 2
    assert len(list((space.dist / "clang" / "wheels").glob("*.whl"))) == 2
    for base in (space.dist, space.dist / "clang"):
        index = json.loads((base / "conda" / "linux-64" / "repodata.json").read_text())
        assert len(index["packages.conda"]) == 2
    text = summary_of(placed)
    assert text.count("\n| 3.1") == 4
    assert "conda ?" in text


def test_again_changes_no_package(space: Workspace, pieces: Path) -> None:
    times = []
    for _ in range(2):
        placed = collect(space, [pieces], platforms=PLATFORMS, out=space.dist)
        times.append([path.stat().st_mtime_ns for one in placed for path in one.files])
    assert times[0] == times[1]


def test_an_earlier_build_of_the_cell_goes(space: Workspace, pieces: Path) -> None:
    collect(space, [pieces], platforms=PLATFORMS, out=space.dist)
    (wheel,) = (space.dist / "wheels").glob("*cp311*.whl")
    old = wheel.with_name(wheel.name.replace("2_28", "2_34"))
    wheel.rename(old)
    beside = wheel.with_name(wheel.name + PROVENANCE)
    beside.rename(old.with_name(old.name + PROVENANCE))
    collect(space, [pieces], platforms=PLATFORMS, out=space.dist)
    assert wheel.is_file()
    assert not old.exists()


def _tamper(pieces: Path) -> str:
    (wheel,) = (pieces / "cell-3.11-gcc-linux-64").glob("*.whl")
    wheel.write_bytes(b"x" * wheel.stat().st_size)
    return f'tampered: "{wheel}" of 3.11-gcc-linux-64'


def _lengthen(pieces: Path) -> str:
    (conda,) = (pieces / "cell-3.12-clang-linux-64").glob("*.conda")
    conda.write_bytes(conda.read_bytes() + b"!")
    return f'tampered: "{conda}" of 3.12-clang-linux-64'


def _lose_a_file(pieces: Path) -> str:
    (wheel,) = (pieces / "cell-3.11-gcc-linux-64").glob("*.whl")
    wheel.unlink()
    return f'missing: "{wheel}" of 3.11-gcc-linux-64'


def _lose_a_piece(pieces: Path) -> str:
    shutil.rmtree(pieces / "cell-3.12-gcc-linux-64")
    return "missing: 3.12-gcc-linux-64 of the plan"


def _double(pieces: Path) -> str:
    shutil.copytree(pieces / "cell-3.11-clang-linux-64", pieces / "again")
    return "doubled: 3.11-clang-linux-64 is in"


def _add_a_file(pieces: Path) -> str:
    stray = pieces / "cell-3.11-gcc-linux-64" / "evil-1.0-py3-none-any.whl"
    stray.write_text("")
    return f'foreign: "{stray}" is not in the list'


def _link(pieces: Path) -> str:
    (wheel,) = (pieces / "cell-3.11-gcc-linux-64").glob("*.whl")
    moved = wheel.rename(pieces.parent / wheel.name)
    wheel.symlink_to(moved)
    return f'missing: "{wheel}"'


def _cut_the_listing(pieces: Path) -> str:
    path = pieces / "cell-3.11-gcc-linux-64" / LISTING
    path.write_bytes(path.read_bytes()[:100])
    return f'damaged: "{path}"'


def _no_listing(pieces: Path) -> str:
    (pieces / "cell-3.11-gcc-linux-64" / LISTING).unlink()
    return "damaged: "


def _lead_out(pieces: Path) -> str:
    path = pieces / "cell-3.11-gcc-linux-64" / LISTING
    value = json.loads(path.read_text())
    value["files"][0]["name"] = "../../../etc/passwd"
    path.write_text(json.dumps(value))
    return "'../../../etc/passwd' is no plain word"


def _swap_provenance(pieces: Path) -> str:
    """Contradict the provenance in a piece whose own hashes fit."""
    folder = pieces / "cell-3.11-gcc-linux-64"
    (beside,) = folder.glob(f"*.whl{PROVENANCE}")
    facts = json.loads(beside.read_text())
    write_json(beside, {**facts, "cell": "3.12-gcc"})
    value = json.loads((folder / LISTING).read_text())
    fresh = piece_file(beside, "provenance")
    for one in value["files"]:
        if one["name"] == fresh.name:
            one.update(sha256=fresh.sha256, size=fresh.size)
    write_json(folder / LISTING, value)
    return 'says cell "3.12-gcc"'


@pytest.mark.parametrize(
    "spoil",
    [
        _tamper, _lengthen, _lose_a_file, _lose_a_piece, _double, _add_a_file, _link, _cut_the_listing,
        _no_listing, _lead_out, _swap_provenance,
    ],
)  # fmt: skip
def test_a_spoilt_piece_is_named(space: Workspace, pieces: Path, spoil: Callable[[Path], str]) -> None:
    assert spoil(pieces) in refused(space, pieces)


def test_all_faults_are_told_at_once(space: Workspace, pieces: Path) -> None:
    expected = [_tamper(pieces), _lose_a_piece(pieces), _double(pieces)]
    text = refused(space, pieces)
    assert all(one in text for one in expected)


@pytest.mark.parametrize("key", ["table", "sources"])
def test_a_piece_of_another_plan_is_foreign(space: Workspace, pieces: Path, key: str) -> None:
    job = plan(space.config, PLATFORMS)[0]
    folder = pieces / f"cell-{job.name}"
    shutil.rmtree(folder)
    piece(space, job, folder, **{key: "0123456789abcdef"})
    shutil.rmtree(pieces / "made")
    assert f'foreign: "{folder}" of {job.name} has {key} 0123456789abcdef' in refused(space, pieces)


def test_a_piece_of_a_platform_that_was_not_planned(space: Workspace, pieces: Path) -> None:
    job = plan(space.config, ["osx-arm64"])[0]
    piece(space, job, pieces / "mac")
    shutil.rmtree(pieces / "made")
    assert "is of 3.11-gcc-osx-arm64, which the plan does not have" in refused(space, pieces)


def test_two_platforms_of_one_cell_stand_side_by_side(space: Workspace, pieces: Path) -> None:
    for job in plan(space.config, ["linux-aarch64"]):
        folder = piece(space, job, pieces / job.name)
        value = json.loads((folder / LISTING).read_text())
        text = json.dumps(value).replace("manylinux_2_28_x86_64", "manylinux_2_28_aarch64")
        for path in list(folder.glob("*.whl*")):
            path.rename(path.with_name(path.name.replace("x86_64", "aarch64")))
        (folder / LISTING).write_text(text)
    shutil.rmtree(pieces / "made")
    placed = collect(space, [pieces], platforms=["linux-64", "linux-aarch64"], out=space.dist)
    assert len(placed) == 8
    assert len(list((space.dist / "wheels").glob("*.whl"))) == 4
    assert (space.dist / "conda" / "linux-aarch64" / "repodata.json").is_file()


def test_folders_that_hold_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no folder"):
        find_pieces([tmp_path / "gone"])
    with pytest.raises(ConfigError, match="holds no piece"):
        find_pieces([tmp_path])


def test_the_same_folder_twice_is_one(pieces: Path) -> None:
    one = pieces / "cell-3.11-gcc-linux-64"
    assert find_pieces([pieces, one]) == find_pieces([pieces])


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"schema": 2}', '{"schema": 1, "cell": 3}', "[" * 100_000, "\xff\x00"]
)
def test_garbage_for_a_listing(tmp_path: Path, text: str) -> None:
    (tmp_path / LISTING).write_text(text, encoding="latin-1")
    with pytest.raises(PackageError, match=LISTING):
        read_piece(tmp_path)


def test_what_a_killed_run_left_half_made_is_no_piece(pieces: Path) -> None:
    there = find_pieces([pieces])
    (pieces / ".cell-3.11-gcc-linux-64.abc123").mkdir()
    assert find_pieces([pieces]) == there


@pytest.fixture
def parted(tmp_path: Path) -> Workspace:
    return workspace(tmp_path / "parted", more='outputs = "split"\n')


def lay_out_parted(space: Workspace, folder: Path, **library: str) -> Path:
    """Lay out every piece with its library: the same one, or one by the name of the cell."""
    for job in plan(space.config, PLATFORMS):
        piece(space, job, folder / job.name, library=library.get(job.name.replace("-", "_"), "same"))
    shutil.rmtree(folder / "made")
    return folder


def test_a_library_of_its_own_is_collected_once_a_compiler(parted: Workspace, tmp_path: Path) -> None:
    placed = collect(
        parted, [lay_out_parted(parted, tmp_path / "pieces")], platforms=PLATFORMS, out=parted.dist
    )
    assert {len(one.files) for one in placed} == {3}
    assert all(path.is_file() for one in placed for path in one.files)
    for base in (parted.dist, parted.dist / "clang"):
        index = json.loads((base / "conda" / "linux-64" / "repodata.json").read_text())
        assert sorted(one["name"] for one in index["packages.conda"].values()) == ["libpkg", "pkg", "pkg"]


def test_a_library_that_depends_on_python_is_refused(parted: Workspace, tmp_path: Path) -> None:
    pieces = lay_out_parted(parted, tmp_path / "pieces", **{"3.12_gcc_linux_64": "other"})
    with pytest.raises(ConfigError, match="two cells make packages of one name") as caught:
        collect(parted, [pieces], platforms=PLATFORMS, out=parted.dist)
    assert "libpkg-1.0-h0_0.conda comes from 3.11-gcc-linux-64 and from 3.12-gcc-linux-64" in str(
        caught.value
    )
    assert "packed once for every Python" in str(caught.value)
    assert not parted.dist.exists()


def test_a_piece_without_the_library_that_the_table_asks_for(parted: Workspace, tmp_path: Path) -> None:
    for job in plan(parted.config, PLATFORMS):
        piece(parted, job, tmp_path / "pieces" / job.name)
    shutil.rmtree(tmp_path / "pieces" / "made")
    assert "lists 0 files of kind library, not 1" in refused(parted, tmp_path / "pieces")


def test_cells_of_the_stable_abi_that_were_built_apart_are_told_with_the_commands(
    space: Workspace, pieces: Path
) -> None:
    """Each machine has built its own wheel of one name; one machine would have built it once."""
    for python in ("3.12", "3.11"):
        folder = pieces / f"cell-{python}-gcc-linux-64"
        old = f"pkg-1.0-cp{python.replace('.', '')}-cp{python.replace('.', '')}-manylinux_2_28_x86_64.whl"
        new = "pkg-1.0-cp311-abi3-manylinux_2_28_x86_64.whl"
        (folder / LISTING).write_text((folder / LISTING).read_text().replace(old, new))
        for path in list(folder.glob(f"{old}*")):
            path.rename(folder / path.name.replace(old, new))
    with pytest.raises(ConfigError, match="two cells make packages of one name") as caught:
        collect(space, [pieces], platforms=PLATFORMS, out=space.dist)
    assert "`diptych cell 3.11-gcc`, then `diptych cell 3.12-gcc`" in caught.value.hint
    assert not space.dist.exists()
