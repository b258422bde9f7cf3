"""What binaries need of the system becomes a requirement, unless the package states one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from diptych.binaries import Binary, VersionNeed
from diptych.packages.floor import system_floor, with_floor

ELF = Binary(name="a.so", format="elf", machine="x86_64", bits=64, endianness="little", kind="shared", size=1)
MACH_O = replace(ELF, format="macho", machine="arm64")


def needing(*versions: str) -> Binary:
    needs = tuple(VersionNeed(library="libc.so.6", version=version, flags=0) for version in versions)
    return replace(ELF, version_needs=needs)


@pytest.mark.parametrize(
    ("binaries", "floor"),
    [
        ([needing("GLIBC_2.4", "GLIBC_2.17"), needing("GLIBC_2.2.5")], "__glibc >=2.17,<3.0.a0"),
        ([needing("GLIBCXX_3.4.29", "GLIBC_2.9")], "__glibc >=2.9,<3.0.a0"),
        ([needing("GLIBC_PRIVATE", "CXXABI_1.3")], ""),
        ([replace(MACH_O, min_os="11.0"), replace(MACH_O, min_os="10.13")], "__osx >=11.0"),
        ([ELF], ""),
        ([], ""),
    ],
    ids=["the highest", "glibc alone", "no number", "macOS", "nothing", "none"],
)
def test_the_floor_is_the_highest_need(binaries: list[Binary], floor: str) -> None:
    assert system_floor(binaries) == floor


def test_what_the_package_states_wins() -> None:
    floor = "__glibc >=2.32,<3.0.a0"
    assert with_floor(["python"], floor) == ["python", floor]
    for stated in ("__glibc >=2.17,<3.0.a0", "__glibc", "__osx >=11.0"):
        assert with_floor(["python", stated], floor) == ["python", stated]
    assert with_floor(["python", "__glibcish 1"], floor)[-1] == floor
    assert with_floor(["python"], "") == ["python"]
