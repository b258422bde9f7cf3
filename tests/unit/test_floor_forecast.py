"""The forecast of a floor: what a compiler can promise, and what host packages need, before anything is compiled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diptych.cell.forecast import forecast_floor, what_would_do
from diptych.compilers import detect
from diptych.config import load
from diptych.environments import Environment
from diptych.errors import PackageError
from diptych.matrix import Cell, cells
from diptych.policy import Level
from diptych.policy.images import image_for
from helpers.elf_builder import Sym, elf

TABLE = """
[project]
name = "pair"
version = "1.2"
[tool.diptych]
python = ["3.11"]
compiler = ["gcc"]
floor = "2_28"
host = ["libfar-devel", "eigen", "numpy"]
"""


def cell_of(folder: Path, more: str = "") -> Cell:
    (folder / "pyproject.toml").write_text(TABLE + more, encoding="utf-8")
    return cells(load(folder), platform="linux-64")[0]


def compiler(folder: Path, glibc: str, *, release: str = "7") -> dict[str, str]:
    """Write a compiler that says which glibc it includes, and has no library to look at."""
    folder.mkdir(exist_ok=True)
    macros = {"__GNUC__": "8", "__GLIBCXX__": "20170502", "_GLIBCXX_RELEASE": release}
    if glibc:
        macros |= {"__GLIBC__": "2", "__GLIBC_MINOR__": glibc}
    lines = "".join(f"#define {name} {value}\n" for name, value in macros.items())
    script = (
        f'#!/bin/sh\ncase "$*" in *-print*) echo nothing;; *-dumpmachine) echo x;; *) echo "{lines}";; esac\n'
    )
    for name in ("gcc", "g++"):
        (folder / name).write_text(script, encoding="utf-8")
        (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def environment(prefix: Path, libraries: dict[str, str]) -> Environment:
    """Lay out a host environment: a library package with one version need a library, behind a development package."""
    (prefix / "lib").mkdir(parents=True)
    (prefix / "conda-meta").mkdir()
    for name, version in libraries.items():
        owner = "libstdc++.so.6" if version.startswith("GLIBCXX") else "libc.so.6"
        symbols = [Sym(name=f"of_{version.lower()}", version=(owner, version))]
        (prefix / "lib" / name).write_bytes(elf(needed=[owner], symbols=symbols, soname=name))
    records = {
        "libfar": ([f"lib/{name}" for name in libraries], []),
        "libfar-devel": (["include/far.h"], ["libfar >=1", "python"]),
        "numpy": (["lib/python3.11/site-packages/numpy/__init__.py"], ["libblas"]),
    }
    for name, (files, depends) in records.items():
        record = {"name": name, "files": files, "depends": depends}
        (prefix / "conda-meta" / f"{name}.json").write_text(json.dumps(record), encoding="utf-8")
    return Environment(prefix=prefix, python=prefix / "bin/python", version="3.11", lock=(), channels=())


def forecast(
    folder: Path, glibc: str = "28", *, libraries: dict[str, str] | None = None, more: str = ""
) -> tuple[str, tuple[str, ...]]:
    cell, env = cell_of(folder, more), compiler(folder / "bin", glibc)
    found = forecast_floor(
        cell, detect(cell.compiler, env), environment(folder / "host", libraries or {}), env
    )
    assert found
    return found.sentence, found.newer


def test_a_compiler_for_an_older_glibc_keeps_it(tmp_path: Path) -> None:
    sentence, newer = forecast(tmp_path)
    assert sentence == "manylinux_2_28: kept, nothing that is linked is newer"
    assert newer == ()


def test_a_newer_glibc_is_no_refusal(tmp_path: Path) -> None:
    sentence, newer = forecast(tmp_path, "36")
    assert "cannot be told before linking" in sentence
    assert newer[0] == "glibc 2.36 of g++"
    assert "manylinux_2_28_x86_64" in newer[1]


def test_a_compiler_that_does_not_say(tmp_path: Path) -> None:
    _, newer = forecast(tmp_path, "")
    assert newer[0] == "g++ does not say which glibc it includes"


@pytest.mark.parametrize("version", ["GLIBC_2.34", "GLIBCXX_3.4.30"])
def test_a_host_package_above_the_floor_is_refused_with_its_symbol(tmp_path: Path, version: str) -> None:
    with pytest.raises(PackageError) as caught:
        forecast(tmp_path, libraries={"libfar.so.1": version})
    assert caught.value.summary == (
        "3.11-gcc: the floor is manylinux_2_28, and libraries of the host packages need more"
    )
    assert list(caught.value.details) == [
        f"libfar: libfar.so.1 needs {version} (of_{version.lower()})",
    ]


def test_one_library_of_a_package_may_be_the_one_that_is_not_linked(tmp_path: Path) -> None:
    _, newer = forecast(tmp_path, libraries={"libfar.so.1": "GLIBC_2.34", "libnear.so.1": "GLIBC_2.17"})
    assert newer == ("libfar: libfar.so.1 needs GLIBC_2.34 (of_glibc_2.34)",)


def test_what_such_a_library_needs_in_turn_is_grafted_too(tmp_path: Path) -> None:
    found = environment(tmp_path / "host", {"libfar.so.1": "GLIBC_2.17"})
    host = found.prefix
    symbols = [Sym(name="of_old", version=("libc.so.6", "GLIBC_2.17"))]
    (host / "lib/libfar.so.1").write_bytes(elf(needed=["libdeep.so.1", "libc.so.6"], symbols=symbols))
    newer = [Sym(name="of_new", version=("libc.so.6", "GLIBC_2.34"))]
    (host / "lib/libdeep.so.1").write_bytes(elf(needed=["libfar.so.1", "libc.so.6"], symbols=newer))
    record = {"name": "libdeep", "files": ["lib/libdeep.so.1"], "depends": []}
    (host / "conda-meta" / "libdeep.json").write_text(json.dumps(record), encoding="utf-8")
    cell, env = cell_of(tmp_path), compiler(tmp_path / "bin", "28")
    with pytest.raises(PackageError) as caught:
        forecast_floor(cell, detect(cell.compiler, env), found, env)
    assert list(caught.value.details) == ["libdeep: libdeep.so.1 needs GLIBC_2.34 (of_new)"]


def test_what_the_users_machine_brings_is_not_grafted(tmp_path: Path) -> None:
    more = 'exclude-libraries = ["libfar.so*"]\n'
    _, newer = forecast(tmp_path, libraries={"libfar.so.1": "GLIBC_2.34"}, more=more)
    assert newer == ()


def test_a_library_that_is_none_costs_itself_alone(tmp_path: Path) -> None:
    prefix = tmp_path / "host"
    cell, env = cell_of(tmp_path), compiler(tmp_path / "bin", "28")
    found = environment(prefix, {"libfar.so.1": "GLIBC_2.17"})
    (prefix / "lib/libfar.so.1").write_bytes(b"\x7fELF and nothing more")
    done = forecast_floor(cell, detect(cell.compiler, env), found, env)
    assert done
    assert done.newer == ()


@pytest.mark.parametrize(
    ("floor", "machine", "image"),
    [
        ((2, 17), "x86_64", "manylinux2014_x86_64"),
        ((2, 31), "aarch64", "manylinux_2_28_aarch64"),
        ((2, 36), "x86_64", "manylinux_2_34_x86_64"),
        ((2, 39), "riscv64", "manylinux_2_39_riscv64"),
    ],
)
def test_the_image_that_fits(floor: tuple[int, int], machine: str, image: str) -> None:
    assert image_for(Level(version=floor), machine) == f"quay.io/pypa/{image}"


def test_no_image_fits(tmp_path: Path) -> None:
    assert image_for(Level(version=(2, 34)), "riscv64") is None
    text = what_would_do(cell_of(tmp_path), Level(version=(2, 31)))
    assert text == (
        'compiler = ["zig"], a compiler of the channel with "sysroot_linux-64=2.31" '
        "or the image quay.io/pypa/manylinux_2_28_x86_64"
    )
