"""Faults of wheel containers, each beside a healthy twin."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych.doctor.gather import gather
from diptych.rules import all_rules, judge
from helpers.archive_makers import make_wheel, wheel_record

INFO = "pair-1.2.dist-info"
NAME = "pair-1.2-py3-none-any.whl"
META = "Metadata-Version: 2.4\nName: pair\nVersion: 1.2\n"
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def codes(path: Path) -> set[str]:
    return {found.code for found in judge(gather(path, shown=path.name, host=None), all_rules()).findings}


def files(*, meta: str = META, wheel: str = WHEEL, more: dict[str, bytes] | None = None) -> dict[str, bytes]:
    content = {"pair.py": b"", **(more or {})}
    content |= {f"{INFO}/METADATA": meta.encode(), f"{INFO}/WHEEL": wheel.encode()}
    return {**content, f"{INFO}/RECORD": wheel_record(content, INFO)}


CASES = {
    "healthy": (files(), set()),
    "not recorded": ({**files(), "late.py": b""}, {"DIP511"}),
    "changed afterwards": ({**files(), "pair.py": b"x = 1\n"}, {"DIP511"}),
    "another version": (files(meta=META.replace("1.2", "1.3")), {"DIP512"}),
    "another tag": (files(wheel=WHEEL.replace("py3", "py2")), {"DIP512"}),
    "licence in old metadata": (
        files(meta=META.replace("2.4", "2.1") + "License-File: L\n"),
        {"DIP513"},
    ),
    "licence absent": (files(meta=META + "License-File: L\n"), {"DIP513"}),
    "licence there": (
        files(meta=META + "License-File: L\n", more={f"{INFO}/licenses/L": b"MIT"}),
        set(),
    ),
    "tests on top": (files(more={"tests/a.py": b""}), {"DIP508"}),
    "tests inside": (files(more={"pair/tests/a.py": b""}), set()),
}


@pytest.mark.parametrize("case", CASES)
def test_wheel_container(case: str, tmp_path: Path) -> None:
    content, wanted = CASES[case]
    assert codes(make_wheel(tmp_path, content, name=NAME)) == wanted
