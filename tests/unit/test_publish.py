"""What lands in dist/, and what is taken away from it."""

from __future__ import annotations

from pathlib import Path

from diptych.cell.publish import publish, withdraw
from diptych.output import Output
from diptych.records import LIBRARY, Artefact, CellRecord, CondaPackages, read_record, write_record
from diptych.store import sha256_file
from diptych.workspace import Workspace, open_workspace
from helpers.conda_package import tiny_conda


def workspace(root: Path) -> Workspace:
    (root / "CMakeLists.txt").write_text("")
    (root / "pyproject.toml").write_text(
        '[project]\nname = "pkg"\nversion = "1.0"\n[tool.diptych]\npython = ["3.11"]\ncompiler = ["gcc", "clang"]\n'
    )
    return open_workspace(root, env={}, machine="x86_64", output=Output(env={}))


def artefact(path: Path, kind: str, tag: str) -> Artefact:
    return Artefact(kind=kind, path=path, sha256=sha256_file(path), size=path.stat().st_size, tag=tag)


def wheel(folder: Path, tag: str) -> Artefact:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"pkg-1.0-cp311-cp311-{tag}.whl"
    path.write_bytes(tag.encode())
    return artefact(path, "wheel", tag)


def test_each_compiler_has_a_place_and_a_superseded_wheel_goes(tmp_path: Path) -> None:
    space = workspace(tmp_path)
    gcc, clang = space.cells
    conda = artefact(tiny_conda(tmp_path / "made", "pkg", "1.0", "py311_0"), "conda", "py311_0")
    first = wheel(tmp_path / "made", "manylinux_2_34_x86_64")
    better = wheel(tmp_path / "made", "manylinux_2_28_x86_64")
    provenance = {"cell": gcc.id, "version": "1.0"}
    publish(space, gcc, wheel=first, conda=conda, provenance=provenance)
    mine = space.dist / "wheels" / "other-1.0-py3-none-any.whl"
    mine.write_text("somebody else's")
    publish(space, gcc, wheel=better, conda=conda, provenance=provenance)
    publish(space, clang, wheel=first, conda=conda, provenance={"cell": clang.id, "version": "1.0"})
    assert sorted(path.name for path in (space.dist / "wheels").glob("*.whl")) == [
        mine.name,
        better.path.name,
    ]
    assert (space.dist / "clang" / "wheels" / first.path.name).is_file()
    assert (space.dist / "conda" / "linux-64" / "repodata.json").is_file()
    assert (space.dist / "clang" / "conda" / "linux-64" / conda.path.name).is_file()


def test_a_record_is_read_back_only_while_its_packages_are_there(tmp_path: Path) -> None:
    space = workspace(tmp_path)
    conda = artefact(tiny_conda(tmp_path / "made", "pkg", "1.0", "py311_0"), "conda", "py311_0")
    record = CellRecord(
        cell="3.11-gcc",
        stage=tmp_path,
        stage_key="k",
        wheel=wheel(tmp_path / "made", "linux_x86_64"),
        conda=conda,
        channels=("local",),
        fallback="",
        published=(tmp_path / "x",),
        provenance={"cell": "3.11-gcc"},
    )
    write_record(space.store, record)
    assert read_record(space.store, "3.11-gcc") == record
    conda.path.unlink()
    assert read_record(space.store, "3.11-gcc") is None
    assert read_record(space.store, "3.12-gcc") is None


def test_the_library_goes_where_its_package_goes_and_stays_while_it_serves(tmp_path: Path) -> None:
    space = workspace(tmp_path)
    gcc, _ = space.cells
    made = tmp_path / "made"
    conda = artefact(tiny_conda(made, "pkg", "1.0", "py311_0"), "conda", "py311_0")
    tiny_conda(made / LIBRARY, "libpkg", "1.0", "h0_0")
    facts = {"cell": gcc.id, "version": "1.0"}
    placed = publish(space, gcc, wheel=wheel(made, "manylinux_2_28_x86_64"), conda=conda, provenance=facts)
    folder = space.dist / "conda" / "linux-64"
    assert placed[1:] == CondaPackages.kept(conda.path).placed(folder).files
    assert [path.name for path in placed[1:]] == ["pkg-1.0-py311_0.conda", "libpkg-1.0-h0_0.conda"]
    assert all(path.is_file() for path in placed)
    withdraw(space, gcc, keep=placed[2:])
    assert [path.is_file() for path in placed] == [False, False, True]
