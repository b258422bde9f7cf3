"""A copy of the project's files for a build backend to work in, kept between runs so that only what changed is compiled.

Backends write beside the sources (setuptools: ``build``, ``*.egg-info``; build scripts: compiled modules), and what one cell leaves there
another would find. In the copy a file that did not change keeps its time stamp, which is what make-like tools go by; one
that changed gets the present time, also when the change is an older file (a checkout of another branch).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from diptych import process
from diptych.store import write_json

_LISTING = "mirrored.json"


def mirror(files: Iterable[Path], source: Path, folder: Path) -> None:
    """Make ``folder`` hold these files of ``source`` and none that an earlier call brought and is gone.

    What a backend has made there stays. Links stay links.

    Args:
        files: absolute paths below ``source``.
        source: the project.
        folder: the copy; its parent holds the list of what was brought.
    """
    listing = folder.parent / _LISTING
    names = [file.relative_to(source).as_posix() for file in files]
    for name in sorted(_brought(listing) - set(names)):
        _remove(folder / name)
    for name in names:
        _bring(source / name, folder / name)
    write_json(listing, names)


def lend_git(source: Path, folder: Path, *, env: Mapping[str, str]) -> None:
    """Let git answer in the copy what it answers in the project, when that is the top of its work tree.

    A ``.git`` file names the repository (gitrepository-layout(5)); GIT_OPTIONAL_LOCKS=0 in the backend's environment keeps git from
    writing there (git(1)).
    """
    link = folder / ".git"
    if not process.which("git", env):
        return
    ask = ["git", "rev-parse", "--show-toplevel", "--absolute-git-dir"]
    answer = process.run(ask, env=env, cwd=source, check=False).output.splitlines()
    if len(answer) == 2 and Path(answer[0]).resolve() == source.resolve():  # noqa: PLR2004 -- two questions
        link.write_text(f"gitdir: {answer[1]}\n", encoding="utf-8")
    else:
        link.unlink(missing_ok=True)


def _brought(listing: Path) -> set[str]:
    try:
        return set(json.loads(listing.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return set()


def _bring(file: Path, copy: Path) -> None:
    if _same(file, copy):
        return
    _remove(copy)
    copy.parent.mkdir(parents=True, exist_ok=True)
    if file.is_symlink():
        copy.symlink_to(file.readlink())
    else:
        shutil.copyfile(file, copy)
        shutil.copymode(file, copy)


def _same(file: Path, copy: Path) -> bool:
    if file.is_symlink() or copy.is_symlink():
        return file.is_symlink() and copy.is_symlink() and file.readlink() == copy.readlink()
    try:
        one, other = file.stat(), copy.stat()
    except OSError:
        return False
    if (one.st_size, one.st_mode & 0o777) != (other.st_size, other.st_mode & 0o777):
        return False
    return file.read_bytes() == copy.read_bytes()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()
