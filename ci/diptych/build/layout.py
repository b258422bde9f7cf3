"""How an install tree is laid out: as site-packages, or as a whole prefix that has site-packages in it.

A CMake project that is a Python package alone installs ``mypackage/…`` relative to site-packages. A C++ library with bindings
installs ``lib/``, ``include/``, ``bin/`` and ``lib/cmake/`` relative to a prefix, and its modules where FindPython says that
site-packages is (``Python_SITEARCH``): an absolute path in the host environment. So everything is installed below a folder of its
own (DESTDIR, cmake-envvars(7)), and what was meant for the host environment is moved to where a prefix has it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from diptych.build.fileapi import Installed
from diptych.errors import CompileError

SITE, PREFIX = "site", "prefix"
"""The folder of a stage with the one layout, or the other."""

INSTALL_PREFIX = Path(("/opt/diptych" + "_placehold" * 25)[:255])
"""What a project of the second layout is told that its install prefix is: of the longest length that conda's tools replace (CEP 34), so that
a program that has it compiled in finds its files in any environment. Nothing is ever there."""

_AS_SITE = PurePosixPath()
_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where things of an install tree are.

    Attributes:
        name: the folder of a stage that holds the tree: :data:`SITE` or :data:`PREFIX`.
        site: site-packages, relative to that.
    """

    name: str
    site: PurePosixPath

    @property
    def whole_prefix(self) -> bool:
        """Whether the tree holds more than site-packages."""
        return self.name == PREFIX


def layout_of(entry: Path, site: PurePosixPath) -> Layout:
    """Return the layout of a stage that is there.

    Args:
        entry: its folder.
        site: site-packages of the cell's Python, relative to a prefix.
    """
    if (entry / PREFIX).is_dir():
        return Layout(name=PREFIX, site=site)
    return Layout(name=SITE, site=_AS_SITE)


def layout_meant(rules: Iterable[Installed], *, prefix: Path, site: PurePosixPath) -> Layout:
    """Tell from the install rules which layout a project has.

    Args:
        rules: what CMake says that it installs.
        prefix: the host environment.
        site: site-packages of the cell's Python, relative to a prefix.
    """
    if any(_below_prefix(one.path, prefix).is_relative_to(site) for one in rules):
        return Layout(name=PREFIX, site=site)
    return Layout(name=SITE, site=_AS_SITE)


def origins(names: Iterable[str], rules: Iterable[Installed], *, prefix: Path) -> Iterator[tuple[str, Path]]:
    """Yield the installed files that a rule took from somewhere, and from where.

    Args:
        names: relative to the install tree.
        rules: what CMake says that it installs.
        prefix: the host environment.
    """
    known = {_below_prefix(one.path, prefix).as_posix(): one.origin for one in rules}
    for name in names:
        path = PurePosixPath(name)
        # Its own rule, or that of the nearest folder above it.
        rule = next((one for one in (path, *path.parents) if one.as_posix() in known), None)
        if rule is not None:
            yield name, known[rule.as_posix()] / path.relative_to(rule)


def gather(destdir: Path, target: Path, *, prefix: Path, rules: Iterable[Installed]) -> None:
    """Move what was installed below ``destdir`` into the install tree.

    Args:
        destdir: what DESTDIR was.
        target: the install tree, which was the install prefix.
        prefix: the host environment, into which absolute destinations may lead.
        rules: what CMake says that it installs, for the message.

    Raises:
        CompileError: something would land elsewhere.
    """
    for home in dict.fromkeys((target, target.resolve(), prefix, prefix.resolve(), INSTALL_PREFIX)):
        _move(destdir / home.relative_to("/"), target)
    strays = [f"/{name}" for name in _files(destdir)]
    if strays:
        more = [f"and {len(strays) - _SHOWN} more"] if len(strays) > _SHOWN else []
        raise CompileError(
            "CMake installs files where neither a wheel nor a conda package can have them",
            details=[*(f"{stray}{_by(stray, rules)}" for stray in strays[:_SHOWN]), *more],
            hint="give install() a DESTINATION relative to the install prefix, or one below Python_SITEARCH",
        )


def files_of(folder: Path) -> tuple[str, ...]:
    """Return every file and link below a folder, sorted, relative to it."""
    return tuple(sorted(_files(folder)))


def _files(folder: Path) -> Iterator[str]:
    for home, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(home) / name).is_symlink()]
        yield from ((Path(home) / name).relative_to(folder).as_posix() for name in (*names, *links))


def _move(tree: Path, target: Path) -> None:
    for name in files_of(tree):
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        (tree / name).replace(place)


def _below_prefix(path: str, prefix: Path) -> PurePosixPath:
    """Return an install path relative to the prefix that it leads into; any other as it is."""
    found = PurePosixPath(os.path.normpath(path))
    for home in (prefix, prefix.resolve(), INSTALL_PREFIX):
        if found.is_relative_to(home):
            return found.relative_to(home)
    return found


def _by(stray: str, rules: Iterable[Installed]) -> str:
    """Say which rule installs a file."""
    for one in rules:
        path = os.path.normpath(one.path)
        if one.rule and (stray == path or (one.folder and stray.startswith(f"{path}/"))):
            return f" ({one.rule})"
    return ""
