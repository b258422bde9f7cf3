"""Writing the change: every file, or none."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from diptych.adopt.edit import Edit
from diptych.errors import StoreError
from diptych.store import plain_errors


def apply(edits: Sequence[Edit]) -> None:
    """Write the new files beside the old ones, then rename them; when one cannot be renamed, the others go back.

    Raises:
        StoreError: a folder cannot be written, the disk is full, or a file is not any more what it was when it was read.
    """
    with ExitStack() as stack:
        ready = [(stack.enter_context(_beside(edit)), edit) for edit in edits]
        for _, edit in ready:
            _refuse_read_only(edit)
            _refuse_changed(edit)
        done: list[Edit] = []
        try:
            for temporary, edit in ready:
                with plain_errors(edit.path):
                    temporary.replace(_target(edit))
                done.append(edit)
        except BaseException:
            for edit in reversed(done):
                _put_back(edit)
            raise


def _target(edit: Edit) -> Path:
    """A link stays a link: what it leads to is replaced."""
    return edit.path.resolve()


@contextlib.contextmanager
def _beside(edit: Edit) -> Iterator[Path]:
    target = _target(edit)
    with plain_errors(target):
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with plain_errors(target):
            with os.fdopen(handle, "wb") as stream:
                stream.write(edit.after)
            temporary.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _refuse_read_only(edit: Edit) -> None:
    """A rename replaces a file that nobody may write, too: but somebody has said that it stays."""
    target = _target(edit)
    if target.exists() and not target.stat().st_mode & 0o222:
        raise StoreError(
            f'"{edit.path}" is read-only: nothing was written',
            hint=f"chmod u+w {edit.path.name}, then run again",
        )


def _refuse_changed(edit: Edit) -> None:
    now = edit.path.read_bytes() if edit.path.exists() else None
    if now != edit.before:
        raise StoreError(f'"{edit.path}" was changed while the question was open', hint="run again")


def _put_back(edit: Edit) -> None:
    with contextlib.suppress(OSError):
        if edit.before is None:
            edit.path.unlink()
        else:
            _target(edit).write_bytes(edit.before)
