"""Runs inside each Python process of a test command; writes down, at its end, what the process had loaded.

Stands alone on purpose: it is imported by the tests' interpreter, where Diptych is not installed. Python imports
a module of this name at start (see the documentation of ``site``); one that it shadows is imported after it.
"""

import atexit
import importlib.machinery
import importlib.util
import json
import os
import sys


def _mapped_files() -> list[str]:
    """Every file mapped into the process that looks like code (proc(5), maps; dyld(3) on macOS)."""
    if sys.platform == "darwin":
        import ctypes

        dyld = ctypes.CDLL(None)
        dyld._dyld_get_image_name.restype = ctypes.c_char_p
        return sorted({dyld._dyld_get_image_name(i).decode() for i in range(dyld._dyld_image_count())})
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        fields = (line.rstrip("\n").split(None, 5) for line in maps)
        found = {field[5] for field in fields if len(field) == 6 and field[5].startswith("/")}
    return sorted(name for name in found if ".so" in os.path.basename(name))


def _record(folder: str, package: str) -> None:
    module = sys.modules.get(package)
    names = [name for name in sys.modules if name == package or name.startswith(package + ".")]
    files = {name: getattr(sys.modules[name], "__file__", None) for name in names}
    record = {
        "executable": sys.executable,
        "version": "%d.%d" % sys.version_info[:2] + ("t" if "t" in getattr(sys, "abiflags", "") else ""),
        "imported": module is not None,
        "modules": {name: path for name, path in sorted(files.items()) if path},
        "libraries": _mapped_files(),
    }
    path = os.path.join(folder, "%d.json" % os.getpid())
    with open(path + ".tmp", "w", encoding="utf-8", errors="surrogateescape") as file:
        json.dump(record, file)
    os.replace(path + ".tmp", path)


def _import_shadowed() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    others = [entry for entry in sys.path if os.path.abspath(entry or ".") != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


_folder = os.environ.get("DIPTYCH_PROCESS_RECORDS")
if _folder:
    atexit.register(_record, _folder, os.environ["DIPTYCH_PACKAGE"])
if os.environ.get("DIPTYCH_SANITIZER_REPORTS"):
    import diptych_test_marks  # type: ignore[import-not-found]  # beside this file, in the tests' process

    diptych_test_marks.start_anew()
    diptych_test_marks.mark_inherited()
_import_shadowed()
