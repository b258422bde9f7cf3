"""The closure of a binary of either format: everything that loading it loads."""

from __future__ import annotations

import os
import posixpath

from diptych.binaries import Binary
from diptych.closure.context import SearchContext
from diptych.closure.dyld import dyld_closure
from diptych.closure.glibc import GlibcProcess, elf_closure
from diptych.closure.model import Closure
from diptych.closure.musl import MuslProcess


def closure(path: str | os.PathLike[str], *, where: SearchContext, binary: Binary | None = None) -> Closure:
    """Resolve everything that a binary needs as its loader really does.

    Args:
        path: the binary; relative to ``where.cwd``.
        where: the world; with ``where.executable`` the binary is loaded into that running program (an import by
            Python), without it is started itself (or looked at as ``ldd`` does).
        binary: facts to use instead of what is at ``path``: the question "what if" before a relink, as in
            ``closure(path, where=world, binary=dataclasses.replace(binary, runpath=("$ORIGIN",)))``. For a
            universal file: the slice; otherwise its first slice is taken.

    Returns:
        Every need, in the loader's order, with where it was found and why, and where not.

    Raises:
        FormatError: the binary or the executable cannot be read, or the search takes half a million attempts.
            A library that cannot be read is an entry of the result.
    """
    place = posixpath.join(where.cwd, os.fspath(path))
    facts = where.files.read(place)[0] if binary is None else binary
    if facts.format != "elf":
        return dyld_closure(place, facts, where)
    return elf_closure(place, facts, where, MuslProcess if where.musl else GlibcProcess)
