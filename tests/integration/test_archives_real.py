"""What the real tools write is read, verified and unpacked."""

from __future__ import annotations

import subprocess  # noqa: TID251 -- the real tool
import sys
from pathlib import Path

import rattler_build

from diptych.archives import PackageKind, open_package, unpack, verify_record
from helpers.archive_makers import FILES, make_folder


def test_a_package_of_rattler_build(tmp_path: Path) -> None:
    root = make_folder(tmp_path, links={"pair/link.so": "_core.so"})
    done = rattler_build.assemble_package(
        name="pair",
        version="1.2",
        target_platform="linux-64",
        build_string="h0_0",
        output_dir=tmp_path / "out",
        files_dir=root,
    )
    with open_package(Path(done.path)) as package:
        assert (package.kind, package.name, package.version) == (PackageKind.CONDA, "pair", "1.2")
        assert {member.name for member in package.payload} == {*FILES, "pair/link.so"}
        assert verify_record(package) == ()
        unpack(package, tmp_path / "unpacked")
    assert (tmp_path / "unpacked" / "pair" / "_core.so").read_bytes() == FILES["pair/_core.so"]


def test_a_wheel_of_pip(tmp_path: Path, env: dict[str, str]) -> None:
    source = tmp_path / "source"
    (source / "pair").mkdir(parents=True)
    (source / "pair" / "__init__.py").write_text("")
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "pair"\nversion = "1.2"\n'
    )
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(source)]
    subprocess.run(command, env=env, cwd=tmp_path, check=True)
    (path,) = tmp_path.glob("*.whl")
    with open_package(path) as package:
        assert [member.name for member in package.payload] == ["pair/__init__.py"]
        assert verify_record(package) == ()
