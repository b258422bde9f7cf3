"""Atomic, content-addressed folders and files.

An *entry* is a folder named by the hash of everything that went into it. It is made under a lock in a
temporary folder, listed in a manifest, and renamed into place: so it is there and whole, or not there. A later
run checks the manifest (names, sizes, modification times) before it trusts the entry, and makes it again
when anything is gone or changed.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.errors import StoreError, SystemFaultError
from diptych.locks import LIMIT_SECONDS, held

MANIFEST = ".manifest.json"
_CHUNK = 1 << 20


def digest(*parts: object) -> str:
    """Hash JSON-able values into 16 hexadecimal digits: the name of an entry."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=_value)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _value(value: object) -> object:
    """Put what JSON does not know into its words; a set has an order that differs from run to run."""
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=digest)
    return str(value)


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()


def sha256_tree(root: Path, files: list[Path]) -> str:
    """Hash the relative names, modes and contents of ``files`` under ``root``, independent of order."""
    hasher = hashlib.sha256()
    for path in sorted(files):
        executable = "x" if os.access(path, os.X_OK) else "-"
        content = f"->{path.readlink()}" if path.is_symlink() else sha256_file(path)
        hasher.update(f"{path.relative_to(root).as_posix()}\0{executable}\0{content}\n".encode())
    return hasher.hexdigest()


