"""A small wheel whose binaries all need each other: judged in bounded time and memory, and called what it is."""

from __future__ import annotations

import time
from pathlib import Path

from diptych.doctor import gather
from diptych.rules import all_rules, judge
from helpers.archive_makers import make_wheel, wheel_files
from helpers.elf_builder import Sym, elf

_COUNT = 110
_SECONDS = 60
"""It takes about ten; without the bound it grows with the cube of the count."""


def test_needs_without_measure_are_bounded(tmp_path: Path) -> None:
    libraries = [f"libx{number}.so" for number in range(_COUNT)]
    files = dict(wheel_files())
    for number, name in enumerate(libraries):
        others = [other for other in libraries if other != name]
        wanted = tuple(Sym(name=f"_ZN3pot4n{number}_{each}Ev") for each in range(100))
        files[f"pair/{name}"] = elf(soname=name, needed=others, rpath="$ORIGIN", symbols=wanted)
        own = (Sym(name=f"PyInit__m{number}", defined=True),)
        module = f"pair/_m{number}.cpython-311-x86_64-linux-gnu.so"
        files[module] = elf(needed=libraries, rpath="$ORIGIN", symbols=own)
    path = make_wheel(tmp_path, files, name="pair-1.2-cp311-cp311-manylinux_2_17_x86_64.whl")
    started = time.process_time()
    found = judge(gather(path, shown=path.name, host=None), all_rules()).findings
    assert time.process_time() - started < _SECONDS
    assert any("without measure" in line for one in found if one.code == "DIP502" for line in one.evidence)
