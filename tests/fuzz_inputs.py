"""Throw damaged binaries and packages at the doctor for a while: only findings and clear errors may come back.

Usage: python tests/fuzz_inputs.py [SECONDS] [SEED] FILE...

Each FILE (an ELF, a Mach-O, a wheel, a conda package) is cut short, has bits flipped, ranges overwritten or swapped.
Ends with 1 at the first input that raises anything but a DiptychError, or takes longer than ten seconds; that input
is kept beside the script's output.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from diptych.doctor import examine, find_target
from diptych.errors import DiptychError
from diptych.rules import all_rules

LIMIT_SECONDS = 10.0


def mutant(data: bytes, chance: random.Random) -> bytes:
    """Damage a copy of ``data`` in one of a few ways."""
    kind = chance.randrange(5)
    if kind == 0:
        return data[: chance.randrange(len(data))]
    copy = bytearray(data)
    if kind == 1:
        for _ in range(chance.choice((1, 1, 4, 64))):
            copy[chance.randrange(len(copy))] ^= 1 << chance.randrange(8)
    elif kind == 2:
        # Headers hold what hurts: sizes, counts, offsets.
        place = chance.randrange(min(len(copy), 4096))
        copy[place : place + 4] = chance.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f"))
    elif kind == 3:
        start, length = chance.randrange(len(copy)), chance.randrange(1, 512)
        copy[start : start + length] = chance.randbytes(min(length, len(copy) - start))
    else:
        start = chance.randrange(len(copy))
        copy[start:start] = copy[: chance.randrange(1, 256)]
    return bytes(copy)


def main(arguments: list[str]) -> int:
    """Fuzz until the time is up."""
    numbers = [int(word) for word in arguments if word.isdigit()]
    files = [Path(word) for word in arguments if not word.isdigit()]
    seconds, seed = (*numbers, 60, 1)[0], (*numbers[1:], 1)[0]
    if not files:
        sys.stderr.write(__doc__ or "")
        return 2
    chance = random.Random(seed)
    rules = all_rules()
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    ends = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < ends:
            source = chance.choice(files)
            victim = Path(folder) / source.name
            victim.write_bytes(mutant(source.read_bytes(), chance))
            started = time.monotonic()
            try:
                report = examine(
                    [find_target(str(victim), cwd=Path(folder), search=[])], rules=rules, host=None
                )
                outcomes["findings" if report.findings else "nothing found"] += 1
            except DiptychError as error:
                outcomes[type(error).__name__] += 1
            except BaseException as error:
                kept = Path(f"fuzz-{seed}-{sum(outcomes.values())}-{source.name}")
                kept.write_bytes(victim.read_bytes())
                sys.stdout.write(f"{type(error).__name__}: {error}\nkept as {kept}\n")
                raise
            slowest = max(slowest, time.monotonic() - started)
            if slowest > LIMIT_SECONDS:
                sys.stdout.write(f"took {slowest:.1f} s: {source.name}, seed {seed}\n")
                return 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(
        f"{sum(outcomes.values())} inputs, {dict(outcomes)}, slowest {slowest:.2f} s, peak {peak:.0f} MB\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
