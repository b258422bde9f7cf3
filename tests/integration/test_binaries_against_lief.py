"""Our reader against LIEF, on the machine's own libraries and on what real linkers and relinkers make."""

from __future__ import annotations

import hashlib
import importlib
import random
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from diptych.binaries import Binary, Signature, code_hashes, find_binaries, read, read_file, signature
from diptych.process import run
from helpers.needs import lacking, needs, needs_found

lief: Any = importlib.import_module("lief")  # by its types nearly everything may be None

ENV = {
    "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
    "LC_ALL": "C",
    "HOME": str(Path.home()),
}
LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
SOURCE = (
    "int twice(int x) { return 2 * x; }\nint puts(const char *);\nint say(void) { return puts(__FILE__); }\n"
)


def _sample(number: int) -> list[Path]:
    files = [*find_binaries(LIBRARIES), *find_binaries(Path(sys.base_prefix) / "lib")]
    random.Random(1).shuffle(files)
    return [path for path in files if path.read_bytes()[:4] == b"\x7fELF"][:number]


def _by_lief(path: Path) -> dict[str, object]:
    elf = lief.ELF.parse(str(path))
    tag = lief.ELF.DynamicEntry.TAG
    return {
        "needed": tuple(elf.libraries),
        "soname": elf[tag.SONAME].name if elf.has(tag.SONAME) else None,
        "rpath": tuple(elf[tag.RPATH].paths) if elf.has(tag.RPATH) else (),
        "runpath": tuple(elf[tag.RUNPATH].paths) if elf.has(tag.RUNPATH) else (),
        "interpreter": elf.interpreter if elf.has_interpreter else None,
        "sections": [(section.name, section.file_offset, section.size) for section in elf.sections],
        "segments": [(each.virtual_address, each.file_offset, each.physical_size) for each in elf.segments],
        "versions": {
            (need.name, version.name)
            for need in elf.symbols_version_requirement
            for version in need.get_auxiliary_symbols()
        },
        "symbols": [(symbol.name, symbol.shndx != 0) for symbol in elf.dynamic_symbols if symbol.name],
        "text": {
            section.name: hashlib.sha256(bytes(section.content)).hexdigest()
            for section in elf.sections
            if section.name in {".text", ".rodata"}
        },
    }


def _by_us(path: Path) -> dict[str, object]:
    (binary,) = read_file(path, symbols=True)
    hashes = code_hashes(binary, path.read_bytes())
    return {
        "needed": binary.needed,
        "soname": binary.soname,
        "rpath": binary.rpath,
        "runpath": binary.runpath,
        "interpreter": binary.interpreter,
        "sections": [(section.name, section.offset, section.size) for section in binary.sections],
        "segments": [(segment.vaddr, segment.offset, segment.filesz) for segment in binary.segments],
        "versions": {(need.library, need.version) for need in binary.version_needs},
        "symbols": [(symbol.name, symbol.defined) for symbol in binary.symbols or ()],
        "text": {name: value for name, value in hashes.items() if name in {".text", ".rodata"}},
    }


@needs_found(LIBRARIES.is_dir(), f"{LIBRARIES}, as Debian has it")
def test_agrees_on_the_machine_s_libraries() -> None:
    lief.logging.disable()
    for path in _sample(120):
        assert _by_us(path) == _by_lief(path), path


@needs_found(LIBRARIES.is_dir(), f"{LIBRARIES}, as Debian has it")
def test_nothing_the_loader_uses_needs_section_headers() -> None:
    for path in _sample(120):
        data = bytearray(path.read_bytes())
        (whole,) = read(bytes(data), str(path), symbols=True)
        if whole.bits != 64 or whole.kind == "object":
            continue
        data[0x28:0x30] = bytes(8)  # e_shoff
        data[0x3C:0x40] = bytes(4)  # e_shnum, e_shstrndx
        (stripped,) = read(bytes(data), str(path), symbols=True)
        assert stripped.sections == ()
        assert _loader_facts(stripped) == _loader_facts(whole), path


