"""Each of the three faults in a test of its own, and what is right."""

import threading

import planted
import pytest


def in_threads(number: int) -> None:
    ready = threading.Barrier(number)

    def work() -> None:
        ready.wait()
        planted.count(1_000_000)

    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_right() -> None:
    assert planted.element(9) == 81
    assert planted.power(10) == 1024
    in_threads(1)
    in_threads(1)
    with pytest.raises(ValueError, match="odd"):
        planted.half(7)


def test_planted_shift() -> None:
    planted.power(40)


def test_planted_race() -> None:
    in_threads(2)


def test_planted_overflow() -> None:
    planted.element(10)
