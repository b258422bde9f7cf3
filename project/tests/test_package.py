"""The package as such: metadata and threads."""

from __future__ import annotations

import re
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import rigidalign


def test_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+", rigidalign.__version__)


def test_public_names_exist_and_are_documented():
    for name in rigidalign.__all__:
        if name != "__version__":
            assert getattr(rigidalign, name).__doc__


def test_threads_get_the_results_of_serial_calls(rng):
    clouds = [rng.normal(size=(200, 3)) for _ in range(16)]

    def work(cloud: np.ndarray) -> rigidalign.IcpResult:
        return rigidalign.icp(cloud, cloud[::-1] + 0.01, max_iterations=5)

    with ThreadPoolExecutor(4) as pool:
        parallel = list(pool.map(work, clouds))
    assert [r.transform for r in parallel] == [work(c).transform for c in clouds]


def test_other_threads_run_during_a_computation(rng):
    points, queries = rng.normal(size=(20_000, 3)), rng.normal(size=(200_000, 3))
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        start = time.perf_counter()
        rigidalign.nearest(points, queries)
        end = time.perf_counter()
    finally:
        done.set()
        thread.join()
    # With the GIL held there would be no tick well inside the call.
    margin = (end - start) / 4
    assert any(start + margin < t < end - margin for t in ticks)


def test_no_reference_leaks(rng):
    points = rng.normal(size=(10, 3))
    before = sys.getrefcount(points)
    for _ in range(100):
        rigidalign.Transform().apply(points)
        rigidalign.nearest(points, points)
        rigidalign.umeyama(points, points)
    assert sys.getrefcount(points) == before
