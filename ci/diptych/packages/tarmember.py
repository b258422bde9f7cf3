"""One form for the members of every tar that is written: nobody's, with two modes, at one time."""

from __future__ import annotations

import tarfile
from pathlib import Path

_EXECUTABLE, _PLAIN, _LINK = 0o755, 0o644, 0o777


def files_below(root: Path) -> list[str]:
    """Return files and links below a folder, relative and sorted; folders are made by what is in them."""
    return sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_symlink() or not path.is_dir()
    )


def add_member(tar: tarfile.TarFile, path: Path, name: str, *, epoch: int) -> None:
    """Add a file or a link.

    Args:
        tar: the archive.
        path: the file.
        name: its name in the archive.
        epoch: its time there, in seconds since 1970.
    """
    entry = tarfile.TarInfo(name)
    entry.mtime = epoch
    if path.is_symlink():
        entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, path.readlink().as_posix(), _LINK
        tar.addfile(entry)
        return
    state = path.stat()
    entry.size, entry.mode = state.st_size, _EXECUTABLE if state.st_mode & 0o111 else _PLAIN
    with path.open("rb") as file:
        tar.addfile(entry, file)
