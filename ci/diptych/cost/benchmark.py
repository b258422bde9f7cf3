"""The project's own benchmark: one run of its command, and the numbers that it prints."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from diptych import process
from diptych.cost.model import Benchmark
from diptych.errors import TestsFailedError

_MOST_NUMBERS = 24
_TAIL = 25


def run_benchmark(argv: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> Benchmark:
    """Run the command once.

    Raises:
        TestsFailedError: it did not end with success.
        MissingToolError: its program is not there.
    """
    done = process.run(argv, env=env, cwd=cwd, check=False)
    if done.returncode != 0:
        raise TestsFailedError(
            f"the benchmark failed: `{shlex.join(argv)}` ended with exit code {done.returncode}",
            details=done.output.rstrip().splitlines()[-_TAIL:],
            hint="it runs with the package and its dependencies alone; see tool.diptych.benchmark",
        )
    return Benchmark(seconds=done.seconds, numbers=printed_numbers(done.output))


def printed_numbers(output: str) -> dict[str, float]:
    """Return the numbers of the last line that is a JSON object, nested ones under dotted names; none without one."""
    for line in reversed(output.splitlines()):
        if line.startswith("{"):
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                continue
            return dict(list(_numbers(value, ""))[:_MOST_NUMBERS])
    return {}


def of_several(runs: Sequence[Benchmark]) -> Benchmark:
    """Return the best wall time of several runs, and the median of each number that all of them printed."""
    names = [name for name in runs[0].numbers if all(name in run.numbers for run in runs)]
    return Benchmark(
        seconds=round(min(run.seconds for run in runs), 4),
        numbers={name: median(run.numbers[name] for run in runs) for name in names},
    )


def _numbers(value: object, name: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        yield name, value
