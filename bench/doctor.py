"""`diptych doctor` against `auditwheel show`: ``python bench/doctor.py WHEEL… [--runs N]``.

One wheel: both in turn, each in a fresh process. Several: all in one `diptych doctor`, and an `auditwheel show` for each, which
takes one only. Wall time, CPU time and peak memory come from the kernel (wait4(2)); of several runs that with the least CPU time
counts. Exit code 1: slower than was promised, or more memory. The modules are compiled first, as pip does for what it installs.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import diptych

MEMORY_LIMIT_MB = 400
PROMISES = {"one small wheel": 1, "several wheels": 8, "one large wheel": 10}
"""How many times the CPU time of ours auditwheel's is, at least."""
SMALL = 1_000_000


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
            command=" ".join(Path(word).name for word in words[:4]),
            seconds=round(time.perf_counter() - started, 2),
            cpu_seconds=round(usage.ru_utime + usage.ru_stime, 2),
            peak_mb=round(usage.ru_maxrss / 1024, 1),
            exit_code=os.waitstatus_to_exitcode(status),
        )
        best = one if best is None or one.cpu_seconds < best.cpu_seconds else best
    assert best is not None  # noqa: S101 -- runs is at least 1
    return best


def of_all(parts: Sequence[Measured]) -> Measured:
    """Add up the commands that ran one after the other."""
    return Measured(
        command=f"{len(parts)} times {parts[0].command.rpartition(' ')[0]}"
        if len(parts) > 1
        else parts[0].command,
        seconds=round(sum(one.seconds for one in parts), 2),
        cpu_seconds=round(sum(one.cpu_seconds for one in parts), 2),
        peak_mb=max(one.peak_mb for one in parts),
        exit_code=max(one.exit_code for one in parts),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheels", type=Path, nargs="+")
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    tools = Path(sys.executable).parent
    wheels = [str(wheel.absolute()) for wheel in options.wheels]
    sizes = [wheel.stat().st_size for wheel in options.wheels]
    compileall.compile_dir(Path(diptych.__file__).parent, quiet=1)
    ours = measured([str(tools / "diptych"), "doctor", "--fail-on", "never", *wheels], max(options.runs, 2))
    theirs = of_all([measured([str(tools / "auditwheel"), "show", wheel], options.runs) for wheel in wheels])
    kind = (
        "several wheels" if len(wheels) > 1 else "one small wheel" if sizes[0] < SMALL else "one large wheel"
    )
    ratio = theirs.cpu_seconds / ours.cpu_seconds
    facts = {
        "wheels": options.wheels[0].name if len(wheels) == 1 else len(wheels),
        "megabytes": round(sum(sizes) / 1e6, 2),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "diptych": asdict(ours),
        "auditwheel": asdict(theirs),
        "ratio of the CPU times": round(ratio, 1),
        "ratio of the wall times": round(theirs.seconds / ours.seconds, 1),
    }
    print(json.dumps(facts, indent=2))
    kept = ratio >= PROMISES[kind] and ours.peak_mb <= MEMORY_LIMIT_MB and ours.exit_code == 0
    print(
        f"{kind}: {PROMISES[kind]} times as fast, {MEMORY_LIMIT_MB} MB at most: {'kept' if kept else 'NOT KEPT'}"
    )
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
