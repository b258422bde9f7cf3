"""C++ libraries that a cell's own compiler compiles: which, from what source, and one message for each bad input."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from diptych.channel import index
from diptych.channel.conda_file import CondaFile, write
from diptych.channel.package import Package
from diptych.compilers import Compiler
from diptych.config import LibrarySpec, load
from diptych.errors import ChannelError, ConfigError, DiptychError, HostEnvironmentError, MissingToolError
from diptych.libraries import apt, asks, boost, planned, project, source
from diptych.libraries.channel import check_versions, record
from diptych.libraries.making import Installed, Making, text_file
from diptych.libraries.plan import Plan
from diptych.store import Store

SPECS = ("libboost-python-devel >=1.80", "eigen", "numpy")
FMT = LibrarySpec(name="fmt", source="fmt")
BOOST = LibrarySpec(name="boost", source="boost.tar.xz")
GCC = Compiler(
    name="gcc", cc=Path("/x/gcc"), cxx=Path("/x/g++"), family="gcc", version="12.2.0", target="x86_64-linux-gnu",
    library="libstdc++", library_version="12", library_date="20220819", abi="cxx11", glibc="2.36",
)  # fmt: skip
LIBCXX = replace(GCC, name="clang-libcxx", family="clang", library="libc++", library_version="14", abi="1")


def plan(*specs: str, compiler: Compiler = LIBCXX, libraries: tuple[LibrarySpec, ...] = ()) -> Plan | None:
    return planned(specs, libraries, compiler=compiler, flags=())


def certain(found: Plan | None) -> Plan:
    assert found
    return found


def place(folder: Path, env: dict[str, str] | None = None) -> source.Place:
    return source.Place(root=folder, store=Store(root=folder / ".diptych"), env=env or {}, say=lambda _: None)


def archive(path: Path, *names: str) -> str:
    """Write an archive with a folder at its top, and return its hash."""
    with tarfile.open(path, "w:xz") as tar:
        for name in names:
            member = tarfile.TarInfo(f"top-1.0/{name}")
            member.size = len(name)
            tar.addfile(member, io.BytesIO(name.encode()))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_packages_of_the_channels_fit_the_usual_abi() -> None:
    assert plan(*SPECS, compiler=GCC) is None


@pytest.mark.parametrize("compiler", [LIBCXX, replace(GCC, abi="pre-cxx11")], ids=["libc++", "older strings"])
def test_another_abi_compiles_boost_python(compiler: Compiler) -> None:
    found = certain(plan(*SPECS, compiler=compiler))
    assert [one.source for one in found.libraries] == ["apt:boost1.90/sid"]
    assert found.packages == {"libboost-headers", "libboost-python", "libboost-python-devel"}
    assert found.others(SPECS) == ("eigen", "numpy")
    assert found.abi in {"libcxx1", "libstdcxx_pre_cxx11"}
    assert found.folder.startswith(f"{compiler.name}-{found.abi}-")


def test_a_python_that_no_package_is_for() -> None:
    found = planned(SPECS, (), compiler=GCC, flags=(), lacking=True)
    assert certain(found).abi == "libstdcxx_cxx11"


def test_what_the_table_names_is_always_compiled() -> None:
    found = certain(plan(*SPECS, "fmt >=9", compiler=GCC, libraries=(BOOST, FMT)))
    assert found.libraries == (BOOST, FMT)
    assert found.specs == ("libboost-python-devel >=1.80", "fmt >=9")
    assert found.others((*SPECS, "fmt >=9")) == ("eigen", "numpy")


@pytest.mark.parametrize(
    "specs", [("libboost-headers",), ("local::libboost-python-devel",), ("eigen",), ()],
    ids=["headers alone", "by hand", "another", "none"],
)  # fmt: skip
def test_what_needs_no_compiler(specs: tuple[str, ...]) -> None:
    assert plan(*specs) is None
    assert not asks(specs, (FMT,))


def test_what_a_person_has_added_is_taken() -> None:
    added = ("libboost-python-devel",)
    assert planned(SPECS, (), compiler=LIBCXX, flags=(), by_hand=added) is None
    assert planned(SPECS, (BOOST,), compiler=LIBCXX, flags=(), by_hand=added)


def test_another_compiler_is_another_channel() -> None:
    folders = {
        certain(planned(SPECS, (), compiler=compiler, flags=flags)).folder
        for compiler in (LIBCXX, replace(LIBCXX, version="16.0.6"), replace(LIBCXX, glibc="2.17"))
        for flags in ((), ("-O1",))
    }
    assert len(folders) == 6
    moved = certain(planned(SPECS, (), compiler=replace(LIBCXX, cxx=Path("/y/c++")), flags=()))
    assert moved.folder in folders


def test_an_abi_that_cannot_be_told() -> None:
    with pytest.raises(MissingToolError, match='the ABI of the compiler "gcc" cannot be told'):
        plan(*SPECS, compiler=replace(GCC, abi=""))


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("boost/python.hpp", "include/boost/python.hpp"),
        ("libs/mpl/include/boost/mpl/if.hpp", "include/boost/mpl/if.hpp"),
        (
            "libs/numeric/conversion/include/boost/numeric/conversion/cast.hpp",
            "include/boost/numeric/conversion/cast.hpp",
        ),
        ("libs/python/src/object/class.cpp", "src/object/class.cpp"),
        ("LICENSE_1_0.txt", "LICENSE_1_0.txt"),
        ("libs/regex/src/regex.cpp", None),
        ("libs/mpl/test/include/boost/x.hpp", None),
        ("libs/python/src/fabscript", None),
    ],
)
def test_what_is_needed_of_boost(name: str, kept: str | None) -> None:
    assert boost.select(name) == kept


def test_what_is_no_boost(tmp_path: Path) -> None:
    with pytest.raises(ChannelError, match="not the source of Boost"):
        boost.version_of(tmp_path)


def boost_tree(folder: Path, version: int = 109000) -> Path:
    for name, text in {
        "include/boost/version.hpp": f"#define BOOST_VERSION {version}\n",
        "src/module.cpp": "",
        "LICENSE_1_0.txt": "BSL",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_the_packages_of_boost_carry_the_abi(tmp_path: Path) -> None:
    tree = boost_tree(tmp_path)
    making = Making(
        name="boost", tree=tree, version=boost.version_of(tree), python="3.11", abi="libcxx1", subdir="linux-64",
        origin={"kind": "source"},
    )  # fmt: skip
    files = [
        text_file("lib/libboost_python311.so.1.90.0", ""),
        replace(text_file("lib/libboost_python311.so", ""), link="libboost_python311.so.1.90.0"),
    ]
    library, devel = boost.packages(making, Installed(files=files, numpy="2.3.1"))
    assert library.build == devel.build == "py311_libcxx1_h{hash}_0"
    assert library.depends == (
        "python >=3.11,<3.12.0a0",
        "python_abi 3.11.* *_cp311",
        "numpy >=1.23,<3",
    )
    assert [file.path for file in library.files] == ["lib/libboost_python311.so.1.90.0"]
    assert "libboost-python ==1.90.0 *_libcxx1_*" in devel.depends
    assert devel.run_exports == {"weak": ("libboost-python >=1.90.0,<1.91.0a0 *_libcxx1_*",)}
    assert "lib/cmake/Boost-1.90.0/BoostConfig.cmake" in [file.path for file in devel.files]
    assert library.licenses == {"LICENSE_1_0.txt": b"BSL"}


def test_another_version_than_the_table_asks_for() -> None:
    file = CondaFile(
        subdir="linux-64", filename="x.conda", name="libboost-python-devel", version="1.90.0", build="0", sha256="", size=0
    )  # fmt: skip
    wanted = certain(plan("libboost-python-devel 1.85.*"))
    with pytest.raises(HostEnvironmentError) as caught:
        check_versions(wanted, [file])
    assert caught.value.summary == (
        'the table asks for "libboost-python-devel 1.85.*", and the source that clang-libcxx compiles is 1.90.0'
    )
    check_versions(certain(plan(*SPECS)), [file])


def test_a_package_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    def put(name: str, build: str) -> str:
        package = Package(
            name=name, version="1.0", build=build, files=[text_file("lib/x", build)], origin={}, subdir="linux-64"
        )  # fmt: skip
        file = write(package, tmp_path)
        record(tmp_path, f"key-{file.filename}", file, {})
        return file.filename

    gone = [put("far", "x_libcxx1_h0_0"), put("libboost-python", "py311_libcxx1_h0_0")]
    kept = [
        put("far", "x_libcxx1_h1_0"), put("libboost-python", "py311_libcxx1_h1_0"),
        put("libboost-python", "py312_libcxx1_h1_0"), put("libboost-python", "py313t_libcxx1_h1_0"),
    ]  # fmt: skip
    index.refresh(tmp_path, say=lambda _: None)
    assert sorted(path.name for path in (tmp_path / "linux-64").glob("*.conda")) == sorted(kept)
    assert not set(gone) & set(kept)


def test_a_library_of_cmake_states_its_version(tmp_path: Path) -> None:
    (tmp_path / "LICENSE.rst").write_text("MIT", encoding="utf-8")
    making = Making(
        name="fmt", tree=tmp_path, version="", python="", abi="libcxx1", subdir="linux-64", origin={}
    )
    files = [text_file("lib/libfmt.so.11", "")]
    made = project.package(making, Installed(files=files, version="11.0.2"))
    assert (made.name, made.version, made.build) == ("fmt", "11.0.2", "x_libcxx1_h{hash}_0")
    assert made.run_exports == {"weak": ("fmt >=11.0.2,<12.0a0 *_libcxx1_*",)}
    assert made.licenses == {"LICENSE.rst": b"MIT"}
    early = project.package(making, Installed(files=files, version="0.4.1"))
    assert early.run_exports == {"weak": ("fmt >=0.4.1,<0.5.0a0 *_libcxx1_*",)}
    with pytest.raises(ChannelError, match=r'the CMakeLists.txt of "fmt" states no version'):
        project.package(making, Installed(files=files))


def test_sources_of_a_folder_and_of_an_archive(tmp_path: Path) -> None:
    sha256 = archive(tmp_path / "fmt.tar.xz", "CMakeLists.txt", "src/a.cpp", "../../evil")
    here = place(tmp_path)
    packed = source.find(replace(FMT, source="fmt.tar.xz"), here, project.select)
    assert packed.sha256 == sha256
    tree = source.unpacked(packed, here, project.select)
    assert {path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()} == {
        ".manifest.json", "CMakeLists.txt", "src/a.cpp",
    }  # fmt: skip
    (tmp_path / "fmt" / ".git").mkdir(parents=True)
    for name in ("CMakeLists.txt", ".git/HEAD"):
        (tmp_path / "fmt" / name).write_text("x", encoding="utf-8")
    folder = source.find(FMT, here, project.select)
    copied = source.unpacked(folder, here, project.select)
    assert sorted(path.name for path in copied.iterdir()) == [".manifest.json", "CMakeLists.txt"]
    (tmp_path / "fmt/CMakeLists.txt").write_text("y", encoding="utf-8")
    assert source.find(FMT, here, project.select).sha256 != folder.sha256


def test_a_url_is_checked_by_its_hash(tmp_path: Path) -> None:
    sha256 = archive(tmp_path / "fmt.tar.xz", "CMakeLists.txt")
    url = (tmp_path / "fmt.tar.xz").as_uri()
    here = place(tmp_path)
    found = source.find(replace(FMT, source=f"{url}#sha256={sha256}"), here, project.select)
    assert found.origin == {"source": f"{url}#sha256={sha256}", "url": url, "sha256": sha256}
    assert (source.unpacked(found, here, project.select) / "CMakeLists.txt").is_file()
    other = source.find(replace(FMT, source=f"{url}#sha256={'0' * 64}"), here, project.select)
    with pytest.raises(ChannelError, match=r'the source of "fmt" cannot be had: .*its hash differs'):
        source.unpacked(other, here, project.select)


def test_a_source_that_is_not_there_or_damaged(tmp_path: Path) -> None:
    here = place(tmp_path)
    with pytest.raises(ChannelError, match='the source of "fmt" is not there: no file or folder') as caught:
        source.find(FMT, here, project.select)
    assert caught.value.hint == 'name another: [tool.diptych.libraries.fmt], source = "…"'
    archive(tmp_path / "cut.tar.xz", "CMakeLists.txt")
    whole = (tmp_path / "cut.tar.xz").read_bytes()
    (tmp_path / "cut.tar.xz").write_bytes(whole[: len(whole) // 2])
    cut = source.find(replace(FMT, source="cut.tar.xz"), here, project.select)
    with pytest.raises(ChannelError, match="cannot be unpacked"):
        source.unpacked(cut, here, project.select)
    (tmp_path / "none.tar.xz").write_bytes(b"no archive")
    none = source.find(replace(FMT, source="none.tar.xz"), here, project.select)
    with pytest.raises(ChannelError, match="cannot be unpacked"):
        source.unpacked(none, here, project.select)
    archive(tmp_path / "other.tar.xz", "README")
    other = source.find(replace(BOOST, source="other.tar.xz"), here, boost.select)
    with pytest.raises(ChannelError, match='is not the source of "boost"'):
        source.unpacked(other, here, boost.select)


APT = """\
#!/bin/sh
case "$*" in
  indextargets*) echo 'http://m/other|Elsewhere|Elsewhere'; echo 'http://m/debian-security|Debian|Debian-Security'; echo 'http://m/debian|Debian|Debian' ;;
  update) cat {folder}/sid/parts/suite.sources > {folder}/asked ;;
  *none*) echo 'E: Unable to find a source package for none'; exit 100 ;;
  *two*) for part in a b; do echo "'http://m/$part' $part.orig.tar.xz 3 SHA256:{hash}"; done ;;
  *) echo "'http://m/b.dsc' b.dsc 3 SHA256:{hash}"; echo "'http://m/b.orig.tar.xz' b.orig.tar.xz 3 SHA256:{hash}" ;;
