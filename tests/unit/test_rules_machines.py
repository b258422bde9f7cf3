"""C library, machine and macOS against what a package promises: each fault beside its healthy twin."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from packaging.tags import mac_platforms

from diptych.doctor import gather
from diptych.rules import Finding, Severity, all_rules, judge
from helpers.archive_makers import INDEX, conda_info, honest_wheel, make_conda, wheel_files
from helpers.elf_builder import Sym, elf
from helpers.macho_builder import CPU_ARM64, CPU_X86_64, MH_BUNDLE, macho, universal

LINUX = "pair-1.2-cp311-cp311-{}.whl"
DARWIN = "pair/_core.cpython-311-darwin.so"
SYMTAB = 2
SIMULATOR, CATALYST, MACOS = 7, 6, 1


def found(path: Path) -> dict[str, Finding]:
    return {one.code: one for one in judge(gather(path, shown=path.name, host=None), all_rules()).findings}


def severities(path: Path) -> dict[str, Severity]:
    return {code: one.severity for code, one in found(path).items()}


def module(**parts: object) -> bytes:
    own = (Sym(name="PyInit__core", defined=True), Sym(name="PyModule_Create2"))
    return elf(symbols=own, **parts)  # type: ignore[arg-type]


def mac(*, cpu: int = CPU_ARM64, **parts: object) -> bytes:
    options: dict[str, object] = {
        "kind": MH_BUNDLE,
        "signed": True,
        "needed": ["/usr/lib/libSystem.B.dylib"],
        **parts,
    }
    return macho(symbols=[("_PyInit__core", 0)], cpu=cpu, **options)  # type: ignore[arg-type]


def changed(data: bytes, old: tuple[int, ...], new: tuple[int, ...]) -> bytes:
    """Replace the words of a load command's beginning."""
    before, after = (struct.pack(f"<{len(words)}I", *words) for words in (old, new))
    assert data.count(before) == 1
    return data.replace(before, after)


def on_mac(folder: Path, data: bytes, tag: str = "macosx_11_0_arm64") -> dict[str, Severity]:
    return severities(honest_wheel(folder, ({DARWIN: data}), name=LINUX.format(tag)))


def conda(folder: Path, place: str, data: bytes, subdir: str) -> dict[str, Severity]:
    system = "__osx >=11.0" if subdir.startswith("osx") else "__glibc >=2.17,<3.0.a0"
    depends = ["python >=3.11,<3.12.0a0", "python_abi 3.11.* *_cp311", system]
    index = {**INDEX, "subdir": subdir, "depends": depends}
    files = {place: data}
    info = {**conda_info(files), "info/index.json": json.dumps(index).encode()}
    return severities(make_conda(folder, files, info=info))


@pytest.mark.parametrize(
    "version", [(major, minor) for major in (10, 11, 12, 14, 26) for minor in (0, 2, 9, 16, 17)]
)
@pytest.mark.parametrize("machine", ["arm64", "x86_64", "universal2"])
def test_tags_are_those_that_installers_ask_for(
    tmp_path: Path, version: tuple[int, int], machine: str
) -> None:
    """packaging, which pip uses, decides."""
    tag = f"macosx_{version[0]}_{version[1]}_{machine}"
    asked = {one for host in ("arm64", "x86_64") for one in mac_platforms((30, 0), host)}
    asked |= {one for minor in range(17) for one in mac_platforms((10, minor), "x86_64")}
    wanted = "DIP417" not in on_mac(
        tmp_path, universal((CPU_X86_64, mac(cpu=CPU_X86_64)), (CPU_ARM64, mac())), tag
    )
    assert wanted is (tag in asked)


def test_one_of_two_tags_is_asked_for(tmp_path: Path) -> None:
    both = "macosx_11_0_arm64.macosx_14_2_arm64"
    assert on_mac(tmp_path, mac(), both)["DIP417"] is Severity.DRIFT


