"""The cells of sanitizers: planted faults are found by test and line with both builders, and what is right passes."""

from __future__ import annotations

import json
import platform
import shutil
from pathlib import Path

import pytest

from diptych import process
from helpers.checkout import HERE, PROJECTS, Checkout, adopted, clear
from helpers.needs import lacking, needs_linux

pytestmark = needs_linux("macOS has no LD_PRELOAD")

TABLE = """
[tool.diptych]
python = ["{python}"]
compiler = {compilers}
builder = "cmake"
channels = ["conda-forge", "local"]
test = "pytest -q {{source}}/tests"
"""
COMPILERS = ("gcc-asan", "gcc-ubsan", "gcc-tsan", "clang-asan", "clang-ubsan", "clang-tsan", "clang-16-tsan")
WITH_EACH = (
    *((name,) for name in COMPILERS if name not in {"clang-tsan", "clang-16-tsan"}),
    ("clang-tsan", "clang-16-tsan"),  # no program starts with the runtime of Debian 12's clang, 14
)
FOUND = {
    "asan": ("heap-buffer-overflow", "test_planted_overflow", "return squares[index];"),
    "ubsan": (
        "shift exponent 40 is too large for 32-bit type 'int'",
        "test_planted_shift",
        "return 1 << exponent;",
    ),
    "tsan": ("data race", "test_planted_race", "total = total + 1;"),
}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, session_env: dict[str, str]) -> Checkout:
    table = TABLE.format(python=HERE, compilers=json.dumps(["gcc", *COMPILERS]))
    return adopted("planted-faults", tmp_path_factory.mktemp("planted") / "project", table, session_env)


def line_of(text: str) -> int:
    lines = (PROJECTS / "planted-faults/src/planted.cpp").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def preloadable(compiler: str) -> bool:
    """Tell whether a program starts with a compiler's runtime: none does with ThreadSanitizer of clang 14."""
    program, _, kind = compiler.rpartition("-")
    if not shutil.which(program):
        return False
    env, root = {"PATH": "/usr/bin:/bin"}, Path("/")
    name = f"libclang_rt.{kind}-{platform.machine()}.so" if "clang" in program else f"lib{kind}.so"
    library = process.run([program, f"-print-file-name={name}"], env=env, cwd=root).output.strip()
    return process.run(["true"], env={**env, "LD_PRELOAD": library}, cwd=root, check=False).returncode == 0


def found_in(checkout: Checkout, compiler: str) -> None:
    """Hold the cell to its one fault, by kind, test and line, with the exit code of failed tests."""
    kind = compiler.rpartition("-")[2]
    words, test, line = FOUND[kind]
    cell = f"{HERE}-{compiler}"
    done = checkout.diptych("cell", cell)
    where = f"src/planted.cpp:{line_of(line)}"
    clear(done, f"tests/test_planted.py::{test}: {words} at {where}")
    assert done.returncode == 8
    told = checkout.diptych("sanitizers", cell, "--json")
    assert told.returncode == 8
    (found,) = json.loads(told.output[: told.output.rindex("}") + 1])["cells"]
    (finding,) = found["findings"]
    assert (found["cell"], finding["file"], finding["line"]) == (cell, "src/planted.cpp", line_of(line))
    assert finding["test"] == f"tests/test_planted.py::{test}"


@pytest.mark.parametrize("compilers", WITH_EACH, ids=" or ".join)
def test_each_finds_what_was_planted_for_it(planted: Checkout, compilers: tuple[str, ...]) -> None:
    there = next(filter(preloadable, compilers), None)
    if there is None:
        lacking(f"{compilers[-1]} that can be preloaded", package="clang-16 libclang-rt-16-dev")
    found_in(planted, there)


@pytest.mark.parametrize("kind", list(FOUND))
def test_the_projects_own_backend_builds_them_too(planted: Checkout, kind: str) -> None:
    planted.edit("pyproject.toml", 'builder = "cmake"', 'builder = "pep517"')
    try:
        found_in(planted, f"gcc-{kind}")
    finally:
        planted.edit("pyproject.toml", 'builder = "pep517"', 'builder = "cmake"')


def test_what_is_right_passes_and_no_package_is_made(planted: Checkout) -> None:
    planted.edit("pyproject.toml", "{source}/tests", "{source}/tests -k right")
    session = f"{HERE}(gcc-asan)"
    done = planted.nox("-s", f"build-{session}", f"verify-{session}")
    assert done.returncode == 0, done.output
    assert "1 tests passed under AddressSanitizer, which found nothing" in done.output
    assert f"no package is made of {HERE}-gcc-asan" in done.output
    assert not (planted.root / "dist").exists()
    again = planted.diptych("sanitizers", f"{HERE}-gcc-asan")
    assert (again.returncode, f"{HERE}-gcc-asan: 0 found" in again.output) == (0, True)
    clear(planted.diptych("compare", "--cell", f"{HERE}-gcc-asan"), "no package is made of")
