"""A macOS wheel, from linked files to a repaired and re-judged one, on a machine that is no Mac."""

from __future__ import annotations

import importlib.util
import os
import sys
import zipfile
from pathlib import Path

import pytest

from diptych import process
from diptych.archives import open_package
from diptych.binaries import Signature, mapped, read_file, signature
from diptych.doctor import examine, find_target
from diptych.packages.machotools import mach_o_tools
from diptych.packages.pip import pip_install
from diptych.relink.editors import find_install_name_tool
from diptych.rules import Severity, all_rules

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ziglang") is None or find_install_name_tool(os.environ) is None,  # noqa: TID251 -- as conftest
    reason="needs ziglang and llvm-install-name-tool",
)


@pytest.fixture
def tools(tmp_path: Path, env: dict[str, str]) -> dict[str, str]:
    folder = tmp_path / "tools"
    folder.mkdir()
    return mach_o_tools(folder, env)


def delocate(wheel: Path, out: Path, env: dict[str, str]) -> Path:
    process.run(["delocate-wheel", "-w", out, "-v", wheel], env=env, cwd=wheel.parent)
    (done,) = out.glob("*.whl")
    return done


def unpacked(wheel: Path, folder: Path) -> list[Path]:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return sorted(path for suffix in ("*.so", "*.dylib") for path in folder.rglob(suffix))


def state(path: Path) -> set[Signature]:
    with mapped(path) as data:
        return {signature(binary, data) for binary in read_file(path)}


def errors(wheel: Path) -> list[str]:
    report = examine([find_target(str(wheel), cwd=wheel.parent, search=[])], rules=all_rules(), host=None)
    return [f"{one.code} {one.message}" for one in report.findings if one.severity is Severity.ERROR]


def test_a_linked_bundle_is_delocated_and_stays_signed(tmp_path: Path, tools: dict[str, str]) -> None:
    zig = [
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-target",
        "aarch64-macos.11.0",
        "-shared",
        "-undefined",
        "dynamic_lookup",
    ]
    tree = tmp_path / "tree"
    (tree / "pkg").mkdir(parents=True)
    (tmp_path / "foo.c").write_text("int foo(void) {return 1;}")
    (tmp_path / "core.c").write_text("int foo(void); int PyInit__core(void) {return foo();}")
    library = tmp_path / "lib" / "libfoo.dylib"
    library.parent.mkdir()
    room = "-Wl,-headerpad_max_install_names"
    process.run([*zig, "foo.c", "-o", library, room, f"-Wl,-install_name,{library}"], env=tools, cwd=tmp_path)
    module = tree / "pkg" / "_core.cpython-311-darwin.so"
    process.run([*zig, "core.c", "-o", module, room, library], env=tools, cwd=tmp_path)
    info = tree / "pkg-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pkg\nVersion: 1.0\n")
    (info / "WHEEL").write_text(
        "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: false\nTag: cp311-cp311-macosx_11_0_arm64\n"
    )
    process.run([sys.executable, "-m", "wheel", "pack", tree, "-d", tmp_path], env=tools, cwd=tmp_path)
    (raw,) = tmp_path.glob("*.whl")

    done = delocate(raw, tmp_path / "out", tools)

    found = {path.name: path for path in unpacked(done, tmp_path / "x")}
    assert set(found) == {"_core.cpython-311-darwin.so", "libfoo.dylib"}
    assert (
        "@loader_path/../pkg.dylibs/libfoo.dylib" in read_file(found["_core.cpython-311-darwin.so"])[0].needed
    )
    assert {one for path in found.values() for one in state(path)} == {Signature.ADHOC}
    assert errors(done) == []


def test_a_real_wheel_from_pypi_survives_delocate(tmp_path: Path, tools: dict[str, str]) -> None:
    """kiwisolver is C++ and small; its macOS wheel is fetched by hash from the index, as pip does."""
    fetch = [*pip_install(Path(sys.executable))[:5], "download", "-q", "--no-deps", "--only-binary=:all:"]
    where: list[str | Path] = ["--python-version", "3.12", "--platform", "macosx_11_0_arm64", "-d", tmp_path]
    process.run([*fetch, *where, "kiwisolver"], env=tools, cwd=tmp_path)
    (raw,) = tmp_path.glob("*.whl")
    done = delocate(raw, tmp_path / "out", tools)
    assert errors(done) == []
    with open_package(done) as package:
        assert any(member.name.endswith(".so") for member in package.members)


def test_a_broken_signature_is_not_passed_over(tmp_path: Path, tools: dict[str, str]) -> None:
    zig = [sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-macos.11.0", "-shared"]
    (tmp_path / "foo.c").write_text('const char *words(void) {return "some words";}')
    process.run([*zig, "foo.c", "-o", "foo.dylib"], env=tools, cwd=tmp_path)
    library = tmp_path / "foo.dylib"
    assert process.run(["codesign", "--verify", library], env=tools, cwd=tmp_path).output == ""
    library.write_bytes(library.read_bytes().replace(b"some words", b"SOME words"))
    done = process.run(["codesign", "--force", "--sign", "-", library], env=tools, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "page hashes no longer agree" in done.output
