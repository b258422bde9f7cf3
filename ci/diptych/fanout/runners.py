"""What a machine of GitHub's needs for a cell: its label, the image it runs in, and the packages that bring the compiler."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import get_args

from diptych.config import CompilerSpec
from diptych.config.known import LIBCXX, ZIG, sanitizer_of
from diptych.errors import UnsupportedError, nearest
from diptych.matrix import Cell, Platform
from diptych.policy import Level
from diptych.policy.images import pinned_image

PLATFORMS: tuple[Platform, ...] = get_args(Platform)
"""Every platform that a plan may have."""

LABELS: dict[str, str] = {
    # docs.github.com/actions/reference/runners/github-hosted-runners, held against the announcements in
    # github.com/actions/runner-images: macos-13 was retired on 2025-12-04, macos-14 is being retired in 2026.
    "linux-64": "ubuntu-latest",
    "linux-aarch64": "ubuntu-24.04-arm",
    "osx-64": "macos-15-intel",
    "osx-arm64": "macos-15",
}
"""Platforms that GitHub has machines for, with the label of the machine."""

_GNU = re.compile(r"(?:gcc|g\+\+)(-[0-9]+)?")
_CLANG = re.compile(r"clang(?:\+\+)?(-[0-9]+)?")


def platform_named(name: str) -> Platform:
    """Return the platform of that name, whether GitHub has a machine of it or not.

    Raises:
        UnsupportedError: Diptych does not know it.
    """
    for known in PLATFORMS:
        if known == name:
            return known
    raise UnsupportedError(
        f'there is no platform "{name}"{nearest(name, PLATFORMS)}',
        hint=f"the platforms are {', '.join(PLATFORMS)}",
    )


def image_of(cell: Cell) -> str:
    """Return the image that a cell is compiled in, so that its floor does not hang on the runner's glibc; empty where none is needed or fits.

    Zig, and a compiler from the channel with its sysroot, bring a glibc of their own.
    """
    if not needs_image(cell):
        return ""
    return pinned_image(Level.parse(f"manylinux_{cell.settings.floor}"), cell.machine) or ""


def needs_image(cell: Cell) -> bool:
    """Tell whether a cell has a floor, and a compiler that links the glibc of the system it stands on."""
    own_glibc = cell.compiler.packages or cell.compiler.name == ZIG
    floor = cell.settings.floor and not cell.sanitizer
    return bool(floor and cell.platform.startswith("linux") and not own_glibc)


def image_packages(spec: CompilerSpec) -> tuple[str, ...] | None:
    """Return the packages of an image's distribution that bring a compiler; None where it has no such compiler.

    A manylinux image has one gcc, which is on PATH, and AlmaLinux one clang.
    """
    program = PurePath(spec.cxx or spec.name).name
    if program == LIBCXX:
        return None
    if known := _CLANG.fullmatch(program):
        return None if known[1] else ("clang",)
    known = _GNU.fullmatch(program)
    return None if known and known[1] else ()


def compiler_packages(spec: CompilerSpec, platform: str) -> tuple[str, ...]:
    """Return the system packages that bring a compiler, empty when the runner or the channel has it.

    The names are made here from a known family and a number: nothing of the table reaches a command line.

    Args:
        spec: the compiler.
        platform: conda's name; apt's names on Linux, Homebrew's on macOS.
    """
    if spec.packages:
        return ()
    program = PurePath(spec.cxx or spec.name).name
    linux = platform.startswith("linux")
    runtimes = linux and sanitizer_of(spec.name)
    if known := _GNU.fullmatch(program):
        version = known[1] or ""
        if linux:
            return (f"g++{version}",)
        return (f"gcc@{version[1:]}",) if version else ()
    if known := _CLANG.fullmatch(program):
        version = known[1] or ""
        if linux:
            return (f"clang{version}", *((f"libclang-rt{version}-dev", f"llvm{version}") if runtimes else ()))
        return (f"llvm@{version[1:]}",) if version else ()
    return ("clang", "libc++-dev", "libc++abi-dev") if program == LIBCXX and linux else ()
