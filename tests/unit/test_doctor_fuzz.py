"""Damaged binaries of every kind: a finding or a clear error, never anything else, and soon."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diptych.doctor import gather
from diptych.errors import FormatError
from diptych.rules import all_rules, judge
from helpers.archive_makers import make_conda, make_wheel, wheel_files
from helpers.elf_builder import Sym, elf
from helpers.macho_builder import CPU_ARM64, CPU_X86_64, macho, universal

SYMBOLS = (
    Sym(name="PyInit__core", defined=True),
    Sym(name="PyModule_Create2"),
    Sym(name="memcpy", version=("libc.so.6", "GLIBC_2.14")),
)
BINARIES = {
    "elf": elf(needed=["libc.so.6", "libfoo.so.1"], rpath="$ORIGIN:/x", soname="_core.so", symbols=SYMBOLS),
    "macho": macho(
        needed=["@rpath/libfoo.dylib"], rpath=["@loader_path"], symbols=[("_PyInit__core", 0)], signed=True
    ),
    "universal": universal((CPU_X86_64, macho(cpu=CPU_X86_64, signed=True)), (CPU_ARM64, macho(signed=True))),
}
GOOD = elf(soname="libgood.so", needed=["libpython3.11.so.1.0"])
SECONDS = 5.0

changes = st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=12)


def damaged(kind: str, edits: list[tuple[int, int]], cut: int) -> bytes:
    raw = bytearray(BINARIES[kind])
    for at, value in edits:
        raw[at % len(raw)] = value
    return bytes(raw[: max(8, cut % (2 * len(raw)))])  # half of the time nothing is cut off


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(sorted(BINARIES)), edits=changes, cut=st.integers(0, 1 << 16))
@pytest.mark.parametrize("container", ["wheel", "conda", "file"])
def test_damage_never_escapes(
    container: str, tmp_path: Path, kind: str, edits: list[tuple[int, int]], cut: int
) -> None:
    data = damaged(kind, edits, cut)
    started = time.process_time()
    if container == "file":
        path = tmp_path / "_core.so"
        path.write_bytes(data)
        with contextlib.suppress(FormatError):
            judge(gather(path, shown="x", host=None), all_rules())
    else:
        make = make_wheel if container == "wheel" else make_conda
        files = {"pair/_core.so": data, "pair/libgood.so": GOOD}
        path = make(tmp_path, wheel_files(files) if container == "wheel" else files)
        judged = judge(gather(path, shown="x", host=None), all_rules())
        places = {finding.place for finding in judged.findings if finding.code == "DIP101"}
        assert "pair/libgood.so" in places, "the sound neighbour is still judged"
    assert time.process_time() - started < SECONDS
