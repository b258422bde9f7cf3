"""The compilers of this machine."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from diptych.cell.abi import check_abi
from diptych.cell.forecast import forecast_floor
from diptych.compilers import detect, installed, of_cell
from diptych.config import load
from diptych.config.known import known_spec
from diptych.environments import Environment
from diptych.errors import HostEnvironmentError
from diptych.matrix import cells
from diptych.process import run
from diptych.store import Store
from helpers.needs import lacking, needs, needs_linux

ENV = {"PATH": os.environ["PATH"]}  # noqa: TID251 -- real tools are looked for on the real PATH


@pytest.mark.parametrize(("name", "cxx", "family"), [("gcc", "g++", "gcc"), ("clang", "clang++", "clang")])
def test_a_real_compiler(name: str, cxx: str, family: str) -> None:
    if shutil.which(cxx) is None:
        lacking(cxx, package={"g++": "g++"}.get(cxx, "clang"))
    spec = known_spec(name)
    assert spec is not None
    found = detect(spec, ENV)
    assert found.family in {family, "apple-clang"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", found.version)
    assert re.fullmatch(r"[\w.]+(-[\w.]+)+", found.target)
    assert found.library in {"libstdc++", "libc++"}
    assert found.library_version.isdigit()
    assert found.cc.exists()
    assert "\n" not in found.describe()


def test_installed_finds_them() -> None:
    names = [found.name for found in installed(ENV)]
    assert names == list(dict.fromkeys(names))
    for name, cxx in (("gcc", "g++"), ("clang", "clang++")):
        assert (name in names) == (shutil.which(name) is not None and shutil.which(cxx) is not None)


@needs_linux("the floor is a glibc")
@needs("g++", package="g++")
def test_the_forecast_names_symbols_of_the_real_libraries(tmp_path: Path) -> None:
    """This machine's gcc links libraries that are newer than manylinux2014; nothing is compiled to know it."""
    text = '[project]\nname = "pair"\nversion = "1"\n[tool.diptych]\npython = ["3.11"]\ncompiler = ["gcc"]\n'
    (tmp_path / "pyproject.toml").write_text(f'{text}floor = "2_17"\n', encoding="utf-8")
    (cell,) = cells(load(tmp_path), platform="linux-64")
    (tmp_path / "conda-meta").mkdir()
    empty = Environment(prefix=tmp_path, python=tmp_path, version="3.11", lock=(), channels=())
    found = forecast_floor(cell, detect(cell.compiler, ENV), empty, ENV)
    assert found
    assert any(
        re.search(r"glibc 2\.\d+ of g\+\+: .*pthread_create \(GLIBC_2\.34\)", line) for line in found.newer
    )
    assert any(re.search(r"libstdc\+\+ \d+ of g\+\+: .*\(GLIBCXX_3", line) for line in found.newer)


@needs_linux("libc++ beside libstdc++")
@needs("g++", package="g++")
def test_a_real_library_of_the_other_abi_is_refused(tmp_path: Path) -> None:
    """Zig has libc++, and gcc has two strings: the library is gcc's, of the newer one."""
    text = '[project]\nname = "pair"\nversion = "1"\n[tool.diptych]\npython = ["3.11"]\n'
    table = 'compiler = ["gcc", "old", "zig"]\nhost = ["far"]\n[tool.diptych.compilers.old]\ncxx = "g++"\n'
    flags = 'flags = ["-D_GLIBCXX_USE_CXX11_ABI=0"]\n'
    (tmp_path / "pyproject.toml").write_text(text + table + flags, encoding="utf-8")
    for folder in ("lib", "conda-meta"):
        (tmp_path / folder).mkdir()
    (tmp_path / "far.cpp").write_text(
        "#include <string>\nnamespace far { std::string of(const std::string &x) { return x + x; } }"
    )
    library = tmp_path / "lib" / "libfar.so.1"
    run(["g++", "-shared", "-fPIC", "-o", library, "far.cpp"], env=ENV, cwd=tmp_path)
    record = '{"name": "far", "files": ["lib/libfar.so.1"], "depends": []}'
    (tmp_path / "conda-meta" / "far.json").write_text(record, encoding="utf-8")
    host = Environment(prefix=tmp_path, python=tmp_path, version="3.11", lock=(), channels=())
    gcc, old, zig = cells(load(tmp_path), platform="linux-64")
    store = Store(root=tmp_path / "store")
    env = {**ENV, "HOME": str(tmp_path)}  # Zig keeps a cache
    check_abi(gcc, of_cell(gcc, env, store=store), host)
    for cell, ours in ((old, "libstdc++ (pre-cxx11)"), (zig, "libc++")):
        with pytest.raises(HostEnvironmentError, match=re.escape(f"compiles for {ours}")) as caught:
            check_abi(cell, of_cell(cell, env, store=store), host)
        assert "far: libfar.so.1 is for libstdc++ (cxx11): _ZN3far2ofE" in caught.value.details[0]
    command = ["g++", "-D_GLIBCXX_USE_CXX11_ABI=0", "-shared", "-fPIC", "-o", str(library), "far.cpp"]
    run(command, env=ENV, cwd=tmp_path)
    check_abi(old, of_cell(old, env, store=store), host)
    for cell, ours in ((gcc, "libstdc++ (cxx11)"), (zig, "libc++")):
        with pytest.raises(HostEnvironmentError, match=re.escape(f"compiles for {ours}")) as caught:
            check_abi(cell, of_cell(cell, env, store=store), host)
        assert caught.value.details == ("far: libfar.so.1 is for libstdc++ (pre-cxx11): _ZN3far2ofERKSs",)
