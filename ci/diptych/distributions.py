"""The command that installs a program on this Linux distribution."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, TypeAlias

Needed: TypeAlias = Literal[
    "python headers", "g++", "clang++", "libc++", "llvm", "gcc sanitizers", "clang sanitizers"
]

# Package managers, with the ID and ID_LIKE of os-release(5) that tell of them.
_FAMILIES = {
    "apt install": {"debian", "ubuntu"},
    "dnf install": {"fedora", "rhel", "centos"},
    "zypper install": {"suse", "opensuse"},
    "pacman -S": {"arch"},
    "apk add": {"alpine"},
}
_NAMES: dict[Needed, dict[str, str]] = {
    "python headers": {
        "apt install": "python3-dev",
        "pacman -S": "python",
        "apk add": "python3-dev",
        "": "python3-devel",
    },
    "g++": {"dnf install": "gcc-c++", "zypper install": "gcc-c++", "pacman -S": "gcc", "": "g++"},
    "clang++": {"": "clang"},
    "libc++": {
        "apt install": "libc++-dev libc++abi-dev",
        "dnf install": "libcxx-static libcxxabi-static",
        "": "libc++",
    },
    "llvm": {"": "llvm"},
    "gcc sanitizers": {
        "apt install": "g++",
        "dnf install": "libasan libubsan libtsan",
        "pacman -S": "gcc",
        "": "gcc-c++",
    },
    "clang sanitizers": {"apt install": "libclang-rt-dev", "pacman -S": "compiler-rt", "": "compiler-rt"},
}


def how_to_install(what: Needed, *, number: str = "", release: Path = Path("/etc/os-release")) -> str:
    """Return the command by which this machine's distribution installs something.

    Args:
        what: what is needed.
        number: of a compiler's release, such as ``13``; the names of Debian's packages end with it.
        release: os-release(5). When it tells of no known distribution, the commands of the two largest families.
    """
    try:
        text = release.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    ids = set(re.findall(r"[\w-]+", " ".join(re.findall(r"^ID(?:_LIKE)?=(.*)$", text, re.MULTILINE))))
    here = [command for command, known in _FAMILIES.items() if ids & known] or ["apt install", "dnf install"]
    return " or ".join(f"{command} {_package(what, command, number)}" for command in here)


def _package(what: Needed, command: str, number: str) -> str:
    name = _NAMES[what].get(command, _NAMES[what][""])
    if not number or command != "apt install":
        return name
    return f"{name.removesuffix('-dev')}-{number}-dev" if name.endswith("-dev") else f"{name}-{number}"
