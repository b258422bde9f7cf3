"""`diptych doctor` against `auditwheel show` on one wheel: ``python bench/doctor.py WHEEL [--runs N]``.

Both run in one go, one after the other, each in a fresh process; wall time, CPU time and peak memory come from the kernel
(wait4(2)), the best of the runs counts. Any wheel will do; the promise is for one of about 190 MB with more than 100 binaries.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

MEMORY_LIMIT_MB = 400
RATIO = 10


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One command's cost."""

    command: str
    seconds: float
    cpu_seconds: float
    peak_mb: float
    exit_code: int


def measured(words: Sequence[str], runs: int) -> Measured:
    best: Measured | None = None
    for _ in range(runs):
        started = time.perf_counter()
        child = os.fork()
        if child == 0:
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            os.execv(words[0], words)  # noqa: S606 -- wait4 below wants the very process
        _, status, usage = os.wait4(child, 0)
        one = Measured(
            command=" ".join(Path(word).name for word in words),
            seconds=round(time.perf_counter() - started, 2),
            cpu_seconds=round(usage.ru_utime + usage.ru_stime, 2),
            peak_mb=round(usage.ru_maxrss / 1024, 1),
            exit_code=os.waitstatus_to_exitcode(status),
        )
        best = one if best is None or one.seconds < best.seconds else best
    assert best is not None  # noqa: S101 -- runs is at least 1
    return best


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    tools = Path(sys.executable).parent
    wheel = str(options.wheel.absolute())
    ours = measured([str(tools / "diptych"), "doctor", wheel, "--fail-on", "never"], max(options.runs, 2))
    theirs = measured([sys.executable, "-m", "auditwheel", "show", wheel], options.runs)
    ratio = theirs.seconds / ours.seconds
    facts = {
        "wheel": options.wheel.name,
        "megabytes": round(options.wheel.stat().st_size / 1e6, 1),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "diptych": asdict(ours),
        "auditwheel": asdict(theirs),
        "ratio": round(ratio, 1),
    }
    print(json.dumps(facts, indent=2))
    kept = ratio >= RATIO and ours.peak_mb <= MEMORY_LIMIT_MB and ours.exit_code == 0
    print(f"a {RATIO}th of the time and {MEMORY_LIMIT_MB} MB at most: {'kept' if kept else 'NOT KEPT'}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
