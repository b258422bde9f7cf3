"""Compilers that are scripts: each says what a real one would, so every family is met on any machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych.compilers import detect, installed
from diptych.config import CompilerSpec
from diptych.distributions import Needed, how_to_install
from diptych.errors import MissingToolError

GCC = [
    "__GNUC__ 13",
    "__GNUC_MINOR__ 3",
    "__GNUC_PATCHLEVEL__ 1",
    "__GLIBCXX__ 20240521",
    "_GLIBCXX_RELEASE 13",
]
CLANG = ["__GNUC__ 4", "__clang__ 1", "__clang_major__ 17", "__clang_minor__ 0", "__clang_patchlevel__ 6"]
APPLE = [*CLANG, "__apple_build_version__ 15000040", "_LIBCPP_VERSION 170006"]


def compiler(path: Path, macros: list[str], *, target: str = "x86_64-linux-gnu") -> None:
    """Write a stand-in, and beside it the C compiler that goes with it."""
    defines = "\n".join(f"#define {macro}" for macro in macros)
    script = f"""#!/bin/sh
case "$*" in
  *-dumpmachine) echo "warning: unused" >&2; echo {target};;
  *) cat <<'END'
{defines}
END
;;
esac
"""
    path.parent.mkdir(parents=True, exist_ok=True)
    cc = path.with_name(path.name.replace("clang++", "clang").replace("g++", "gcc"))
    for file in (path, cc):
        file.write_text(script)
        file.chmod(0o755)


@pytest.mark.parametrize(
    ("macros", "described"),
    [
        (GCC, "gcc 13.3.1 for x86_64-linux-gnu, libstdc++ 13 of 20240521"),
        ([*CLANG, *GCC[3:]], "clang 17.0.6 for x86_64-linux-gnu, libstdc++ 13 of 20240521"),
        ([*CLANG, "_LIBCPP_VERSION 170006"], "clang 17.0.6 for x86_64-linux-gnu, libc++ 17"),
        ([*CLANG, "_LIBCPP_VERSION 14000"], "clang 17.0.6 for x86_64-linux-gnu, libc++ 14"),
        ([*CLANG, "_LIBCPP_VERSION 9000"], "clang 17.0.6 for x86_64-linux-gnu, libc++ 9"),
        (APPLE, "apple-clang 17.0.6 for x86_64-linux-gnu, libc++ 17"),
    ],
)
def test_the_macros_decide_not_the_name(tmp_path: Path, macros: list[str], described: str) -> None:
    compiler(tmp_path / "g++", macros)
    found = detect(CompilerSpec(name="gcc", cc="gcc", cxx="g++"), {"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert found.describe() == f"gcc: {described}, {tmp_path / 'g++'}"
    assert found.cc == tmp_path / "gcc"


@pytest.mark.parametrize(
    ("macros", "abi", "glibc", "baseline"),
    [
        ([*GCC, "_GLIBCXX_USE_CXX11_ABI 1", "__GLIBC__ 2", "__GLIBC_MINOR__ 36"], "cxx11", "2.36", ""),
        ([*GCC, "_GLIBCXX_USE_CXX11_ABI 0", "__x86_64__ 1", "__SSE3__ 1"], "pre-cxx11", "", "x86-64"),
        ([*GCC, "__x86_64__ 1", "__SSE3__ 1", "__SSE4_2__ 1", "__POPCNT__ 1"], "", "", "x86-64-v2"),
        ([*APPLE, "_LIBCPP_ABI_VERSION 2", "__ARM_ARCH 8"], "2", "", "armv8"),
    ],
)
def test_its_abi_its_glibc_and_its_oldest_processor(
    tmp_path: Path, macros: list[str], abi: str, glibc: str, baseline: str
) -> None:
    compiler(tmp_path / "g++", macros)
    found = detect(CompilerSpec(name="gcc", cc="gcc", cxx="g++"), {"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert (found.abi, found.glibc, found.baseline) == (abi, glibc, baseline)


@pytest.mark.parametrize(
    ("name", "there", "chosen"),
    [
        ("conda-gcc", ["x86_64-conda-linux-gnu-g++"], "x86_64-conda-linux-gnu-g++"),
        ("conda-gcc", ["arm64-apple-darwin20.0.0-clang++"], "arm64-apple-darwin20.0.0-clang++"),
        ("conda-clang", ["x-g++", "x-clang++"], "x-clang++"),
        ("conda-gcc", ["x-clang++", "x-g++"], "x-g++"),
    ],
)
def test_compilers_from_packages(tmp_path: Path, name: str, there: list[str], chosen: str) -> None:
    for program in there:
        compiler(tmp_path / "env" / "bin" / program, GCC)
    spec = CompilerSpec(name=name, packages=("some=1",))
    found = detect(spec, {"PATH": "/usr/bin:/bin"}, prefix=tmp_path / "env")
    assert found.cxx == tmp_path / "env" / "bin" / chosen
    assert found.cc.name == chosen.replace("clang++", "clang").replace("g++", "gcc")


def test_a_compiler_from_packages_is_not_taken_from_path(tmp_path: Path) -> None:
    compiler(tmp_path / "g++", GCC)
    spec = CompilerSpec(name="conda-gcc", cxx="g++", packages=("gxx=13",))
    env = {"PATH": f"{tmp_path}:/bin"}
    with pytest.raises(MissingToolError) as caught:
        detect(spec, env, prefix=tmp_path / "env")
    assert caught.value.summary == (
        f'the compiler "conda-gcc" is not there: no program "g++" in "{tmp_path}/env/bin"'
    )
    assert "['gxx=13'] in [tool.diptych.compilers.conda-gcc]" in caught.value.hint
    with pytest.raises(MissingToolError, match="no program"):
        detect(CompilerSpec(name="conda-gcc", packages=("gxx=13",)), env, prefix=tmp_path / "env")
    with pytest.raises(MissingToolError, match="environment is not made yet"):
        detect(spec, env)


@pytest.mark.parametrize(
    ("name", "what", "number"),
    [("gcc", "g++", ""), ("gcc-13", "g++", "13"), ("clang", "clang++", ""), ("clang-17", "clang++", "17")],
)
def test_a_missing_compiler_says_how_to_get_it(tmp_path: Path, name: str, what: Needed, number: str) -> None:
    compiler(tmp_path / "g++-12", GCC)
    cxx = name.replace("clang", "clang++").replace("gcc", "g++")
    with pytest.raises(MissingToolError) as caught:
        detect(CompilerSpec(name=name, cc=name, cxx=cxx), {"PATH": str(tmp_path)})
    assert caught.value.summary == f'the compiler "{name}" is not there: no program "{cxx}" on PATH'
    assert caught.value.details == ("compilers on PATH: gcc-12",)
    assert caught.value.hint.startswith(how_to_install(what, number=number))
    assert f"[tool.diptych.compilers.{name}]" in caught.value.hint


def test_compilers_that_do_not_work(tmp_path: Path) -> None:
    spec = CompilerSpec(name="gcc", cc="gcc", cxx="g++")
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    compiler(tmp_path / "g++", GCC)
    (tmp_path / "g++").write_text("#!/bin/sh\necho \"fatal error: 'cstddef' file not found\"\nexit 1\n")
    with pytest.raises(MissingToolError, match="does not compile C\\+\\+") as caught:
        detect(spec, env)
    assert caught.value.details == ("fatal error: 'cstddef' file not found",)
    (tmp_path / "g++").write_bytes(b"\x7fELF nothing")
    with pytest.raises(MissingToolError, match="cannot be run: Exec format error"):
        detect(spec, env)
    compiler(tmp_path / "g++", ["__GNUC__ 13"])
    with pytest.raises(MissingToolError, match="no C\\+\\+ standard library that Diptych knows"):
        detect(spec, env)


def test_the_tables_environment_and_flags_reach_the_compiler(tmp_path: Path) -> None:
    compiler(tmp_path / "g++", GCC)
    (tmp_path / "g++").write_text(
        '#!/bin/sh\n[ "$MINE $1" = "yes -fast" ] || exit 9\n'
        + (tmp_path / "g++").read_text().split("\n", 1)[1]
    )
    spec = CompilerSpec(name="gcc", cxx="g++", flags=("-fast",), env={"MINE": "yes"})
    assert detect(spec, {"PATH": f"{tmp_path}:/usr/bin:/bin"}).version == "13.3.1"


def test_installed_lists_what_works_in_order(tmp_path: Path) -> None:
    for name in ("clang++", "g++-9", "g++-12", "g++", "clang++-17"):
        compiler(tmp_path / name, GCC)
    (tmp_path / "gcc-11").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "gcc-11").chmod(0o755)
    env = {"PATH": f"{tmp_path}:/nowhere::{tmp_path / 'g++'}", "X": "1"}
    names = [found.name for found in installed({**env, "PATH": env["PATH"]})]
    assert names == []  # the stand-ins need cat
    (tmp_path / "cat").symlink_to("/bin/cat")
    assert [found.name for found in installed(env)] == ["gcc", "gcc-9", "gcc-12", "clang", "clang-17"]
