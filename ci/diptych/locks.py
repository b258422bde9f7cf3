"""Exclusive locks between runs that name who holds them (flock(2)).

A holder writes itself into the lock file and empties it when it lets go. The lock itself is the kernel's: it is gone
with the last process that has the descriptor, so nothing has to be cleared up after a run that was killed. Besides the
run only the supervisors of its commands have it (:mod:`diptych.supervisor`), until all that they started has ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from diptych.errors import StoreError

LIMIT_SECONDS = 4 * 3600.0
_PAUSE_SECONDS = 0.1
_MOST_BYTES = 65536


@contextlib.contextmanager
def held(handle: int, path: Path, *, waiting: Callable[[str], None], limit: float) -> Iterator[None]:
    """Hold the lock of an open file for a block.

    Args:
        handle: the descriptor, which the block's commands' supervisors inherit.
        path: the file, for messages.
        waiting: called with the lock's name and its holder when it has to be waited for.
        limit: seconds after which waiting ends.

    Raises:
        StoreError: somebody held it for longer than the limit.
    """
    _take(handle, path, waiting=waiting, limit=limit)
    os.set_inheritable(handle, True)  # noqa: FBT003 -- positional-only in CPython
    _write(handle, _ourselves())
    try:
        yield
    except Exception:
        _let_go(handle)
        raise
    # Ctrl-C and its like: what still runs below a supervisor keeps the lock.
    _let_go(handle)


def _take(handle: int, path: Path, *, waiting: Callable[[str], None], limit: float) -> None:
    deadline = time.monotonic() + limit
    told = ""
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(handle)
            if not told or (holder and holder != told):
                told = holder or path.stem
                waiting(f"{path.stem} ({holder})" if holder else path.stem)
        else:
            return
        if time.monotonic() > deadline:
            raise StoreError(
                f'waited {limit:g} s for the lock "{path}"',
                details=[f"held by {told}"],
                hint="end that run if it hangs, then run again",
            )
        time.sleep(_PAUSE_SECONDS)


def _ourselves() -> str:
    name = Path(sys.argv[0]).name if sys.argv else ""
    command = shlex.join([name, *sys.argv[1:]])
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return json.dumps({"pid": os.getpid(), "command": command, "since": since})


def _holder(handle: int) -> str:
    """Say who holds the lock, in words; empty while nobody has written."""
    try:
        said = json.loads(os.pread(handle, _MOST_BYTES, 0))
        pid, command, since = int(said["pid"]), said["command"], said["since"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    words = f"process {pid}, `{command}`, since {since}"
    return words if _lives(pid) else f"{words}; that process has ended, what it started is being ended"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


def _write(handle: int, text: str) -> None:
    with contextlib.suppress(OSError):  # a full disk: the lock holds all the same, without a name
        os.ftruncate(handle, 0)
        os.pwrite(handle, text.encode(), 0)


def _let_go(handle: int) -> None:
    """Unlock for everybody who has the descriptor: another thread's command may have inherited it meanwhile."""
    _write(handle, "")
    fcntl.flock(handle, fcntl.LOCK_UN)
