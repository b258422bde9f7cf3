"""What an alignment costs: `python bench/run.py [REPEATS]` prints the least of several times, as one line of JSON.

The cases are the package's three loops: the closed form over many points (arithmetic), the tree over many queries
(memory), and the iteration over both (the whole). Needs the package and NumPy, nothing else.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import numpy as np
import rigidalign

REPEATS = 5


def least(repeats: int, work: Callable[[], object]) -> float:
    """The least time of several, in milliseconds: noise only adds."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return round(min(times) * 1000, 3)


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else REPEATS
    random = np.random.default_rng(1)
    cloud = random.normal(size=(200_000, 3))
    few = cloud[:5_000]
    angle = 0.1
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    moved, few_moved = cloud @ turn.T + 0.05, few @ turn.T + 0.05
    result = rigidalign.icp(few, few_moved)
    if not result.converged or result.rms > 1e-6:
        sys.exit(f"icp did not find the pose back: rms {result.rms}, converged {result.converged}")
    print(
        json.dumps(
            {
                "umeyama 200k points, ms": least(repeats, lambda: rigidalign.umeyama(cloud, moved)),
                "nearest 50k of 50k, ms": least(
                    repeats, lambda: rigidalign.nearest(cloud[:50_000], moved[:50_000])
                ),
                "icp 5k points, ms": least(repeats, lambda: rigidalign.icp(few, few_moved)),
            }
        )
    )


if __name__ == "__main__":
    main()