esac
"""


def test_what_apt_says(tmp_path: Path) -> None:
    program = tmp_path / "bin/apt-get"
    program.parent.mkdir()
    folder = tmp_path / "lists"
    program.write_text(APT.format(folder=folder, hash="a" * 64), encoding="utf-8")
    program.chmod(0o755)
    env = {"PATH": f"{program.parent}:/usr/bin:/bin"}
    wanted = apt.Archive(url="http://m/b.orig.tar.xz", sha256="a" * 64)
    assert apt.find("boost1.90", folder=folder, env=env) == wanted
    assert not (folder / "asked").exists()
    assert apt.find("boost1.90/sid", folder=folder, env=env) == wanted
    asked = (folder / "asked").read_text(encoding="utf-8").splitlines()
    assert asked[:4] == [
        "Types: deb-src",
        "URIs: http://m/debian",
        "Suites: sid",
        "Components: main",
    ]
    assert asked[4:] in ([], ["Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg"])
    with pytest.raises(ChannelError, match='apt has no source package "none"') as caught:
        apt.find("none", folder=folder, env=env)
    assert caught.value.details == ("E: Unable to find a source package for none",)
    with pytest.raises(ChannelError, match="apt knows 2 archives"):
        apt.find("two", folder=folder, env=env)


def test_a_machine_without_apt(tmp_path: Path) -> None:
    spec = replace(BOOST, source="apt:boost1.90")
    with pytest.raises(DiptychError, match=r'the source of "boost" cannot be had: "apt:boost1.90"'):
        source.find(spec, place(tmp_path, {"PATH": str(tmp_path)}), boost.select)


TABLE = """
[project]
name = "pair"
version = "1"
[tool.diptych]
python = ["3.11"]
[tool.diptych.libraries.{name}]
source = "{source}"
"""


@pytest.mark.parametrize(
    "written", ["../fmt", "fmt.tar.gz", "apt:fmtlib", "apt:boost1.90/sid", f"https://x.example/a.tgz#sha256={'a' * 64}"]
)  # fmt: skip
def test_the_table(tmp_path: Path, written: str) -> None:
    (tmp_path / "pyproject.toml").write_text(TABLE.format(name="fmt", source=written), encoding="utf-8")
    assert load(tmp_path).libraries == (LibrarySpec(name="fmt", source=written),)


@pytest.mark.parametrize(
    ("name", "written"),
    [("fmt", "https://x.example/a.tgz"), ("fmt", "apt:"), ("fmt", "ftp://x/a"), ("A b", "fmt")],
)
def test_a_table_that_is_wrong(tmp_path: Path, name: str, written: str) -> None:
    key = f'"{name}"' if " " in name else name
    (tmp_path / "pyproject.toml").write_text(TABLE.format(name=key, source=written), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert "tool.diptych.libraries" in str(caught.value)