def _loader_facts(binary: Binary) -> tuple[object, ...]:
    return (
        binary.needed,
        binary.soname,
        binary.version_needs,
        binary.symbols,
        binary.build_id,
        binary.segments,
    )


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("gcc") is None:
        lacking("gcc", package="g++")
    folder = tmp_path_factory.mktemp("library")
    (folder / "x.c").write_text(SOURCE, encoding="ascii")
    run(["gcc", "-g", "-shared", "-fPIC", "-Wl,-soname=libx.so", "-o", "libx.so", "x.c"], env=ENV, cwd=folder)
    return folder / "libx.so"


def test_patchelf_changes_no_code(library: Path, tmp_path: Path) -> None:
    patched = tmp_path / "patched.so"
    shutil.copy(library, patched)
    long = "$ORIGIN/" + "x" * 300
    words = ["--force-rpath", "--set-rpath", long, "--set-soname", "liby-0123456789abcdef.so"]
    run(
        ["patchelf", *words, "--replace-needed", "libc.so.6", "libc-0123456789abcdef.so.6", patched],
        env=ENV,
        cwd=tmp_path,
    )
    (before,), (after,) = read_file(library), read_file(patched)
    assert after.rpath == (long,)
    assert after.needed == ("libc-0123456789abcdef.so.6",)
    assert before.congruent
    assert after.congruent
    hashes = code_hashes(before, library.read_bytes())
    assert {".text", ".rodata", ".eh_frame", ".rela.dyn", ".data"} <= set(hashes)
    assert code_hashes(after, patched.read_bytes()) == hashes


def test_strip_and_debug_files(library: Path, tmp_path: Path) -> None:
    stripped, debug = tmp_path / "stripped.so", tmp_path / "x.debug"
    run(["strip", "-o", stripped, library], env=ENV, cwd=tmp_path)
    run(["objcopy", "--only-keep-debug", library, debug], env=ENV, cwd=tmp_path)
    (whole,), (small,), (symbols,) = read_file(library), read_file(stripped), read_file(debug)
    assert whole.has_debug_info
    assert not small.has_debug_info
    assert code_hashes(small, stripped.read_bytes()) == code_hashes(whole, library.read_bytes())
    assert (symbols.has_debug_info, symbols.needed) == (True, ())


@needs("gcc", package="g++")
def test_32_bit_objects(tmp_path: Path) -> None:
    (tmp_path / "x.c").write_text(SOURCE, encoding="ascii")
    run(["gcc", "-m32", "-fPIC", "-c", "x.c"], env=ENV, cwd=tmp_path)
    run(["ld", "-m", "elf_i386", "-shared", "-o", "x.so", "x.o"], env=ENV, cwd=tmp_path)
    (binary,) = read_file(tmp_path / "x.so", symbols=True)
    assert (binary.machine, binary.bits) == ("i386", 32)
    assert {"twice", "say", "puts"} <= {symbol.name for symbol in binary.symbols or ()}


def test_mach_o_linked_by_zig(tmp_path: Path) -> None:
    (tmp_path / "x.c").write_text(SOURCE, encoding="ascii")
    target = ["-target", "aarch64-macos.11.0", "-shared", "-undefined", "dynamic_lookup"]
    words = ["-install_name", "@rpath/x.dylib", "-Wl,-rpath,@loader_path/../lib", "-o", "x.dylib", "x.c"]
    run([sys.executable, "-m", "ziglang", "cc", *target, *words], env=ENV, cwd=tmp_path)
    path = tmp_path / "x.dylib"
    data = path.read_bytes()
    (binary,) = read(data, "x.dylib", symbols=True)
    fat = lief.MachO.parse(str(path))  # owns the slice, which must not outlive it
    theirs = fat.at(0)
    assert (binary.machine, binary.kind, binary.min_os) == ("arm64", "shared", "11.0")
    assert (binary.soname, binary.rpath) == ("@rpath/x.dylib", ("@loader_path/../lib",))
    assert binary.needed == tuple(each.name for each in theirs.libraries if each.name != "@rpath/x.dylib")
    assert [section.name for section in binary.sections] == [
        f"{each.segment_name},{each.name}" for each in theirs.sections
    ]
    assert signature(binary, data) is Signature.ADHOC
    edited = data.replace(b"@loader_path/../lib", b"@loader_path/../LIB", 1)
    assert signature(read(edited, "x.dylib")[0], edited) is Signature.STALE
    assert code_hashes(read(edited, "x.dylib")[0], edited) == code_hashes(binary, data)
