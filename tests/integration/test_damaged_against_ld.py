"""Damage to the headers and tables of a compiled module: the doctor has an error where the loader refuses it, and else none.

Each file is the healthy one but for one field or its end, and is opened with dlopen in a process of its own: what that says is the
truth, whatever it is. A crash is a refusal.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from diptych.doctor import gather
from diptych.process import run
from diptych.rules import Severity, all_rules, judge
from helpers.archive_makers import honest_wheel, wheel_files
from helpers.elf_edits import EDITS
from helpers.needs import needs, needs_linux, needs_x86_64

pytestmark = [needs_linux("ld.so"), needs_x86_64("the tables of x86-64"), needs("gcc", package="g++")]

SOURCE = """
void *PyModule_Create2(void *, int);
int data[9] = {1}; static int *at = data; __thread int own = 3;
int use(void) { return *at + own; }
void *PyInit__core(void) { return PyModule_Create2(0, 1013); }
"""
OPEN = "import ctypes, sys; ctypes.CDLL(sys.argv[1], mode=2).PyInit__core"
NAME = "pair-1.2-cp311-cp311-manylinux_2_36_x86_64.whl"
MODULE = "pair/_core.cpython-311-x86_64-linux-gnu.so"


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("healthy")
    (folder / "source.c").write_text(SOURCE, encoding="utf-8")
    words = ["gcc", "-shared", "-fPIC", "-O1", "-Wl,--no-as-needed", "-lc", "-o", "_core.so", "source.c"]
    run(words, env=os.environ, cwd=folder)  # noqa: TID251 -- a test is a surface
    return (folder / "_core.so").read_bytes()


def refused(folder: Path, content: bytes) -> bool:
    path = folder / "_core.so"
    path.write_bytes(content)
    words: list[str | Path] = [sys.executable, "-c", OPEN, path]
    return run(words, env=os.environ, cwd=folder, check=False).returncode != 0  # noqa: TID251 -- as above


def errors(folder: Path, content: bytes) -> list[str]:
    wheel = honest_wheel(folder, wheel_files({MODULE: content}), name=NAME)
    findings = judge(gather(wheel, shown=wheel.name, host=None), all_rules()).findings
    return [one.code for one in findings if one.severity is Severity.ERROR]


def test_the_healthy_one_is_taken(healthy: bytes, tmp_path: Path) -> None:
    assert not refused(tmp_path, healthy)
    assert errors(tmp_path, healthy) == []


@pytest.mark.parametrize("name", EDITS)
def test_one_field(name: str, healthy: bytes, tmp_path: Path) -> None:
    content = EDITS[name](healthy)
    assert content != healthy
    found = errors(tmp_path, content)
    assert bool(found) is refused(tmp_path, content), found
