from __future__ import annotations

import asyncio
import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import rattler
from rattler.package import IndexJson, PathsJson, RunExportsJson

from diptych.archives import open_package
from diptych.channel import index, pypi
from diptych.channel.conda_file import write
from diptych.channel.package import PLACEHOLDER, Package, PackageFile, subdir_of
from diptych.channel.python_package import _lacking
from diptych.channel.runtimes import with_needs
from diptych.channel.wheel import Wheel
from diptych.channel.wheel_package import wheel_package
from diptych.errors import ChannelError
from diptych.interpreters import Interpreter
from helpers.elf_builder import Sym, elf

NEEDS = pypi.Requirements(depends=("b >=2",), projects=("b",), python_specific=False)


@pytest.fixture
def interpreter(tmp_path: Path) -> Interpreter:
    return Interpreter(
        version="3.11.7",
        executable=tmp_path / "bin" / "python3.11",
        prefix=tmp_path,
        stdlib=tmp_path / "lib" / "python3.11",
        include=tmp_path / "include" / "python3.11",
        libpython=None,
        soabi="cpython-311-x86_64-linux-gnu",
        ext_suffix=".cpython-311-x86_64-linux-gnu.so",
        free_threaded=False,
        platform="linux-x86_64",
        built_for=str(tmp_path),
        libdir=tmp_path / "lib",
        platlibdir="lib",
        multiarch="",
        wheels=None,
        own_prefix=True,
        source="PATH",
    )


def package(text: bytes = b"hello", **changes: object) -> Package:
    files = (
        PackageFile(
            path="bin/run", read=f"#!{PLACEHOLDER}/bin/sh\n".encode, executable=True, has_placeholder=True
        ),
        PackageFile(path="lib/a.txt", read=lambda: text),
        PackageFile(path="lib/link.txt", read=lambda: text, link="a.txt"),
    )
    values: dict[str, object] = {
        "name": "thing",
        "version": "1.0",
        "build": "h{hash}_0",
        "subdir": "linux-64",
        "depends": ("numpy >=1",),
        "run_exports": {"weak": ("thing >=1.0",)},
        "origin": {"kind": "test"},
        "files": files,
    }
    return Package(**{**values, **changes})  # type: ignore[arg-type]


def wheel_file(folder: Path, tag: str, **members: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    info = "demo-1.5.dist-info"
    contents = {
        "demo/__init__.py": b"def main(): print('hello')\n",
        f"{info}/METADATA": b"Metadata-Version: 2.4\nName: demo\nVersion: 1.5\nLicense-Expression: MIT\n"
        b"Summary: A demonstration\nRequires-Python: >=3.8\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
        f"{info}/RECORD": b"demo/__init__.py,,\ndemo-1.5.data/scripts/tool,,\n",
        f"{info}/entry_points.txt": b"[console_scripts]\ndemo = demo:main\n",
        f"{info}/licenses/LICENSE": b"MIT\n",
        "demo-1.5.data/scripts/tool": b"#!python\nprint(1)\n",
        "demo-1.5.data/data/share/demo.txt": b"data\n",
        **members,
    }
    path = folder / f"demo-1.5-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in contents.items():
            archive.writestr(name, text)
    return path


def installed(root: Path, prefix: Path, *specs: str) -> None:
    async def run() -> None:
        records = await rattler.solve([root.as_uri()], [rattler.MatchSpec(spec) for spec in specs])
        await rattler.install(records, prefix, show_progress=False, cache_dir=root.parent / "cache")

    asyncio.run(run())


def add(root: Path, made: Package) -> Path:
    file = write(made, root)
    index.write_record(root, file.filename, file, made.origin)
    return root / file.subdir / file.filename


def test_written_package_reads_back(tmp_path: Path) -> None:
    path = add(tmp_path, package())
    read = IndexJson.from_package_archive(path)

    assert path.name == f"thing-1.0-{read.build}.conda"
    assert read.depends == ["numpy >=1"]
    assert RunExportsJson.from_package_archive(path).weak == ["thing >=1.0"]
    entries = {str(entry.relative_path): entry for entry in PathsJson.from_package_archive(path).paths}
    assert sorted(entries) == ["bin/run", "lib/a.txt", "lib/link.txt"]
    found = entries["bin/run"].prefix_placeholder
    assert found is not None
    assert found.placeholder == PLACEHOLDER


def test_same_input_same_bytes_other_input_other_name(tmp_path: Path) -> None:
    first, second = (write(package(), tmp_path / name) for name in ("one", "two"))
    changed = {
        write(each, tmp_path / "three").filename
        for each in (package(b"other"), package(depends=()), package(run_exports={}), package())
    }

    assert first == second
    assert len(changed) == 4


def test_two_files_on_one_path_are_refused(tmp_path: Path) -> None:
    twice = tuple(PackageFile(path="a", read=lambda: b"") for _ in range(2))

    with pytest.raises(ChannelError, match='go to "a"'):
        write(package(files=twice), tmp_path)
    assert not list(tmp_path.glob("*/*.conda"))


def test_installed_text_names_the_prefix(tmp_path: Path) -> None:
    root, prefix = tmp_path / "channel", tmp_path / "prefix"
    add(root, package(depends=()))
    index.refresh(root, say=print)
    installed(root, prefix, "thing")

    assert (prefix / "bin" / "run").read_text() == f"#!{prefix}/bin/sh\n"
    assert (prefix / "lib" / "link.txt").readlink() == Path("a.txt")
    assert os.access(prefix / "bin" / "run", os.X_OK)
    assert not (prefix / "info").exists()


def test_damage_is_seen_and_mended(tmp_path: Path) -> None:
    said: list[str] = []
    path = add(tmp_path, package())
    assert index.refresh(tmp_path, say=said.append)
    assert not index.refresh(tmp_path, say=said.append)

    key = path.name
    path.write_bytes(path.read_bytes()[:100])
    assert index.read_record(tmp_path, key) is None
    assert index.refresh(tmp_path, say=said.append)
    assert "damaged" in said[0]
    assert not path.exists()
    assert json.loads((tmp_path / "linux-64" / "repodata.json").read_text())["packages.conda"] == {}


def test_same_size_other_bytes_is_seen(tmp_path: Path) -> None:
    path = add(tmp_path, package())
    path.write_bytes(bytes(len(path.read_bytes())))

    assert index.read_record(tmp_path, path.name) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"packages.conda": 3}'], ids=repr)
