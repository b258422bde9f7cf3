"""Clang with libc++: two commands, of which one links it statically and hidden."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych import libcxx, process
from diptych.config import CompilerSpec, load
from diptych.errors import ConfigError, MissingToolError, UnsupportedError
from diptych.matrix import Platform
from diptych.store import Store

SPEC = CompilerSpec(name="clang-libcxx")


def clang(folder: Path) -> dict[str, str]:
    """Write a clang that prints its arguments, and return an environment that has it."""
    folder.mkdir()
    for name in ("clang", "clang++"):
        (folder / name).write_text('#!/bin/sh\nprintf "%s\\n" "${0##*/}" "$@"\n', encoding="utf-8")
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def commands(tmp_path: Path, env: dict[str, str], *, platform: Platform = "linux-64") -> CompilerSpec:
    return libcxx.commands(SPEC, platform=platform, store=Store(root=tmp_path / "store"), env=env)


def test_c_is_clang_and_cxx_has_its_own_library(tmp_path: Path) -> None:
    env = clang(tmp_path / "with blank")
    spec = commands(tmp_path, env)
    assert spec.cc and spec.cxx  # noqa: PT018 -- both or neither
    assert process.run([spec.cc, "a b.c"], env=env, cwd=tmp_path).output.split("\n")[:2] == ["clang", "a b.c"]
    words = process.run([spec.cxx, "x.cpp"], env=env, cwd=tmp_path).output.split()
    assert words[0] == "clang++"
    assert words[1:-1] == [
        "--start-no-unused-arguments", "-stdlib=libc++", "-static-libstdc++",
        "-Wl,--exclude-libs,libc++.a:libc++abi.a", "--end-no-unused-arguments",
    ]  # fmt: skip
    assert commands(tmp_path, env) == spec


def test_absent(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match='no program "clang" on PATH'):
        commands(tmp_path, {"PATH": str(tmp_path)})


def test_macos_has_it_anyway(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError) as caught:
        commands(tmp_path, clang(tmp_path / "bin"), platform="osx-arm64")
    assert caught.value.hint == 'compiler = ["clang"] has libc++ on macOS'


def test_the_table_knows_the_name(tmp_path: Path) -> None:
    text = '[project]\nname = "pair"\nversion = "1"\n[tool.diptych]\npython = ["3.11"]\ncompiler = ["{}"]\n'
    (tmp_path / "pyproject.toml").write_text(text.format("clang-libcxx"), encoding="utf-8")
    assert load(tmp_path).compilers[0] == SPEC
    (tmp_path / "pyproject.toml").write_text(text.format("clang-libcx"), encoding="utf-8")
    with pytest.raises(ConfigError, match='did you mean "clang-libcxx"'):
        load(tmp_path)
