"""Run by an environment's own interpreter, alone: times an import, or the loading of a package's extension modules.

``python -I probe.py import|load PACKAGE`` prints one JSON object. Standard library only, Python 3.10 and newer.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.machinery
import importlib.util
import json
import os
import sys
import time
from pathlib import Path


def imported(package: str) -> dict[str, object]:
    """Time the import statement."""
    started = time.perf_counter()
    importlib.import_module(package)
    return {"seconds": time.perf_counter() - started}


def loaded(package: str) -> dict[str, object]:
    """Time dlopen of every extension module of the package; none of its Python code has run.

    dlopen is called as the import system calls it (Python/dynload_shlib.c): with its flags, the GIL held. The module's
    own initialisation is not part of it, that of its C++ globals is.
    """
    modules = extension_modules(package)
    system = ctypes.PyDLL(None)
    dlopen = system.dlopen
    dlopen.restype, dlopen.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int]
    flags, before = sys.getdlopenflags(), mapped()
    started = time.perf_counter()
    handles = [dlopen(module, flags) for module in modules]
    seconds = time.perf_counter() - started
    if not modules or None in handles:
        return {"seconds": None, "libraries": None}
    after = mapped()
    return {"seconds": seconds, "libraries": None if before is None or after is None else len(after - before)}


def extension_modules(package: str) -> list[bytes]:
    """Return the paths of the package's extension modules, without importing it."""
    spec = importlib.util.find_spec(package.partition(".")[0])
    if spec is None:
        raise SystemExit(f"{package} is not installed")
    suffixes = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    if not spec.submodule_search_locations:
        origin = spec.origin or ""
        return [os.fsencode(origin)] if origin.endswith(suffixes) else []
    found = (path for folder in spec.submodule_search_locations for path in sorted(Path(folder).rglob("*")))
    # A library beside the modules ends in ".so" as well; it is no module and comes along as part of the closure.
    return [os.fsencode(path) for path in found if path.name.endswith(suffixes) and is_module(path)]


def is_module(path: Path) -> bool:
    """Tell whether a binary defines the function that the import system calls."""
    return b"PyInit_" + path.name.partition(".")[0].encode() in path.read_bytes()


def mapped() -> set[str] | None:
    """Return the files that are mapped into this process; None where the system does not say."""
    try:
        lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return {line.split(maxsplit=5)[5] for line in lines if "/" in line}


if __name__ == "__main__":
    what, name = sys.argv[1:]
    sys.stdout.write(json.dumps({"import": imported, "load": loaded}[what](name)) + "\n")
