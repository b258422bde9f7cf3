"""The name to import, and where the tests stand: from the backend's settings and the folders."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from diptych.adopt.files import inside, parsed
from diptych.adopt.readpyproject import Pyproject, strings
from diptych.adopt.readpytest import read_pytest

_SOURCES = ("", "src", "python", "lib", "source")
_NOT_PACKAGES = frozenset({"test", "tests", "testing", "docs", "doc", "examples", "example", "benchmarks", "bench", "scripts", "tools", "build", "dist", "ci", "conda", "recipe", "src", "python", "lib", "source", "setup", "conftest"})  # fmt: skip
_TEST_FOLDERS = ("tests", "test", "testing", "unit_tests", "python/tests", "python/test", "src/tests")


def listed_packages(pyproject: Pyproject, setup: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the import names that the backend's settings list, each with the key that does."""
    tables = (
        ("tool.scikit-build.wheel.packages", _wheel_packages(pyproject)),
        ("tool.hatch.build.targets.wheel.packages", pyproject.table("tool", "hatch", "build", "targets", "wheel").get("packages")),
        ("tool.setuptools.packages", pyproject.table("tool", "setuptools").get("packages")),
        ("tool.setuptools.py-modules", pyproject.table("tool", "setuptools").get("py-modules")),
        ("setup(packages)", setup.get("packages")),
        ("setup(py_modules)", setup.get("py_modules")),
    )  # fmt: skip
    found = [(name.rpartition("/")[2], key) for key, names in tables for name in strings(names)]
    module = pyproject.table("tool", "maturin").get("module-name")
    if isinstance(module, str):
        found.append((module.split(".", maxsplit=1)[0], "tool.maturin.module-name"))
    poetry = pyproject.table("tool", "poetry").get("packages")
    found += [
        (entry["include"].split("/", maxsplit=1)[0], "tool.poetry.packages")
        for entry in (poetry if isinstance(poetry, list) else ())
        if isinstance(entry, dict) and isinstance(entry.get("include"), str)
    ]
    return [(name, key) for name, key in found if _plausible(name)]


def _wheel_packages(pyproject: Pyproject) -> object:
    packages = pyproject.table("tool", "scikit-build", "wheel").get("packages")
    return list(packages.values()) if isinstance(packages, dict) else packages


def _plausible(name: str) -> bool:
    return (
        all(part.isidentifier() for part in name.split("."))
        and name.split(".", maxsplit=1)[0] not in _NOT_PACKAGES
    )


def source_folders(pyproject: Pyproject, setup: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the folders that packages stand in: the usual ones, and what setuptools is told."""
    named = [
        *strings(pyproject.table("tool", "setuptools", "packages", "find").get("where")),
        pyproject.table("tool", "setuptools", "package-dir").get(""),
        setup["package_dir"].get("") if isinstance(setup.get("package_dir"), dict) else None,
    ]
    return tuple(dict.fromkeys([*_SOURCES, *(one.strip("./") for one in named if isinstance(one, str))]))


def packages_on_disk(root: Path, sources: Sequence[str] = _SOURCES) -> list[str]:
    """Return the import names of the packages that stand in some folders."""
    found: dict[str, None] = {}
    for source in sources:
        folder = root / source
        if not folder.is_dir() or (source and (folder / "__init__.py").is_file()):
            continue  # a folder of sources that is a package itself goes by the name that the build gives it
        for entry in sorted(folder.iterdir()):
            if (
                (entry / "__init__.py").is_file()
                and _plausible(entry.name)
                and not entry.name.startswith(".")
            ):
                found[entry.name] = None
    return list(found)


def is_on_disk(root: Path, name: str, sources: Sequence[str] = _SOURCES) -> bool:
    """Tell whether a package or module of that import name stands in one of some folders."""
    path = name.replace(".", "/")
    places = [root / source / path for source in sources]
    return any(place.is_dir() or place.with_suffix(".py").is_file() for place in places)


def test_places(root: Path, pyproject: Pyproject, package: str) -> Iterator[tuple[str, str]]:
    """Yield where tests stand, relative to the root, each with why it is thought so; the best first."""
    settings = read_pytest(root, pyproject)
    for path in (given.removesuffix("/") for given in settings.testpaths):
        if path and inside(root, root / path) and (root / path).exists():
            yield path, f"{settings.file}: testpaths of pytest"
    folders = source_folders(pyproject, {})
    own = [
        f"{source}/{package.replace('.', '/')}/{name}".strip("/")
        for source in folders
        for name in ("tests", "test")
    ]
    for path in (*_TEST_FOLDERS, *own):
        if any(_test_files(root / path)):
            yield path, f"{path}/ has test files"
    yield from ((file.name, f"{file.name} is there") for file in sorted(_test_files(root)))


def tests_among_modules(root: Path, pyproject: Pyproject, package: str) -> str:
    """Return the folder of a package that has test files beside its modules; empty when there is none."""
    places = (f"{source}/{package.replace('.', '/')}".strip("/") for source in source_folders(pyproject, {}))
    return next((place for place in places if package and any((root / place).glob("test_*.py"))), "")


def _test_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    top = [path for glob in ("test_*.py", "*_test.py") for path in folder.glob(glob)]
    return top or [
        path
        for glob in ("*/test_*.py", "*/*/test_*.py")
        for path in folder.glob(glob)
        if folder.name in {"tests", "test"}
    ]


def imported_by(place: Path) -> set[str]:
    """Return the top-level names that the Python files of a place import, without the standard library's."""
    files = [place] if place.is_file() else sorted(place.rglob("*.py"))
    found: set[str] = set()
    for file in files:
        if tree := parsed(file):
            found |= set(_imports(tree))
    local = {file.stem for file in files} | {file.parent.name for file in files}
    return found - set(sys.stdlib_module_names) - local


def _imports(tree: ast.Module) -> Iterable[str]:
    """Yield what is imported at the top of a module: what an ``if`` or a ``try`` guards may be missing."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]
