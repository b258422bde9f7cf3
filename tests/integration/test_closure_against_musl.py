"""The simulated search of musl's loader against the real one: each case is built with musl-gcc and opened by a program."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from diptych.closure import RealFiles, SearchContext, closure
from diptych.process import run
from helpers.needs import needs

pytestmark = needs("musl-gcc", package="musl-tools")

PROGRAM = r"""
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv) {
  for (int at = 1; at < argc; at++)
    if (!dlopen(argv[at], RTLD_NOW)) { printf("%s\n", dlerror()); return 1; }
  return 0;
}
"""
OLD, NEW = "-Wl,--disable-new-dtags", "-Wl,--enable-new-dtags"
ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


@dataclass(kw_only=True)
class World:
    """Where a case builds its libraries; ``env`` is for the program."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)

    def library(self, place: str, *flags: str, calls: str = "", soname: str = "") -> Path:
        path = self.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        name = path.stem.removeprefix("lib")
        source = self.root / f"{name}.c"
        body = (
            f"int {calls}(void); int {name}(void) {{ return {calls}(); }}"
            if calls
            else f"int {name}(void) {{ return 1; }}"
        )
        source.write_text(body, encoding="utf-8")
        words = [
            "musl-gcc",
            "-shared",
            "-fPIC",
            "-o",
            str(path),
            str(source),
            f"-Wl,-soname,{soname or path.name}",
        ]
        run([*words, "-Wl,--no-as-needed", *flags], env=ENV, cwd=self.root)
        return path


def chain(world: World, *flags: str, soname: str = "") -> Path:
    """top → mid → low; only top has what is given, and low lies in a folder of its own."""
    low = world.library("libs/liblow.so", soname=soname)
    mid = world.library("libs/libmid.so", str(low), calls="low")
    return world.library("top.so", str(mid), *flags, calls="mid")


def with_variable(world: World) -> Path:
    world.env["LD_LIBRARY_PATH"] = str(world.root / "libs")
    return chain(world)


def empty_name(world: World) -> Path:
    path = world.library("top.so")
    data = bytearray(path.read_bytes())
    count, table = struct.unpack_from("<H", data, 56)[0], struct.unpack_from("<Q", data, 32)[0]
    rows = (struct.unpack_from("<IIQQQQQQ", data, table + 56 * row) for row in range(count))
    at = next(row[2] for row in rows if row[0] == 2)
    while struct.unpack_from("<Q", data, at)[0] != 1:
        at += 16
    struct.pack_into("<Q", data, at + 8, 0)
    path.write_bytes(data)
    return path


def renamed(world: World) -> Path:
    """The SONAME that is needed is another than the file's name: musl looks for the file."""
    return chain(world, NEW, "-Wl,-rpath,$ORIGIN/libs", soname="libother.so")


CASES: dict[str, Callable[[World], Path]] = {
    "RUNPATH is inherited": lambda world: chain(world, NEW, "-Wl,-rpath,$ORIGIN/libs"),
    "RPATH is inherited": lambda world: chain(world, OLD, "-Wl,-rpath,$ORIGIN/libs"),
    "a run path with braces": lambda world: chain(world, NEW, "-Wl,-rpath,${ORIGIN}/libs"),
    "no run path": chain,
    "another folder": lambda world: chain(world, NEW, "-Wl,-rpath,$ORIGIN/other"),
    "LD_LIBRARY_PATH": with_variable,
    "an empty needed name": empty_name,
    "the SONAME is not the file's name": renamed,
    "musl's own names": lambda world: world.library("top.so", "-lm", "-lpthread"),
}


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "program.c").write_text(PROGRAM, encoding="utf-8")
    path = tmp_path / "program"
    run(["musl-gcc", "-o", path, tmp_path / "program.c"], env=ENV, cwd=tmp_path)
    return path


@pytest.mark.parametrize("case", CASES)
def test_the_loader_agrees(case: str, program: Path, tmp_path: Path) -> None:
    world = World(root=tmp_path)
    top = CASES[case](world)
    done = run([program, top], env=world.env, cwd=tmp_path, check=False)
    where = SearchContext(
        files=RealFiles(), executable=str(program), environment=world.env, cwd=str(tmp_path), musl=True
    )
    missing = closure(top, where=where).missing
    assert bool(missing) is (done.returncode != 0), (done.output, missing)
    for entry in missing:
        assert f"{entry.name}:" in done.output


def test_what_was_opened_by_its_path_meets_no_need(program: Path, tmp_path: Path) -> None:
    world = World(root=tmp_path)
    low = world.library("libs/liblow.so")
    top = world.library("top.so", str(low), calls="low")
    done = run([program, low, top], env={}, cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "liblow.so:" in done.output
