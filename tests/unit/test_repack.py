"""Conda packages in their one form, wheels written again, and SHA256SUMS."""

from __future__ import annotations

import json
import os
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from diptych.archives import open_package, verify_record
from diptych.errors import FormatError, PackageError
from diptych.packages.checksums import check_sums, write_sums
from diptych.packages.neutral import Neutral, local_names
from diptych.packages.repack import RepackJob, repack
from diptych.packages.rewheel import rewrite
from helpers.archive_makers import (
    FILES,
    INDEX,
    conda_from_tars,
    conda_info,
    make_conda,
    make_wheel,
    tar_bytes,
)

EPOCH = 1_600_000_000
TAG = f"cpython-{sys.version_info.major}{sys.version_info.minor}"


def job(folder: Path, env: dict[str, str]) -> RepackJob:
    names = local_names({folder: "$CHECKOUT"}, (f"file://{folder}/channel",))
    return RepackJob(
        neutral=Neutral(names=names, epoch=EPOCH),
        python=Path(sys.executable),
        tag=TAG,
        env=env,
        log=folder / "log",
    )


def made_in(folder: Path, *, time: int, backwards: bool) -> Path:
    """Make a package as a packer in that folder does, at that time, with members in one or the other order."""
    folder.mkdir(parents=True)
    placeholder = f"{folder}/env_placehold".ljust(255, "_")
    files = {
        **FILES,
        "lib/pair.py": b"answer = 42\n",
        f"lib/__pycache__/pair.{TAG}.pyc": os.urandom(20),
        "bin/pair": f"#!{placeholder}/bin/python\n".encode(),
    }
    info = conda_info(files)
    paths = json.loads(info["info/paths.json"])
    for path in paths["paths"]:
        if path["_path"] == "bin/pair":
            path |= {"file_mode": "text", "prefix_placeholder": placeholder}
    info |= {
        "info/paths.json": json.dumps(paths).encode(),
        "info/index.json": json.dumps(
            {**INDEX, "timestamp": time * 1000, "depends": ["numpy", "python"][:: -1 if backwards else 1]}
        ).encode(),
        "info/about.json": json.dumps({"channels": [f"file://{folder}/channel/"]}).encode(),
        "info/recipe/recipe.yaml": f"license_file: {folder}/LICENSE\n".encode(),
        "info/recipe/rendered_recipe.yaml": yaml.safe_dump(
            {
                "recipe": {
                    "package": {"name": "libpair"},
                    "context": {"version": "3.10", "flag": "no", "stage": f"{folder}/stage"},
                },
                "build_configuration": {
                    "timestamp": str(time),
                    "directories": {"work_dir": f"{folder}/work"},
                    "subpackages": {"libpair": {"name": "libpair"}, "pair": {"build_string": f"py{time}_0"}},
                    "host_platform": {"platform": "linux-64", "virtual_packages": [f"__linux={time}=0"]},
                },
            }
        ).encode(),
        "info/licenses/LICENSE": b"as is\n",
    }
    order = -1 if backwards else 1
    return conda_from_tars(
        folder, tar_bytes(dict(list(info.items())[::order])), tar_bytes(dict(list(files.items())[::order]))
    )


@pytest.fixture
def pair(tmp_path: Path, env: dict[str, str]) -> tuple[Path, Path]:
    short, long = tmp_path / "a", tmp_path / "b" / "deeper" / "and-longer"
    first = made_in(short, time=1_700_000_000, backwards=False)
    second = made_in(long, time=1_710_000_000, backwards=True)
    assert first.read_bytes() != second.read_bytes()
    repack(first, job(short, env))
    repack(second, job(long, env))
    return first, second


def test_two_packers_give_the_same_bytes(pair: tuple[Path, Path]) -> None:
    assert pair[0].read_bytes() == pair[1].read_bytes()


def test_the_record_holds_after_repacking(pair: tuple[Path, Path]) -> None:
    with open_package(pair[0]) as package:
        assert verify_record(package) == ()


def test_nothing_of_the_machine_is_left(pair: tuple[Path, Path], tmp_path: Path) -> None:
    with open_package(pair[0]) as package:
        contents = {member.name: content for member, content in package.walk(lambda _: True)}
    assert not [name for name, content in contents.items() if str(tmp_path).encode() in content]
    assert json.loads(contents["info/index.json"])["timestamp"] == EPOCH * 1000
    assert json.loads(contents["info/index.json"])["depends"] == ["numpy", "python"]
    assert json.loads(contents["info/about.json"])["channels"] == ["local/"]
    rendered = yaml.safe_load(contents["info/recipe/rendered_recipe.yaml"])
    assert rendered["recipe"]["context"] == {"version": "3.10", "flag": "no", "stage": "$CHECKOUT/stage"}
    assert rendered["build_configuration"]["host_platform"]["virtual_packages"] == []
    assert rendered["build_configuration"]["subpackages"] == {"libpair": {"name": "libpair"}}
    assert rendered["build_configuration"]["directories"] == {"work_dir": "$WORK_DIR"}