@pytest.mark.parametrize(
    ("platform", "name"), [(SIMULATOR, "iossimulator"), (CATALYST, "maccatalyst"), (2, "ios")]
)
def test_made_for_another_platform(tmp_path: Path, platform: int, name: str) -> None:
    good = mac(signed=False, cpu=CPU_X86_64)
    bad = changed(good, (0x32, 32, MACOS), (0x32, 32, platform))
    path = honest_wheel(tmp_path, ({DARWIN: bad}), name=LINUX.format("macosx_11_0_x86_64"))
    assert found(path)["DIP608"].message == f"is made for {name}"
    assert on_mac(tmp_path, good, "macosx_11_0_x86_64") == {}


def test_arm64e_alone(tmp_path: Path) -> None:
    bad = bytearray(mac(signed=False))
    struct.pack_into("<I", bad, 8, 0x80000002)
    assert on_mac(tmp_path, bytes(bad))["DIP404"] is Severity.ERROR
    assert on_mac(tmp_path, mac()) == {}
    fat = universal((CPU_ARM64, mac()), (CPU_ARM64, bytes(bad)))
    assert "DIP404" not in on_mac(tmp_path, fat)


@pytest.mark.parametrize(
    ("subdir", "machine"),
    [
        ("linux-64", 62),
        ("linux-aarch64", 183),
        ("linux-ppc64le", 21),
        ("linux-s390x", 22),
        ("linux-riscv64", 243),
    ],
)
def test_machine_of_a_conda_package(tmp_path: Path, subdir: str, machine: int) -> None:
    place = "lib/python3.11/site-packages/pair/_core.abi3.so"
    order = ">" if machine == 22 else "<"
    good = module(machine=machine, order=order)
    assert "DIP416" not in conda(tmp_path, place, good, subdir)
    other = module(machine=3, bits=32)
    assert conda(tmp_path, place, other, subdir)["DIP416"] is Severity.ERROR
    elsewhere = "share/firmware/blob.so"
    assert conda(tmp_path, elsewhere, elf(machine=3, bits=32), subdir)["DIP416"] is Severity.NOTE


def test_machine_of_a_conda_package_for_macos(tmp_path: Path) -> None:
    place = "lib/python3.11/site-packages/pair/_core.cpython-311-darwin.so"
    assert conda(tmp_path, place, mac(cpu=CPU_X86_64), "osx-arm64")["DIP416"] is Severity.ERROR
    assert "DIP416" not in conda(tmp_path, place, mac(), "osx-arm64")
    assert conda(tmp_path, place, module(), "osx-64")["DIP416"] is Severity.ERROR


def test_the_only_library_is_for_another_machine(tmp_path: Path) -> None:
    name = LINUX.format("manylinux_2_17_x86_64").replace("cp311-cp311", "py3-none")
    other = elf(machine=183, soname="libpair.so")
    lone = honest_wheel(tmp_path, ({"pair/libpair.so": other}), name=name)
    assert severities(lone)["DIP404"] is Severity.ERROR
    beside = {"pair/libpair.so": elf(soname="libpair.so"), "pair/device/libdevice.so": other}
    path = honest_wheel(tmp_path, wheel_files(beside), name=name)
    assert severities(path)["DIP404"] is Severity.DRIFT
    good = honest_wheel(tmp_path, ({"pair/libpair.so": elf(soname="libpair.so")}), name=name)
    assert severities(good) == {}


def test_a_module_named_for_musl(tmp_path: Path) -> None:
    data = {"pair/_core.cpython-311-x86_64-linux-musl.so": module()}
    glibc = honest_wheel(tmp_path, wheel_files(data), name=LINUX.format("manylinux_2_17_x86_64"))
    assert severities(glibc) == {"DIP415": Severity.ERROR}
    musl = honest_wheel(tmp_path, wheel_files(data), name=LINUX.format("musllinux_1_2_x86_64"))
    assert severities(musl) == {}


def test_debug_information_in_a_folder(tmp_path: Path) -> None:
    files = {DARWIN: mac(), "pair/_core.so.dSYM/Contents/Resources/DWARF/_core.so": b"DWARF" * 9}
    path = honest_wheel(tmp_path, wheel_files(files), name=LINUX.format("macosx_11_0_arm64"))
    assert found(path)["DIP610"].place == "pair/_core.so.dSYM"
    assert on_mac(tmp_path, mac()) == {}


