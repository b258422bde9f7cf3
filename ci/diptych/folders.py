"""A folder of results outside the store, such as a piece or a release: laid out whole, or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from diptych.errors import ConfigError
from diptych.store import discard, disk_errors, plain_errors


def require_free(out: Path, *, listing: str, what: str) -> None:
    """Refuse a folder that holds anything but an earlier result: it would be replaced as a whole.

    Args:
        out: the folder.
        listing: the file by which a result of ours is known.
        what: what such a result is, for the message.

    Raises:
        ConfigError: it does, or it is no folder.
    """
    if out.is_dir() and ((out / listing).is_file() or not any(out.iterdir())):
        return
    if out.exists() or out.is_symlink():
        raise ConfigError(
            f'--out "{out}" is there and is no {what} of an earlier run',
            hint="name a folder that is new or empty",
        )


@contextmanager
def replaced(out: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``out``, which takes its place when the block ends well.

    The caller holds a lock for ``out``: what a killed run left beside it is removed.

    Raises:
        StoreError: the disk is full or the folder cannot be written.
    """
    with plain_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        for left in out.parent.glob(f".{out.name}.*"):
            shutil.rmtree(left, ignore_errors=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        with disk_errors(out):  # any other fault is of what the block does
            yield temporary
        with plain_errors(out):
            temporary.chmod(0o755)
            discard(out)
            temporary.rename(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
