"""A macOS wheel, from linked files to a repaired and re-judged one, on a machine that is no Mac."""

from __future__ import annotations

import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from diptych import process
from diptych.archives import open_package
from diptych.binaries import Signature, mapped, read_file, signature
from diptych.build.pip import pip_install
from diptych.closure import RealFiles, SearchContext, closure
from diptych.doctor import examine, find_target
from diptych.packages.machotools import mach_o_tools
from diptych.relink.apply import read_slices
from diptych.rules import Severity, all_rules
from helpers.needs import needs
from integration import make_linkage_fixtures as make

pytestmark = needs("llvm-install-name-tool", package="llvm")


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


def fetched(project: str, folder: Path, env: dict[str, str]) -> Path:
    """Return a project's macOS wheel, from the index, as pip does it."""
    fetch = [*pip_install(Path(sys.executable))[:5], "download", "-q", "--no-deps", "--only-binary=:all:"]
    where: list[str | Path] = ["--python-version", "3.12", "--platform", "macosx_11_0_arm64", "-d", folder]
    process.run([*fetch, *where, project], env=env, cwd=folder)
    (raw,) = folder.glob("*.whl")
    return raw


def test_a_real_wheel_from_pypi_survives_delocate(tmp_path: Path, tools: dict[str, str]) -> None:
    """kiwisolver is C++ and small."""
    raw = fetched("kiwisolver", tmp_path, tools)
    done = delocate(raw, tmp_path / "out", tools)
    assert errors(done) == []
    with open_package(done) as package:
        assert any(member.name.endswith(".so") for member in package.members)


@pytest.fixture(scope="module")
def boost(tmp_path_factory: pytest.TempPathFactory, session_env: dict[str, str]) -> Path:
    """The prefix in the macOS wheel of cmeel-boost: 35 real dylibs, Boost.Python among them."""
    folder = tmp_path_factory.mktemp("a-folder-whose-name-makes-for-a-long-run-path")
    raw = fetched("cmeel-boost", folder, session_env)
    assert errors(raw) == []
    unpacked(raw, folder / "x")
    return folder / "x" / "cmeel.prefix"


def code(path: Path) -> list[dict[str, str]]:
    return [dict(one.code) for one in read_slices(path)]


def found_in(path: Path, folders: tuple[Path, ...]) -> set[str]:
    """Return the libraries that dyld would load with a dylib, by name; all must come from these folders."""
    loaded = closure(path, where=SearchContext(files=RealFiles()))
    assert loaded.missing == ()
    places = [Path(one) for one in loaded.paths]
    assert all(place.resolve().parent in folders for place in places)
    return {place.name for place in places}


def test_a_real_boost_python_is_relinked_and_judged_again(boost: Path, tools: dict[str, str]) -> None:
    """In another folder than its neighbours it finds nothing by @loader_path; relinked it does, and it stays signed."""
    names = ["libboost_python312.dylib", "libboost_numpy312.dylib"]
    home = boost / "python"
    home.mkdir()
    files = [Path(shutil.copy2(boost / "lib" / name, home / name)) for name in names]
    before = [code(path) for path in files]
    assert all(closure(path, where=SearchContext(files=RealFiles())).missing for path in files)
    relink: list[str | Path] = ["diptych", "relink", *files, "--prefix", boost, "--in-place"]
    process.run(relink, env=tools, cwd=home)
    for path, old in zip(files, before, strict=True):
        assert read_file(path)[0].rpath == ("@loader_path/../lib", "@loader_path")
        assert state(path) == {Signature.ADHOC}
        assert code(path) == old
        brought = found_in(path, ((boost / "lib").resolve(), home.resolve()))
        assert {"libboost_graph.dylib", "libboost_container.dylib"} <= brought
    report = examine([find_target(str(home), cwd=home, search=[])], rules=all_rules(), host=None)
    assert [one for one in report.findings if one.severity is Severity.ERROR] == []
    again = process.run([*relink[:-1], "--dry-run"], env=tools, cwd=home)
    assert again.output.count("nothing to do") == len(names), "relinking is idempotent"


def test_a_plan_without_room_is_refused(tmp_path: Path, boost: Path, tools: dict[str, str]) -> None:
    """cmeel's linker left 64 bytes; llvm-install-name-tool 14 would write the load commands over the code."""
    library = Path(shutil.copy2(boost / "lib" / "libboost_python312.dylib", tmp_path))
    before = library.read_bytes()
    relink: list[str | Path] = [
        "diptych",
        "relink",
        library,
        "--prefix",
        boost,
        "--paths",
        "absolute",
        "--in-place",
    ]
    done = process.run(relink, env=tools, cwd=tmp_path, check=False)
    assert done.returncode != 0
    assert "64 bytes are free before the code" in done.output
    assert library.read_bytes() == before
    # What delocate would call: the tool says nothing, so the check that stands in for codesign has to.
    edit: list[str | Path] = ["install_name_tool", "-add_rpath", f"/{'x' * 100}", library]
    if process.run(edit, env=tools, cwd=tmp_path, check=False).returncode:
        return  # Apple's own refuses
    done = process.run(["codesign", "--force", "--sign", "-", library], env=tools, cwd=tmp_path, check=False)
    assert (done.returncode, "reach into the code" in done.output) == (1, True)


def test_a_module_of_a_real_boost_python_is_delocated(
    tmp_path: Path, boost: Path, tools: dict[str, str]
) -> None:
    use = "namespace boost { namespace python { void throw_error_already_set(); } }\n"
    source = use + 'extern "C" void PyInit__core() { boost::python::throw_error_already_set(); }\n'
    module = make.bundle(tmp_path, "_core.so", boost / "lib" / "libboost_python312.dylib", source=source)
    name = "lib-1.0-cp312-cp312-macosx_11_0_arm64.whl"
    places = {"lib/_core.cpython-312-darwin.so": module}
    assert [one.split()[0] for one in errors(make.wheel(tmp_path / "raw" / name, places))] == ["DIP307"]
    relink: list[str | Path] = [
        "diptych",
        "relink",
        module,
        "--prefix",
        boost,
        "--paths",
        "absolute",
        "--in-place",
    ]
    process.run(relink, env=tools, cwd=tmp_path)
    done = delocate(make.wheel(tmp_path / "relinked" / name, places), tmp_path / "out", tools)

    found = {path.name: path for path in unpacked(done, tmp_path / "x")}
    grafted = {"libboost_python312.dylib", "libboost_graph.dylib", "libboost_container.dylib"}
    assert grafted < set(found)
    assert {one for path in found.values() for one in state(path)} == {Signature.ADHOC}
    assert all(code(found[one]) == code(boost / "lib" / one) for one in grafted)
    home = found["libboost_graph.dylib"].parent.resolve()
    assert grafted <= found_in(found["_core.cpython-312-darwin.so"], (home,))
    assert errors(done) == []


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
