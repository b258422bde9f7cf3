"""py-rattler's coroutines are run until their threads have let go: CPython must not finalize under them."""

from __future__ import annotations

import ctypes
import threading
import time

import pytest

from diptych.coroutines import run_to_end


async def given(value: int) -> int:
    return value


async def refused() -> None:
    raise KeyError("wanted")


def test_the_result_comes_back() -> None:
    assert run_to_end(given(3)) == 3


def test_an_error_comes_through() -> None:
    with pytest.raises(KeyError, match="wanted"):
        run_to_end(refused())


def test_a_thread_of_another_language_is_waited_for() -> None:
    """As Rust's runtime does: a thread that Python did not start is attached, and outlives the coroutine."""
    entered, left = threading.Event(), []

    def work(_: int | None) -> None:
        entered.set()
        time.sleep(0.2)
        left.append(True)

    attached = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(work)
    thread = ctypes.c_ulong()
    library = ctypes.CDLL(None)

    async def start() -> None:
        assert library.pthread_create(ctypes.byref(thread), None, attached, None) == 0
        assert entered.wait(5)

    run_to_end(start())
    assert left == [True]
    library.pthread_join(thread, None)
