"""What each compiler's cells cost: seconds, and the sizes of what they leave; rigidalign by every compiler of the list, for one Python.

Usage: python bench/compilers.py FOLDER [--python 3.11] [--write] [COMPILER…]

Builds in FOLDER, which is made if it is not there: what a cell has there already is taken, so an empty folder gives the times of a first
build. The table is of all that FOLDER has a record of; --write puts it into docs/how-to/compile-libraries.md. "own Boost" is the time in which the compiler
has compiled Boost.Python and Boost.NumPy, fetching and unpacking included.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "how-to" / "compile-libraries.md"
COMPILERS = ("gcc", "clang", "clang-libcxx", "zig")
TABLE = """\
[tool.diptych]
source = "project"
python = ["{python}"]
compiler = {compilers}
channels = ["conda-forge", "local"]
builder = "cmake"
host = ["libboost-python-devel", "eigen", "numpy"]
"""
HEAD = (
    "| compiler | C++ library | own Boost | compile | whole build | wheel | tag | conda package |\n"
    "| --- | --- | ---: | ---: | ---: | ---: | --- | ---: |"
)
MARKS = ("<!-- compilers -->\n", "<!-- end of compilers -->")
_STEP = re.compile(r"✓ (.+?) +([\d.]+) s")


def lay_out(folder: Path, python: str) -> None:
    """Lay rigidalign and its table out, once."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(
        ROOT / "project", folder / "project", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy2(ROOT / "noxfile.py", folder)
    text = TABLE.format(python=python, compilers=json.dumps(list(COMPILERS)))
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")


def build(folder: Path, python: str, compiler: str) -> dict[str, float]:
    """Build one cell, and return the seconds of each step that did something."""
    started = time.monotonic()
    command = [sys.executable, "-m", "nox", "-s", f"build-{python}({compiler})"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n")
        raise SystemExit(f"{compiler}: the build failed")
    steps = {name.strip(): float(seconds) for name, seconds in _STEP.findall(done.stdout + done.stderr)}
    return {**steps, "all": round(time.monotonic() - started, 1)}


def row(folder: Path, python: str, compiler: str, steps: dict[str, float]) -> str:
    """Return a compiler's line of the table."""
    record = json.loads(
        (folder / ".diptych" / "cells" / f"{python}-{compiler}.json").read_text(encoding="utf-8")
    )
    facts = record["provenance"]["compiler"]

    def megabytes(kind: str) -> str:
        return f"{record[kind]['size'] / 1e6:.1f} MB"

    def seconds(step: str) -> str:
        return f"{steps[step]:.0f} s" if step in steps else "-"

    library = f"{facts['library']} {facts['library_version']}"
    cells = (
        f"`{compiler}` ({facts['family']} {facts['version']})", library, seconds("own libraries"), seconds("compile"),
        seconds("all"), megabytes("wheel"), f"`{record['wheel']['tag'].split('.')[-1]}`", megabytes("conda"),
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Build what is asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("compilers", nargs="*", choices=[[], *COMPILERS])
    parser.add_argument("--python", default=f"{sys.version_info.major}.{sys.version_info.minor}")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    lay_out(asked.folder, asked.python)
    for compiler in asked.compilers or COMPILERS:
        steps = build(asked.folder, asked.python, compiler)
        note = asked.folder / f"steps-{asked.python}-{compiler}.json"
        known = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else {}
        # A second build does nothing: the first one's times stay.
        note.write_text(json.dumps(steps | known), encoding="utf-8")
    rows = [
        row(asked.folder, asked.python, compiler, json.loads(note.read_text(encoding="utf-8")))
        for compiler in COMPILERS
        if (note := asked.folder / f"steps-{asked.python}-{compiler}.json").is_file()
    ]
    table = "\n".join([HEAD, *rows, ""])
    print(table)
    if asked.write:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(MARKS[0])
        PAGE.write_text(f"{before}{MARKS[0]}{table}{MARKS[1]}{rest.partition(MARKS[1])[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
