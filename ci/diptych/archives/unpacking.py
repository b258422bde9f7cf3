"""Unpacking a package into a folder, safely."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from diptych.archives.member import Member
from diptych.archives.package import Package
from diptych.errors import StoreError

_EXECUTABLE, _PLAIN = 0o755, 0o644


def unpack(package: Package, folder: Path) -> None:
    """Write all members below ``folder``, which is there whole afterwards, or as before.

    Files are written first and links last, so that nothing is ever written through a link; modes become 0o755 or
    0o644. A hard link becomes a file of its own. Empty folders are not kept.

    Args:
        package: what to unpack.
        folder: a folder that is empty or does not exist; its parent exists.

    Raises:
        FormatError: the package is damaged or hostile, or has names that are one on this file system.
        StoreError: the folder is not empty, or cannot be written.
    """
    import shutil  # noqa: PLC0415 -- rarely unpacked, often opened
    import tempfile  # noqa: PLC0415 -- as shutil

    try:
        if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
            raise StoreError(f'cannot unpack into "{folder}": it is not an empty folder')
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            for member, pieces in package.container.stream(lambda _: True):
                _write(temporary, member, pieces, package)
            for member in package.members:
                if member.link is not None:
                    _link(temporary, member)
            temporary.chmod(_EXECUTABLE)
            temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise StoreError(f'cannot write "{error.filename or folder}": {error.strerror or error}') from error


def _write(root: Path, member: Member, pieces: Iterator[bytes], package: Package) -> None:
    target = root / member.name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        file = target.open("xb")
    except (FileExistsError, NotADirectoryError) as error:
        raise package.guard.refuse("another member is in its place", member.name) from error
    with file:
        for piece in pieces:
            file.write(piece)
    target.chmod(_EXECUTABLE if member.executable else _PLAIN)


def _link(root: Path, member: Member) -> None:
    from shutil import copy2  # noqa: PLC0415 -- as in unpack()

    target = root / member.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if member.hard:
        copy2(root / str(member.link), target)
    else:
        target.symlink_to(str(member.link))
