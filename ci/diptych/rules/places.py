"""Where the members of a package lie once it is installed, and what a run path of theirs leads to."""

from __future__ import annotations

import posixpath
import re

PREFIX = "/PREFIX"
"""Stands for the environment that a package will be installed in."""
SITE = f"{PREFIX}/lib/python3.X/site-packages"
_DATA = re.compile(r"[^/]+\.data/(purelib|platlib|data|scripts|headers)/(.+)")
_SCHEMES = {
    "purelib": SITE,
    "platlib": SITE,
    "data": PREFIX,
    "scripts": f"{PREFIX}/bin",
    "headers": f"{PREFIX}/include",
}
_ORIGIN = re.compile(r"^(?:\$ORIGIN(?![A-Za-z0-9_])|\$\{ORIGIN\}|@loader_path|@executable_path)(?=/|$)")


def final_place(kind: str, place: str) -> str:
    """Return the absolute path of a member after installation.

    Args:
        kind: of the target: ``wheel`` members go below site-packages (PEP 427 for the ``.data`` folders), those of a conda
            package below the prefix; a file or folder lies where it lies.
        place: the member.
    """
    if kind == "wheel":
        match = _DATA.fullmatch(place)
        return f"{_SCHEMES[match[1]]}/{match[2]}" if match else f"{SITE}/{place}"
    return f"{PREFIX}/{place}" if kind == "conda" else place


def is_relative_to_origin(entry: str) -> bool:
    """Tell whether a run path entry moves with the file that has it."""
    return bool(_ORIGIN.match(entry))


def led_to(entry: str, place: str) -> str:
    """Return the folder that a relative entry leads to, for a file at its final place; the executable is python."""
    folder = f"{PREFIX}/bin" if entry.startswith("@executable_path") else posixpath.dirname(place)
    return posixpath.normpath(_ORIGIN.sub(lambda _: folder, entry, count=1))


def is_inside(path: str, folder: str) -> bool:
    """Tell whether a path is a folder, or below it."""
    return path == folder or path.startswith(f"{folder}/")
