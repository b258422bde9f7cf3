"""Zig as a compiler: found or asked for, and behind two commands that say which glibc it is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych import process, zig
from diptych.config import CompilerSpec
from diptych.errors import MissingToolError, UnsupportedError
from diptych.store import Store

SPEC = CompilerSpec(name="zig")


@pytest.fixture
def echo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A program ``zig`` on PATH that prints its arguments, and no ``ziglang``."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    program = tmp_path / "bin" / "zig"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:/usr/bin:/bin"}


def commands(
    tmp_path: Path, env: dict[str, str], *, platform: str = "linux-64", floor: str | None = None
) -> CompilerSpec:
    return zig.commands(SPEC, platform=platform, floor=floor, store=Store(root=tmp_path / "store"), env=env)


@pytest.mark.parametrize(
    ("platform", "floor", "target"),
    [
        ("linux-64", None, "x86_64-linux-gnu.2.17"),
        ("linux-64", "2_28", "x86_64-linux-gnu.2.28"),
        ("linux-aarch64", "2_34", "aarch64-linux-gnu.2.34"),
    ],
)
def test_the_target_has_the_floor(
    tmp_path: Path, echo: dict[str, str], platform: str, floor: str | None, target: str
) -> None:
    spec = commands(tmp_path, echo, platform=platform, floor=floor)
    for program, mode in ((spec.cc, "cc"), (spec.cxx, "c++")):
        assert program is not None
        said = process.run([program, "-c", "a b.c"], env=echo, cwd=tmp_path).output
        assert said.splitlines() == [mode, "-target", target, "-fno-sanitize=undefined", "-c", "a b.c"]


def test_library_path_is_handed_on(tmp_path: Path, echo: dict[str, str]) -> None:
    spec = commands(tmp_path, echo)
    env = {**echo, "LIBRARY_PATH": "/with blank:/other"}
    said = process.run([str(spec.cc), "x.o"], env=env, cwd=tmp_path).output
    assert said.splitlines()[4:] == ["x.o", "-L/with blank", "-L/other"]


def test_what_distributions_say_and_zig_refuses_goes(tmp_path: Path, echo: dict[str, str]) -> None:
    spec = commands(tmp_path, echo)
    flags = (
        "-flto=auto",
        "-Wl,-O1",
        "-Wl,-Bsymbolic-functions",
        "-Wl,-z,pack-relative-relocs",
        "-Wl,-z,relro,-Bsymbolic-functions,-z,now",
    )
    said = process.run([str(spec.cc), *flags, "a b.c"], env=echo, cwd=tmp_path).output
    assert said.splitlines()[4:] == ["-Wl,-O1", "-Wl,-z,relro,-z,now", "a b.c"]


def test_it_names_its_machine(tmp_path: Path, echo: dict[str, str]) -> None:
    spec = commands(tmp_path, echo)
    assert (
        process.run([str(spec.cxx), "-O2", "-dumpmachine"], env=echo, cwd=tmp_path).output.strip()
        == "x86_64-linux-gnu"
    )


def test_two_floors_are_two_compilers(tmp_path: Path, echo: dict[str, str]) -> None:
    assert commands(tmp_path, echo, floor="2_17") == commands(tmp_path, echo)
    assert commands(tmp_path, echo, floor="2_28") != commands(tmp_path, echo)


@pytest.mark.usefixtures("echo")
def test_absent(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError) as caught:
        commands(tmp_path, {"PATH": "/usr/bin:/bin"})
    assert "neither PyPI's ziglang" in caught.value.summary
    assert caught.value.hint == "pip install ziglang"


def test_macos(tmp_path: Path, echo: dict[str, str]) -> None:
    with pytest.raises(UnsupportedError, match="is for Linux, and this is osx-arm64"):
        commands(tmp_path, echo, platform="osx-arm64")
