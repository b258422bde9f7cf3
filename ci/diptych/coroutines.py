"""Run a coroutine of py-rattler to its end, its worker threads included.

Such a coroutine is finished by a thread of Rust's runtime that is attached to the interpreter for a moment longer. When
the process ends within that moment, CPython finalizes under the thread's feet and the process dies of SIGSEGV or SIGABRT
after all its work was done (github.com/PyO3/pyo3-async-runtimes/issues/40). So whoever runs one waits for that thread.
"""

from __future__ import annotations

import asyncio
import ctypes
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

_MOST_SECONDS = 5.0
_PAUSE_SECONDS = 0.001


def run_to_end(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a loop of its own and return its result.

    Args:
        coroutine: what py-rattler's functions return, or one that awaits them.

    Raises:
        Exception: whatever the coroutine raises.
    """
    before = _attached_threads()
    try:
        return asyncio.run(coroutine)
    finally:
        deadline = time.monotonic() + _MOST_SECONDS
        while _attached_threads() > before and time.monotonic() < deadline:
            time.sleep(_PAUSE_SECONDS)  # it needs the interpreter lock to let go


def _attached_threads() -> int:
    """Count the threads that the interpreter knows of, those of other languages included.

    :mod:`threading` and ``sys._current_frames`` don't see a thread that runs no Python code
    (docs.python.org/3/c-api/init.html, *Advanced debugger support*).
    """
    python = ctypes.pythonapi
    python.PyInterpreterState_Get.restype = ctypes.c_void_p
    python.PyInterpreterState_ThreadHead.restype = ctypes.c_void_p
    python.PyThreadState_Next.restype = ctypes.c_void_p
    state = python.PyInterpreterState_ThreadHead(ctypes.c_void_p(python.PyInterpreterState_Get()))
    count = 0
    while state:
        count += 1
        state = python.PyThreadState_Next(ctypes.c_void_p(state))
    return count