def test_half_written_index_is_written_again(tmp_path: Path, text: str) -> None:
    add(tmp_path, package())
    index.refresh(tmp_path, say=print)
    repodata = tmp_path / "linux-64" / "repodata.json"
    good = json.loads(repodata.read_text())["packages.conda"].keys()
    repodata.write_text(text)

    assert index.refresh(tmp_path, say=print)
    assert json.loads(repodata.read_text())["packages.conda"].keys() == good


def test_pure_wheel_becomes_noarch(tmp_path: Path, interpreter: Interpreter) -> None:
    with Wheel(wheel_file(tmp_path / "w", "py3-none-any")) as wheel:
        made = wheel_package(wheel, interpreter, needs=NEEDS, origin={})
        path = add(tmp_path, made)

    assert made.noarch == "python"
    assert made.depends == ("b >=2", "python >=3.8")
    assert made.license == "MIT"
    assert made.entry_points == ("demo = demo:main",)
    assert made.licenses == {"LICENSE": b"MIT\n"}
    paths = [str(entry.relative_path) for entry in PathsJson.from_package_archive(path).paths]
    assert "site-packages/demo-1.5.dist-info/INSTALLER" in paths
    assert "python-scripts/tool" in paths
    assert "share/demo.txt" in paths


def test_python_specific_wheel_is_tied_to_its_python(tmp_path: Path, interpreter: Interpreter) -> None:
    needs = pypi.Requirements(depends=(), projects=(), python_specific=True)
    with Wheel(wheel_file(tmp_path / "w", "py3-none-any")) as wheel:
        assert wheel_package(wheel, interpreter, needs=needs, origin={}).depends == (
            "python >=3.11,<3.12.0a0",
        )


def test_binary_wheel_is_of_one_python(tmp_path: Path, interpreter: Interpreter) -> None:
    with Wheel(wheel_file(tmp_path / "w", "cp311-cp311-linux_x86_64")) as wheel:
        made = wheel_package(wheel, interpreter, needs=NEEDS, origin={})
        files = {file.path: file.read() for file in made.files}

    assert made.subdir == "linux-64"
    assert made.depends[1:] == ("python >=3.11,<3.12.0a0", "python_abi 3.11.* *_cp311")
    assert "lib/python3.11/site-packages/demo/__init__.py" in files
    assert files["bin/tool"].startswith(f"#!{PLACEHOLDER}/bin/python".encode())
    assert b"from demo import main" in files["bin/demo"]
    assert b".data/" not in files["lib/python3.11/site-packages/demo-1.5.dist-info/RECORD"]


@pytest.mark.parametrize("name", ["../out.py", "/etc/passwd", "demo/../../x"])
def test_wheel_that_leaves_its_folder_is_refused(tmp_path: Path, interpreter: Interpreter, name: str) -> None:
    with (
        Wheel(wheel_file(tmp_path / "w", "py3-none-any", **{name: b""})) as wheel,
        pytest.raises(ChannelError, match="outside its folder"),
    ):
        wheel_package(wheel, interpreter, needs=NEEDS, origin={})


