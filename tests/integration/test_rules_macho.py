"""Mach-O linked by zig, edited by LIEF where a linker would not make the fault."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from diptych.doctor import gather
from diptych.rules import all_rules, judge
from integration import make_linkage_fixtures as make

lief: Any = importlib.import_module("lief")  # by its types nearly everything may be None


def codes(path: Path) -> set[str]:
    return {finding.code for finding in judge(gather(path, shown=path.name, host=None), all_rules()).findings}


def test_what_zig_links_is_well(tmp_path: Path) -> None:
    assert codes(make.mac(tmp_path, "good")) == set()


def test_newer_macos_than_the_tag(tmp_path: Path) -> None:
    assert codes(make.mac(tmp_path, "new", target="aarch64-macos.14.0")) == {"DIP604"}


def test_only_one_slice_of_universal2(tmp_path: Path) -> None:
    assert codes(make.mac(tmp_path, "thin", tag="lib-1.0-cp311-cp311-macosx_11_0_universal2.whl")) == {
        "DIP605"
    }


def test_libpython_and_homebrew(tmp_path: Path) -> None:
    place = tmp_path / "libs"
    python = make.bundle(
        place, "libpython3.11.dylib", "-Wl,-install_name,@rpath/libpython3.11.dylib", source=make.C_API
    )
    other = make.bundle(
        place, "libfoo.dylib", "-Wl,-install_name,/opt/homebrew/lib/libfoo.dylib", source=make.INTERPRETER
    )
    assert codes(make.mac(tmp_path, "linked", python)) == {"DIP101"}
    assert {"DIP606"} <= codes(make.mac(tmp_path, "brew", other))


def edited(path: Path, folder: Path, **changes: list[str]) -> Path:
    binary = lief.MachO.parse(str(path)).at(0)
    for entry in changes.get("rpaths", ()):
        binary.add(lief.MachO.RPathCommand.create(entry))
    target = folder / "edited.so"
    binary.write(str(target))
    return target


def test_rpath_twice_and_edited_after_signing(tmp_path: Path) -> None:
    module = make.bundle(tmp_path / "edit", "_core.so")
    changed = edited(module, tmp_path, rpaths=["@loader_path/lib", "@loader_path/lib"])
    path = make.wheel(tmp_path / make.MAC, {"lib/_core.cpython-311-darwin.so": changed})
    assert {"DIP601", "DIP603"} <= codes(path)


def test_one_byte_of_code_changed(tmp_path: Path) -> None:
    module = make.bundle(tmp_path / "flip", "_core.so")
    raw = bytearray(module.read_bytes())
    raw[raw.index(b"PyInit__core")] ^= 0x20
    module.write_bytes(raw)
    path = make.wheel(tmp_path / make.MAC, {"lib/_core.cpython-311-darwin.so": module})
    assert "DIP603" in codes(path)
