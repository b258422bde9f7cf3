"""What a machine of GitHub's needs for a cell: its label, and the packages that bring the compiler."""

from __future__ import annotations

import re
from pathlib import PurePath

from diptych.config import CompilerSpec
from diptych.errors import UnsupportedError, nearest
from diptych.matrix import Platform

LABELS: dict[str, tuple[Platform, str]] = {
    # docs.github.com/actions/reference/runners/github-hosted-runners, held against the announcements in
    # github.com/actions/runner-images: macos-13 was retired on 2025-12-04 and macos-14 in November 2026.
    "linux-64": ("linux-64", "ubuntu-latest"),
    "linux-aarch64": ("linux-aarch64", "ubuntu-24.04-arm"),
    "osx-64": ("osx-64", "macos-15-intel"),
    "osx-arm64": ("osx-arm64", "macos-15"),
}
"""Platforms that GitHub has machines for, with the label of the machine."""

_GNU = re.compile(r"(?:gcc|g\+\+)(-[0-9]+)?")
_CLANG = re.compile(r"clang(?:\+\+)?(-[0-9]+)?")


def platform_named(name: str) -> Platform:
    """Return the platform of that name.

    Raises:
        UnsupportedError: GitHub has no machine of it.
    """
    if name not in LABELS:
        raise UnsupportedError(
            f'there is no GitHub machine for the platform "{name}"{nearest(name, LABELS)}',
            hint=f"there are machines for {', '.join(LABELS)}; other engines: diptych plan --json",
        )
    return LABELS[name][0]


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
    if known := _GNU.fullmatch(program):
        version = known[1] or ""
        if linux:
            return (f"g++{version}",)
        return (f"gcc@{version[1:]}",) if version else ()
    if known := _CLANG.fullmatch(program):
        version = known[1] or ""
        if linux:
            return (f"clang{version}",)
        return (f"llvm@{version[1:]}",) if version else ()
    return ()