@contextlib.contextmanager
def written(path: Path) -> Iterator[Path]:
    """Yield a temporary file beside ``path``, renamed over it when the block ends well.

    Raises:
        StoreError: the disk is full or the folder cannot be written.
    """
    with plain_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
    temporary = Path(name)
    try:
        with disk_errors(
            path
        ):  # any other fault is of what the block does: reading an input, asking a server
            yield temporary
        with plain_errors(path):
            temporary.chmod(0o644)
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` atomically."""
    with written(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401 -- any JSON value
    """Write ``value`` to ``path`` atomically, sorted and indented."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, default=str) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; an empty one when there is none, or it is damaged."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def copy_file(source: Path, target: Path) -> None:
    """Copy bytes, mode and times to ``target`` atomically."""
    with written(target) as temporary:
        shutil.copy2(source, temporary)
        mode = source.stat().st_mode & 0o777
    target.chmod(mode)


@contextlib.contextmanager
def locked(
    path: Path, *, waiting: Callable[[str], None] = lambda _: None, limit: float = LIMIT_SECONDS
) -> Iterator[None]:
    """Hold an exclusive lock on the file ``path``, waiting for another holder to finish.

    Args:
        path: the lock file; it is made when missing and left in place.
        waiting: called with the lock's name and its holder when somebody else holds it.
        limit: seconds after which waiting ends.

    Raises:
        StoreError: the file cannot be made, or somebody held it for longer than the limit.
    """
    with plain_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        with held(handle, path, waiting=waiting, limit=limit):
            yield
    finally:
        os.close(handle)


@dataclass(frozen=True, kw_only=True)
class Store:
    """The folder ``.diptych/`` of one checkout.

    Attributes:
        root: its path.
        waiting: called with the name of an entry that another run is making, and that run.
        limit: seconds to wait for it.
    """

    root: Path
    waiting: Callable[[str], None] = lambda _: None
    limit: float = LIMIT_SECONDS

    def lock(self, name: str) -> contextlib.AbstractContextManager[None]:
        """Return the lock of that name, to be held in a ``with`` block."""
        return locked(self.root / "locks" / f"{name}.lock", waiting=self.waiting, limit=self.limit)

    def path(self, kind: str, key: str) -> Path:
        """Return where the entry of that kind and key is, or would be."""
        return self.root / kind / key

    def find(self, kind: str, key: str) -> Path | None:
        """Return the entry's folder if it is there and whole."""
        folder = self.path(kind, key)
        if not intact(folder):
            return None
        with contextlib.suppress(OSError):  # when it was used, for eviction; a store may be read-only
            os.utime(folder / MANIFEST)
        return folder

    def entry(
        self,
        kind: str,
        key: str,
        make: Callable[[Path], None],
        *,
        valid: Callable[[Path], bool] = lambda _: True,
    ) -> tuple[Path, bool]:
        """Return the entry's folder, made by ``make(empty folder)`` unless it is there and whole.

        Args:
            kind: the stage, a folder name.
            key: the hash of everything that goes in.
            make: fills the folder; whatever it raises leaves nothing behind.
            valid: whether a whole entry still agrees with what lies outside it; if not, it is made again.

        Returns:
            The folder, and whether this call made it.

        Raises:
            StoreError: the disk is full or cannot be written.
        """
        if (found := self.find(kind, key)) and valid(found):
            return found, False
        with self.lock(f"{kind}-{key}"):
            if (found := self.find(kind, key)) and valid(found):
                return found, False
            return self._make(self.path(kind, key), make), True

    def _make(self, folder: Path, make: Callable[[Path], None]) -> Path:
        with plain_errors(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            for left in folder.parent.glob(f".{folder.name}.*"):  # by a run that was killed: we hold its lock
                shutil.rmtree(left, ignore_errors=True)
            temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            with disk_errors(folder):  # any other fault is the stage's own
                make(temporary)
            with plain_errors(folder):
                seal(temporary)
                temporary.chmod(0o755)
                discard(folder)
                temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return folder


def seal(folder: Path) -> None:
    """Write the manifest of everything under ``folder``: the last act of making an entry."""
    (folder / MANIFEST).write_text(json.dumps(_listing(folder)), encoding="utf-8")


def intact(folder: Path) -> bool:
    """Tell whether the folder holds exactly what its manifest says."""
    try:
        recorded = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return bool(recorded == _listing(folder))
    except (OSError, ValueError):
        return False


def discard(folder: Path) -> None:
    """Remove a folder so that a reader sees it whole or not at all."""
    if not folder.exists():
        return
    doomed = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    folder.rename(doomed / "old")
    shutil.rmtree(doomed, ignore_errors=True)


def _listing(folder: Path) -> dict[str, list[object]]:
    """Map each file to its size and time, each link to its target."""
    found: dict[str, list[object]] = {}
    pending = [folder]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                name = os.path.relpath(entry.path, folder)
                if entry.is_symlink():
                    found[name] = ["link", os.readlink(entry.path)]  # noqa: PTH115 -- a path object for each of 20,000 files is slow
                elif entry.is_dir():
                    pending.append(Path(entry.path))
                elif name != MANIFEST:
                    state = entry.stat()
                    found[name] = [state.st_size, state.st_mtime_ns]
    return found


@contextlib.contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turn an OSError of writing into a StoreError that names the file, the cause and the next step."""
    try:
        yield
    except OSError as error:
        raise _plain(error, path) from error


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full disk, or a place that must not be written, into a StoreError; every other OSError passes.

    For surfaces: a disk may fill up at any line below.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _HINTS:
            raise
        raise _plain(error, path) from error


@contextlib.contextmanager
def told_errors(path: Path) -> Iterator[None]:
    """Turn whatever the operating system refuses into an error of ours that says what it was; for surfaces.

    Raises:
        StoreError: as :func:`disk_errors`.
        SystemFaultError: anything else, such as a file that is gone or a connection that was refused.
    """
    try:
        with disk_errors(path):
            yield
    except OSError as error:
        if error.errno is None:  # not the system's: a library's own class, such as nox's
            raise
        what = f'"{error.filename}": {error.strerror}' if error.filename else str(error)
        raise SystemFaultError(what, hint="see what the step before needs, then run again") from error


_HINTS = {
    errno.ENOSPC: "free some space on that disk, then run again: finished stages are kept",
    errno.EDQUOT: "the disk quota is used up: free some space, then run again",
    errno.EACCES: "check the permissions of that folder",
    errno.EROFS: "that file system is read-only",
}


def _plain(error: OSError, path: Path) -> StoreError:
    hint = _HINTS.get(error.errno or 0, "run again; finished stages are kept")
    where = error.filename or path
    return StoreError(f'cannot write "{where}": {error.strerror or error}', hint=hint)
