"""The machine's shared libraries that a Python's own modules need: OpenSSL, libffi, SQLite, ...

They go into the package's ``lib``, where conda-forge's packages of them would put them. What every machine has stays
outside (glibc, libstdc++, libgcc: the lists of :mod:`diptych.system`), and so does what ``_tkinter`` needs:
Tk wants its scripts and an X server of the machine anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from diptych.closure import closure, this_machine
from diptych.system import is_system_library


def libraries_of_modules(binaries: Mapping[str, Path]) -> dict[str, Path]:
    """Return the libraries to add, by their path in the package.

    Args:
        binaries: the ELF files of the package, by their path in it.
    """
    where = this_machine(environment={}, cwd="/")
    have = {Path(path).name for path in binaries}
    found: dict[str, Path] = {}
    for path, file in sorted(binaries.items()):
        if Path(path).name.startswith("_tkinter."):
            continue
        for loaded in closure(file, where=where).loaded:
            if loaded.path is None or (
                is_system_library(loaded.name, "elf") and not _left_by_glibc(loaded.name)
            ):
                continue
            name = Path(loaded.name).name
            if name not in have and not name.startswith("libpython"):
                found.setdefault(f"lib/{name}", Path(loaded.path).resolve())
    return found


def _left_by_glibc(name: str) -> bool:
    """Tell whether a library was glibc's once, and is a package of its own now (libxcrypt, libnsl)."""
    return name.startswith(("libcrypt.so", "libnsl.so"))
