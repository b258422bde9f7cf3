"""The cache of compiled objects: what Pythons, cells and checkouts share instead of compiling it again.

:mod:`diptych.launcher` stands between CMake and the compiler; here is what it is told, what it has counted, and how large its folder gets.
Objects are kept by content, so a cell gets the bytes that it would have compiled.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from diptych.build.toolenv import launches
from diptych.compilers import Compiler
from diptych.interpreters import identity
from diptych.store import write_json

VARIABLE = "DIPTYCH_OBJECTS"
"""Where objects are kept, for several checkouts together; ``off`` for nowhere."""
_LAUNCHER = Path(__file__).parents[1] / "launcher.py"
_ORDER, _COUNTS = "launcher.json", "launcher.txt"
_MOST = 4 * 10**9


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How many objects of one compile stage were taken from the cache, and how many compiled."""

    taken: int
    compiled: int


def objects_folder(env: Mapping[str, str], root: Path) -> Path | None:
    """Return where objects are kept: DIPTYCH_OBJECTS, or a folder of the store at ``root``; None for nowhere.

    Where a person has set a compiler launcher of their own (cmake-envvars(7)), that one is used, and nothing is kept here.
    """
    given = env.get(VARIABLE, "")
    if given == "off" or launches(env):
        return None
    return Path(given).absolute() if given else root / "objects"


def launcher(tree: Path, *, objects: Path, names: Mapping[Path, str], compiler: Compiler) -> str:
    """Return the value of ``CMAKE_<LANG>_COMPILER_LAUNCHER`` for a build tree, whose order is written.

    Args:
        tree: the cell's build folder; what the launcher counts is kept in it.
        objects: where objects are kept.
        names: folders of this cell, and the stable names of them.
        compiler: the cell's.
    """
    tree.mkdir(parents=True, exist_ok=True)
    counts = tree / _COUNTS
    counts.unlink(missing_ok=True)
    order = {
        "objects": str(objects),
        "names": [[str(path), name] for path, name in names.items()],
        "compiler": [asdict(compiler), *map(identity, (compiler.cc, compiler.cxx))],
        "counts": str(counts),
    }
    write_json(tree / _ORDER, order)
    return ";".join([sys.executable, "-I", "-S", str(_LAUNCHER), str(tree / _ORDER)])


def counted(tree: Path) -> Counted:
    """Return what the launcher has counted in a build tree since its order was written."""
    file = tree / _COUNTS
    words = file.read_text(encoding="utf-8").split() if file.is_file() else []
    return Counted(taken=words.count("taken"), compiled=words.count("compiled"))


def prune(objects: Path, *, most: int = _MOST) -> None:
    """Remove the objects that were not used for the longest time, until the rest is no larger than ``most`` bytes."""
    files = [(file, file.stat()) for file in objects.glob("*/*/*.o")]
    size = sum(state.st_size for _, state in files)
    for file, state in sorted(files, key=lambda pair: pair[1].st_mtime):
        if size <= most:
            return
        file.with_suffix(".json").unlink(missing_ok=True)
        file.unlink(missing_ok=True)
        file.parent.with_suffix(".lock").unlink(missing_ok=True)
        size -= state.st_size