def test_a_placeholder_keeps_its_length(pair: tuple[Path, Path]) -> None:
    with open_package(pair[0]) as package:
        script = package.read("bin/pair")
        (entry,) = [one for one in package.metadata.paths["paths"] if one["_path"] == "bin/pair"]
    assert len(entry["prefix_placeholder"]) == 255
    assert script == f"#!{entry['prefix_placeholder']}/bin/python\n".encode()


def test_byte_code_is_checked_by_hash_and_knows_no_folder(pair: tuple[Path, Path]) -> None:
    with open_package(pair[0]) as package:
        code = package.read(f"lib/__pycache__/pair.{TAG}.pyc")
    assert int.from_bytes(code[4:8], "little") == 0b11
    assert b"lib/pair.py" in code


def test_members_are_sorted_and_have_the_epoch(pair: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(pair[0]) as archive:
        assert [name.split("-")[0] for name in archive.namelist()] == ["metadata.json", "pkg", "info"]
        assert {entry.date_time for entry in archive.infolist()} == {(2020, 9, 13, 12, 26, 40)}


def test_links_and_modes_survive(tmp_path: Path, env: dict[str, str]) -> None:
    path = make_conda(tmp_path, links={"pair/link.so": "_core.so"})
    repack(path, job(tmp_path, env))
    with open_package(path) as package:
        found = {member.name: member for member in package.payload}
    assert found["pair/link.so"].link == "_core.so"
    assert {name: found[name].mode for name in FILES} == {
        name: 0o755 if name.endswith(".so") else 0o644 for name in FILES
    }


def test_metadata_that_is_no_json_is_named(tmp_path: Path, env: dict[str, str]) -> None:
    path = make_conda(tmp_path, info={**conda_info(), "info/about.json": b"{"})
    with pytest.raises(PackageError, match="metadata cannot be read"):
        repack(path, job(tmp_path, env))
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_source_that_does_not_compile_is_refused(tmp_path: Path, env: dict[str, str]) -> None:
    files = {"lib/pair.py": b"answer =\n", f"lib/__pycache__/pair.{TAG}.pyc": b"0" * 20}
    path = make_conda(tmp_path, files)
    with pytest.raises(PackageError, match="cannot be compiled"):
        repack(path, job(tmp_path, env))


def test_tokens_of_a_channel_are_not_kept(tmp_path: Path) -> None:
    names = local_names({tmp_path: "$X"}, ("https://me:secret@conda.example.com/t/tk-1/mine", "conda-forge"))
    text = Neutral(names=names, epoch=EPOCH).text(
        "from https://me:secret@conda.example.com/t/tk-1/mine/noarch"
    )
    assert text == "from https://conda.example.com/mine/noarch"


def test_a_rewritten_wheel_has_one_form(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    wheels = make_wheel(tmp_path), make_wheel(tmp_path / "b", folders=True)
    for wheel in wheels:
        rewrite(wheel, extra={"sboms/x.json": b"{}", "licenses/grafted/z/LICENSE": b"z"}, epoch=EPOCH)
    assert wheels[0].read_bytes() == wheels[1].read_bytes()
    with open_package(wheels[0]) as package:
        assert verify_record(package) == ()
        assert package.find("pair/_core.so") == replace(package.find("pair/_core.so"), mode=0o755)  # type: ignore[type-var]
    with zipfile.ZipFile(wheels[0]) as archive:
        names = archive.namelist()
    assert names[-1] == "pair-1.2.dist-info/RECORD"
    info = [name.startswith("pair-1.2.dist-info/") for name in names]
    assert info == sorted(info)


def test_sums_are_read_by_the_usual_tool_and_by_us(tmp_path: Path) -> None:
    for name in ("b.whl", "a.conda"):
        (tmp_path / name).write_text(name)
    sums = write_sums(tmp_path, [tmp_path / "b.whl", tmp_path / "a.conda"])
    assert [line[66:] for line in sums.read_text().splitlines()] == ["a.conda", "b.whl"]
    assert check_sums(sums) == ()
    (tmp_path / "b.whl").write_text("tampered")
    (tmp_path / "a.conda").unlink()
    assert [fault.split(":")[0] for fault in check_sums(sums)] == ["a.conda", "b.whl"]


@pytest.mark.parametrize("line", ["nonsense", f"{'0' * 64}  ../up", f"{'0' * 64}  /etc/passwd"])
def test_sums_that_lead_outside_are_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "SHA256SUMS").write_text(line + "\n")
    with pytest.raises(FormatError, match="line 1"):
        check_sums(tmp_path / "SHA256SUMS")
