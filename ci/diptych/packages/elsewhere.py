"""What goes elsewhere than into site-packages.

A backend's wheel has ``.data`` folders for it (PEP 427, "the .data directory"), a prefix that CMake installed the prefix itself.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from diptych.archives import open_package
from diptych.binaries import find_binaries
from diptych.errors import PackageError, nearest
from diptych.packages.grafted import original_name
from diptych.packages.metadata import Metadata

_SHOWN = 8


def check_elsewhere(extra: Path | None) -> None:
    """Refuse binaries there, since only those of site-packages are relinked, and folders that no installer knows.

    Args:
        extra: folders named ``scripts``, ``headers`` and ``data``; None when the wheel has nothing of the kind.

    Raises:
        PackageError: naming each.
    """
    unknown = sorted({one.name for one in extra.iterdir()} - {"scripts", "headers", "data"}) if extra else []
    if unknown:
        raise PackageError(
            f"the wheel of the build backend has .data folders that no installer knows: {', '.join(unknown)}",
            hint="PEP 427 has purelib, platlib, scripts, headers and data",
        )
    found = sorted(find_binaries(extra)) if extra else []
    if extra and found:
        raise PackageError(
            "the wheel of the build backend has binaries outside site-packages, which would not be relinked",
            details=[path.relative_to(extra).as_posix() for path in found],
            hint="let the backend install them into the package's own folder",
        )


def into_wheel(extra: Path | None, programs: Path | None, content: Path, metadata: Metadata) -> None:
    """Copy the folders, and a folder of programs, into a wheel's content, under the name that belongs to its metadata."""
    folder = content / f"{metadata.stem}.data"
    if extra:
        shutil.copytree(extra, folder)
    if programs and programs.is_dir():
        shutil.copytree(programs, folder / "scripts", dirs_exist_ok=True)


def with_files(
    extra: Path | None, tree: Path, globs: Sequence[str], folder: Path, *, kept: Collection[PurePosixPath]
) -> Path | None:
    """Return the folders with files of an install tree added to ``data``, by globs over their paths; as they are when there is none.

    Args:
        extra: as for :func:`check_elsewhere`.
        tree: the install tree.
        globs: from the table, ``wheel-include``.
        folder: made here when there are globs.
        kept: the folders of the tree that the wheel holds anyway.

    Raises:
        PackageError: a glob matches no such file, or a binary.
    """
    if not globs:
        return extra
    if extra:
        shutil.copytree(extra, folder)
    every = [PurePosixPath(path.relative_to(tree)) for path in sorted(tree.rglob("*")) if path.is_file()]
    names = [name for name in every if not any(name.is_relative_to(one) for one in kept)]
    binaries = {path.resolve() for path in find_binaries(tree)}
    for glob in globs:
        found = [name for name in names if fnmatchcase(str(name), glob)]
        if not found:
            raise PackageError(
                f'wheel-include: "{glob}" matches no file outside site-packages{nearest(glob, map(str, names))}',
                details=[str(name) for name in names[:_SHOWN]] or ["everything is in site-packages"],
                hint="globs are over paths below the prefix, such as include/*",
            )
        if wrong := [name for name in found if (tree / name).resolve() in binaries]:
            raise PackageError(
                f'wheel-include: "{glob}" matches {wrong[0]}, which is a binary',
                hint="libraries that the wheel needs are grafted into it, and programs are in it without being asked for",
            )
        for name in found:
            target = folder / "data" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(tree / name, target)
    return folder


def copy_without(tree: Path, but: Path, target: Path) -> None:
    """Copy a tree, links as links, without one folder of it, into a folder that may be there."""
    shutil.copytree(
        tree,
        target,
        symlinks=True,
        dirs_exist_ok=True,
        ignore=lambda folder, names: [name for name in names if Path(folder, name) == but],
    )


def left_out(wheel: Path, tree: Path, *, kept: Collection[PurePosixPath]) -> tuple[str, ...]:
    """Tell what of an install tree a wheel does not hold: folder and number of files, or a library that nothing needs.

    Args:
        wheel: the finished wheel.
        tree: what it was made of.
        kept: the folders of the tree that it holds.
    """
    with open_package(wheel) as package:
        inside = {original_name(PurePosixPath(member.name).name) for member in package.members}
    names = [
        path.relative_to(tree)
        for path in sorted(tree.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.name not in inside
    ]
    outside = [name for name in names if not any(PurePosixPath(name).is_relative_to(one) for one in kept)]
    folders = Counter(name.parent.as_posix() for name in outside)
    return tuple(f"{folder} ({count} file{'s' * (count > 1)})" for folder, count in sorted(folders.items()))


def into_prefix(extra: Path | None, folder: Path, *, python: str, metadata: Metadata) -> None:
    """Lay the files out as below a prefix, where pip puts them.

    Args:
        extra: as for :func:`check_elsewhere`.
        folder: made here; stays empty when there is nothing.
        python: "3.11".
        metadata: its name is the folder of the headers (pip, ``get_scheme``: ``include/pythonX.Y/NAME``).
    """
    places = {"scripts": "bin", "headers": f"include/python{python}/{metadata.name}", "data": "."}
    folder.mkdir()
    for scheme in sorted(extra.iterdir()) if extra else ():
        shutil.copytree(scheme, folder / places[scheme.name], dirs_exist_ok=True)
    # An installer makes them executable, whatever mode the wheel has (binary distribution format, "Recommended installer features").
    for script in (folder / "bin").glob("*"):
        script.chmod(0o755)