def test_file_that_is_no_wheel(tmp_path: Path) -> None:
    for name in ("demo-1.5-py3-none-any.whl", "nonsense.whl"):
        (tmp_path / name).write_bytes(b"no zip")
        with pytest.raises(ChannelError, match="cannot read wheel"):
            Wheel(tmp_path / name)


@pytest.mark.parametrize(
    ("platform", "subdir"),
    [
        ("linux-x86_64", "linux-64"),
        ("linux-aarch64", "linux-aarch64"),
        ("macosx-11.0-arm64", "osx-arm64"),
        ("macosx-10.9-x86_64", "osx-64"),
    ],
)
def test_platform_names(platform: str, subdir: str) -> None:
    assert subdir_of(platform) == subdir


def test_what_elf_files_need_is_in_the_requirements() -> None:
    wants = [
        Sym(name="f", version=("libstdc++.so.6", "GLIBCXX_3.4.30")),
        Sym(name="g", version=("libc.so.6", "GLIBC_2.34")),
    ]
    library = elf(needed=["libstdc++.so.6", "libc.so.6"], symbols=wants)
    files = (
        PackageFile(path="lib/libthing.so.1", read=lambda: library),
        PackageFile(path="lib/libthing.so", read=lambda: library, link="libthing.so.1"),
        PackageFile(path="share/data.so.txt", read=lambda: b"no library"),
    )
    found = with_needs(package(files=files))
    assert found.depends == ("numpy >=1", "__glibc >=2.34,<3.0.a0", "libstdcxx >=12.1")
    assert tuple(found.files) == files
    assert with_needs(package(files=files, depends=("libstdcxx", "__glibc"))).depends == (
        "libstdcxx",
        "__glibc",
    )
    own = with_needs(package(name="libstdcxx", files=files, depends=()))
    assert own.depends == ("__glibc >=2.34,<3.0.a0",)


def test_a_damaged_library_is_named() -> None:
    files = (PackageFile(path="lib/libx.so", read=lambda: b"\x7fELF\x02\x01\x01" + b"\xff" * 60),)
    with pytest.raises(ChannelError, match='package "thing"'):
        with_needs(package(files=files))


@pytest.mark.parametrize(
    ("version", "free_threaded", "links"),
    [
        ("3.11.7", False, {"bin/python", "bin/python3"}),
        ("3.14.1", True, {"bin/python", "bin/python3", "bin/python3.14"}),
    ],
)
def test_scripts_find_their_python(
    interpreter: Interpreter, version: str, links: set[str], *, free_threaded: bool
) -> None:
    """Installers write ``#!…/bin/python3.14``, also where the program is called python3.14t."""
    one = replace(interpreter, version=version, free_threaded=free_threaded)
    one.executable.parent.mkdir(exist_ok=True)
    one.executable.write_bytes(b"")
    found = {f"bin/python{one.minor}": one.executable}
    lacking = {file.path: file.link for file in _lacking(one, found)}
    assert lacking == dict.fromkeys(links, f"python{one.minor}")


@pytest.mark.parametrize("mark", ["", "py_freethreading"])
def test_a_mark_that_solvers_avoid_is_in_the_index(tmp_path: Path, mark: str) -> None:
    made = write(package(track_features=mark), tmp_path)
    with open_package(next(tmp_path.rglob(made.filename))) as opened:
        assert opened.metadata.index.get("track_features", "") == mark


def test_what_cmake_and_compilers_look_for_is_where_conda_forge_has_it(
    tmp_path: Path, interpreter: Interpreter
) -> None:
    config = "demo/share/cmake/demo/demoConfig.cmake"
    more = {
        config: b"",
        "demo/cmake/far-config-version.cmake": b"",
        "demo/include/demo/demo.h": b"int one;\n",
    }
    more |= {"demo/share/pkgconfig/demo.pc": b"", "cmeel.prefix/lib/cmake/c/cConfig.cmake": b""}
    with Wheel(wheel_file(tmp_path / "w", "py3-none-any", **more)) as wheel:
        files = {
            file.path: file.read() for file in wheel_package(wheel, interpreter, needs=NEEDS, origin={}).files
        }
    assert config.encode() in files["share/cmake/demo/demoConfig.cmake"]
    assert "share/cmake/far/far-config-version.cmake" in files
    assert files["include/demo/demo.h"] == b"int one;\n"
    assert "share/pkgconfig/demo.pc" in files
    assert "share/cmake/c/cConfig.cmake" not in files
    with Wheel(wheel_file(tmp_path / "x", "cp311-cp311-linux_x86_64", **more)) as wheel:
        compiled = {file.path for file in wheel_package(wheel, interpreter, needs=NEEDS, origin={}).files}
    assert "share/cmake/demo/demoConfig.cmake" in compiled
    assert "include/demo/demo.h" not in compiled
