"""What meson.build files look for: ``dependency('x')`` and ``find_library('x')``, with their lines."""

from __future__ import annotations

import os
import re
from pathlib import Path

from diptych.adopt.files import inside, read_text
from diptych.adopt.model import Need, Origin, Reading, Untold, joined

_CALL = re.compile(r"\b(dependency|find_library|subdir)\s*\(((?:[^()']|'(?:\\.|[^'\\])*'|\([^()]*\))*)\)")
_COMMENT = re.compile(r"('(?:\\.|[^'\\\n])*')|#[^\n]*")
_STRING = re.compile(r"'((?:\\.|[^'\\])*)'")
_NOT_REQUIRED = re.compile(r"required\s*:\s*(false|get_option|[a-z_]+)")
_MODULES = re.compile(r"modules\s*:\s*(\[[^\]]*\]|'[^']*')")


def read_meson(root: Path, top: Path) -> Reading:
    """Read a meson.build and what it enters with ``subdir``.

    Args:
        root: the repository.
        top: its meson.build.

    Returns:
        Nothing where the file is not there.
    """
    readings: list[Reading] = []
    waiting, seen = [top], set[Path]()
    while waiting:
        path = Path(os.path.normpath(waiting.pop(0)))
        if inside(root, path) and path.is_file() and path not in seen:
            seen.add(path)
            reading, folders = _file(root, path)
            readings.append(reading)
            waiting += [path.parent / folder / "meson.build" for folder in folders]
    return joined(readings)


def _file(root: Path, path: Path) -> tuple[Reading, list[str]]:
    text = _COMMENT.sub(lambda found: found[1] or "", read_text(path))
    place = path.relative_to(root).as_posix()
    needs: list[Need] = []
    untold: list[Untold] = []
    folders: list[str] = []
    for call in _CALL.finditer(text):
        origin = Origin(file=place, line=text.count("\n", 0, call.start()) + 1)
        first = _STRING.match(call[2].strip())
        if first is None:
            if call[1] == "dependency":
                untold.append(Untold(text="a dependency whose name is computed", origin=origin))
        elif call[1] == "subdir":
            folders.append(first[1])
        elif first[1]:
            needs.append(_need(call[1], first[1], call[2], origin))
    compiled = (Origin(file=place),) if path.parent == root else ()
    return Reading(needs=tuple(needs), untold=tuple(untold), compiled=compiled), folders


def _need(function: str, name: str, arguments: str, origin: Origin) -> Need:
    required = not _NOT_REQUIRED.search(arguments)
    if function == "find_library":
        return Need(kind="library", name=name, required=required, origin=origin)
    modules = _MODULES.search(arguments)
    components = tuple(_STRING.findall(modules[1])) if modules else ()
    if (
        name == "boost"
    ):  # https://mesonbuild.com/Dependencies.html#boost: no pkg-config file, modules as in CMake
        return Need(kind="cmake", name="Boost", components=components, required=required, origin=origin)
    return Need(kind="pkg-config", name=name, required=required, origin=origin)
