"""Which libraries belong to the operating system, and where this machine keeps one."""

from __future__ import annotations

import fnmatch
import functools
import json
import re
from importlib import resources
from pathlib import Path


@functools.cache
def _lists() -> dict[str, list[str]]:
    text = resources.files("diptych").joinpath("data/system_libraries.json").read_text(encoding="utf-8")
    lists: dict[str, list[str]] = json.loads(text)["libraries"]
    return lists


def is_system_library(needed: str, kind: str) -> bool:
    """Tell whether a needed library may be expected on every machine of a platform.

    Args:
        needed: the name as the binary has it.
        kind: "elf" or "macho".
    """
    return any(fnmatch.fnmatchcase(needed, glob) for glob in _lists()[kind])


def locate(name: str) -> Path | None:
    """Find a library by name in the system's usual folders: to tell a person where a stranger comes from."""
    roots = (Path("/lib"), Path("/usr/lib"), Path("/usr/local/lib"), Path("/lib64"), Path("/usr/lib64"))
    multiarch = re.compile(r"-linux-")
    for root in roots:
        folders = [root, *(child for child in _children(root) if multiarch.search(child.name))]
        for folder in folders:
            if (folder / name).exists():
                return folder / name
    return None


# The packages by which distributions bring what a run needs, in the order: apt, dnf, zypper, pacman, apk.
_INSTALLERS = {
    "apt": ("debian", "ubuntu"), "dnf": ("fedora", "rhel", "centos"), "zypper": ("suse", "opensuse"),
    "pacman": ("arch",), "apk": ("alpine",),
}  # fmt: skip
_COMMANDS = {
    "apt": "apt install", "dnf": "dnf install", "zypper": "zypper install", "pacman": "pacman -S", "apk": "apk add",
}  # fmt: skip
_PACKAGES = {
    "python headers": {
        "apt": "python3-dev", "dnf": "python3-devel", "zypper": "python3-devel", "pacman": "python", "apk": "python3-dev",
    },
    "g++": {"apt": "g++", "dnf": "gcc-c++", "zypper": "gcc-c++", "pacman": "gcc", "apk": "g++"},
    "clang++": dict.fromkeys(_COMMANDS, "clang"),
    "git": dict.fromkeys(_COMMANDS, "git"),
}  # fmt: skip


def how_to_install(what: str, *, release: Path = Path("/etc/os-release")) -> str:
    """Return the command by which this machine's distribution installs something.

    Args:
        what: ``python headers``, ``g++``, ``clang++`` or ``git``.
        release: os-release(5). When it tells of no known distribution, the commands of the two largest families.
    """
    try:
        text = release.read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    ids = set(re.findall(r"[\w-]+", " ".join(re.findall(r"^ID(?:_LIKE)?=(.*)$", text, re.MULTILINE))))
    here = [name for name, families in _INSTALLERS.items() if ids & set(families)] or ["apt", "dnf"]
    return " or ".join(f"{_COMMANDS[name]} {_PACKAGES[what][name]}" for name in here)


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(child for child in folder.iterdir() if child.is_dir())
    except OSError:
        return []
