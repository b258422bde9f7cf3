"""Shared libraries that packages of an environment keep below site-packages, as wheels do, and prefixes that lie there.

Wheels of cmeel hold a whole prefix, ``cmeel.prefix``, and find each other's libraries in it by run paths (cmeel's documentation);
others keep theirs in a folder of their package (pyarrow's ``libarrow.so``). What links such a library finds it beside itself in
site-packages, after pip and after conda.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

_SITE = "lib/python3*/site-packages"
INNER_PREFIX = "cmeel.prefix"
"""The folder of site-packages in which all wheels of cmeel have their prefix."""
_LIBRARIES = ("lib*.so", "lib*.so.*", "lib*.dylib")


def siblings(prefix: Path) -> dict[str, PurePosixPath]:
    """Return the shared libraries below site-packages: file name → path relative to the environment."""
    found = (path for kind in _LIBRARIES for path in prefix.glob(f"{_SITE}/**/{kind}"))
    return {path.name: PurePosixPath(path.relative_to(prefix).as_posix()) for path in sorted(found)}


def library_names(prefix: Path) -> frozenset[str]:
    """Return the file names of all shared libraries of an environment: those of ``lib``, and those below site-packages."""
    return frozenset(path.name for path in (prefix / "lib").glob("*.so*")) | siblings(prefix).keys()


def inner_prefixes(prefix: Path) -> tuple[Path, ...]:
    """Return the prefixes that lie in the site-packages of an environment."""
    return tuple(sorted(prefix.glob(f"{_SITE}/{INNER_PREFIX}")))


def site_of(path: PurePosixPath) -> PurePosixPath:
    """Return site-packages as a sibling's path has it, relative to the environment."""
    return PurePosixPath(*path.parts[:3])
