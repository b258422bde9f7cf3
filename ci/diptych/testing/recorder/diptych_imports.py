"""Stands in for tests that a project lacks: ``python -m diptych_imports`` imports the package and each compiled module in it.

Stands alone on purpose, as ``sitecustomize`` beside it does. The package's name is in ``DIPTYCH_PACKAGE``.
"""

import importlib
import importlib.machinery
import os
import sys


def _compiled(package: str) -> list[str]:
    """The names of the compiled modules below a package, from the files that lie in its folders."""
    found = set()
    suffixes = sorted(importlib.machinery.EXTENSION_SUFFIXES, key=len, reverse=True)
    for folder in getattr(sys.modules[package], "__path__", ()):
        for place, _, files in os.walk(folder, followlinks=True):
            inner = os.path.relpath(place, folder).split(os.sep)
            for file in files:
                suffix = next((one for one in suffixes if file.endswith(one)), None)
                name = file[: -len(suffix)] if suffix else ""
                if (
                    name.isidentifier()
                    and _is_module(os.path.join(place, file), name)
                    and all(part.isidentifier() for part in inner if part != ".")
                ):
                    found.add(".".join([package, *(part for part in inner if part != "."), name]))
    return sorted(found)


def _is_module(path: str, name: str) -> bool:
    """Tell a module from a library with such a name: the function that Python calls (PEP 489, PEP 793)."""
    with open(path, "rb") as file:
        data = file.read()
    return any(start + name.encode() + b"\0" in data for start in (b"PyInit_", b"PyModExport_"))


def main() -> None:
    """Import them, one after another; the first that fails ends it."""
    # The working folder may hold the sources, which nothing has compiled.
    sys.path = [entry for entry in sys.path if entry and os.path.abspath(entry) != os.getcwd()]
    package = os.environ["DIPTYCH_PACKAGE"]
    importlib.import_module(package)
    names = _compiled(package)
    for name in names:
        importlib.import_module(name)
    sys.stdout.write("imported: %s\n" % ", ".join([package, *names]))


if __name__ == "__main__":
    main()