def test_misaligned_symbol_table(tmp_path: Path) -> None:
    good = mac(signed=False, cpu=CPU_X86_64)
    at = good.index(struct.pack("<II", SYMTAB, 24))
    offset = struct.unpack_from("<I", good, at + 8)[0]
    assert on_mac(tmp_path, good, "macosx_11_0_x86_64") == {}
    assert offset % 8 == 0
    bad = bytearray(good)
    bad[offset:offset] = b"\0\0\0\0"
    struct.pack_into("<I", bad, at + 8, offset + 4)
    strings = struct.unpack_from("<I", good, at + 16)[0]
    struct.pack_into("<I", bad, at + 16, strings + 4)
    assert on_mac(tmp_path, bytes(bad), "macosx_11_0_x86_64").get("DIP609") is Severity.ERROR


def test_misaligned_string_pool(tmp_path: Path) -> None:
    good = mac(signed=False, cpu=CPU_X86_64)
    at = good.index(struct.pack("<II", SYMTAB, 24))
    pool = struct.unpack_from("<I", good, at + 16)[0]
    for shift, severity in ((4, Severity.ERROR), (8, None)):
        moved = bytearray(good)
        moved[pool:pool] = bytes(shift)
        struct.pack_into("<I", moved, at + 16, pool + shift)
        path = honest_wheel(tmp_path, {DARWIN: bytes(moved)}, name=LINUX.format("macosx_11_0_x86_64"))
        seen = found(path).get("DIP609")
        assert (seen.severity if seen else None) is severity
        assert seen is None or "macOS 27" in seen.message


@pytest.mark.parametrize("command", [0x80000034, 0x80000033])
def test_commands_that_old_macos_does_not_know(tmp_path: Path, command: int) -> None:
    old = {"minos": (10, 13), "cpu": CPU_X86_64, "signed": False}
    between = {**old, "minos": (10, 15)}
    new = {**old, "minos": (11, 0)}
    uuid = (0x1B, 24, 0x03020100)
    for options, tag, expected in (
        (old, "macosx_10_13_x86_64", {"DIP607": Severity.ERROR}),
        (between, "macosx_10_15_x86_64", {"DIP607": Severity.DRIFT}),
        (new, "macosx_11_0_x86_64", {}),
    ):
        plain = mac(**options)  # type: ignore[arg-type]
        assert on_mac(tmp_path, plain, tag) == {}
        with_it = changed(plain, uuid, (command, 24, 0x100))
        assert on_mac(tmp_path, with_it, tag) == expected


def test_made_for_macos_and_catalyst(tmp_path: Path) -> None:
    """A library for two platforms has two commands, in any order."""
    good = mac(signed=False, cpu=CPU_X86_64)
    both = changed(good, (0x1B, 24, 0x03020100, 0x07060504), (0x32, 24, CATALYST, 14 << 16))
    both = both.replace(
        struct.pack("<4I", CATALYST, 14 << 16, 0x0B0A0908, 0x0F0E0D0C),
        struct.pack("<4I", CATALYST, 14 << 16, 14 << 16, 0),
    )
    assert on_mac(tmp_path, both, "macosx_11_0_x86_64") == {}


@pytest.mark.parametrize(("own", "expected"), [(1, {"DIP611": Severity.ERROR}), (2, {}), (3, {})])
def test_compatibility_versions(tmp_path: Path, own: int, expected: dict[str, Severity]) -> None:
    beside = "@loader_path/libfoo.dylib"
    user = macho(kind=MH_BUNDLE, cpu=CPU_X86_64, needed=[beside], symbols=[("_PyInit__core", 0), ("_foo", 1)])
    wanted = struct.pack("<4I", 24, 2, 1 << 16, 2 << 16)
    user = user.replace(struct.pack("<4I", 24, 2, 1 << 16, 1 << 16), wanted)
    assert wanted in user
    given = macho(install_name="@rpath/libfoo.dylib", cpu=CPU_X86_64, symbols=[("_foo", 0)])
    given = given.replace(
        struct.pack("<4I", 24, 2, 1 << 16, 1 << 16), struct.pack("<4I", 24, 2, 1 << 16, own << 16)
    )
    files = {DARWIN: user, "pair/libfoo.dylib": given}
    path = honest_wheel(tmp_path, wheel_files(files), name=LINUX.format("macosx_11_0_x86_64"))
    assert severities(path) == expected
