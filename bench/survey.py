"""Run the doctor over the newest compiled wheels of well-known projects, for Linux and macOS; write a table.

Usage: python bench/survey.py FOLDER [--write] [--errors]

Wheels are fetched into FOLDER with pip (once: what is there is not fetched again) and are not part of the repository.
With --write the table goes to docs/reference/survey.md. Every error in it was looked into by hand; what was found
stands in docs/reference/survey-notes.md.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from diptych.doctor import examine, find_target
from diptych.errors import DiptychError
from diptych.rules import all_rules

PROJECTS = """
aiohttp argon2-cffi-bindings asyncpg bcrypt blosc2 brotli cffi charset-normalizer contourpy coverage cryptography cython
duckdb fonttools frozenlist gevent greenlet grpcio h5py httptools igraph kiwisolver levenshtein lxml lz4 markupsafe
matplotlib msgpack multidict mypy numba numexpr numpy opencv-python-headless orjson pandas pillow polars propcache
protobuf psutil psycopg2-binary pyarrow pybase64 pycryptodome pydantic-core pymongo pynacl pyproj pyyaml pyzmq
rapidfuzz regex rpds-py scikit-image scikit-learn scipy shapely simplejson sqlalchemy tokenizers tornado ujson uvloop
wrapt xxhash yarl zstandard
""".split()
PLATFORMS = {
    "linux": [
        "manylinux_2_34_x86_64",
        "manylinux_2_28_x86_64",
        "manylinux_2_17_x86_64",
        "manylinux2014_x86_64",
    ],
    "macos": ["macosx_14_0_arm64", "macosx_12_0_arm64", "macosx_11_0_arm64", "macosx_11_0_universal2"],
}
PAGE = Path(__file__).parents[1] / "docs" / "reference" / "survey.md"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One wheel and what the doctor said of it."""

    wheel: str
    seconds: float
    findings: Counter[tuple[str, str]]
    fault: str


def fetch(folder: Path, project: str, platform: str) -> Path | None:
    """Download a project's newest wheel for a platform unless one is there; None when it has none."""
    target = folder / platform / project
    if not any(target.glob("*.whl")):
        tags = [word for tag in PLATFORMS[platform] for word in ("--platform", tag)]
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"]
        command += ["--python-version", "3.12", "--implementation", "cp", *tags, "-d", str(target), project]
        subprocess.run(command, check=False, capture_output=True)
    return next(iter(sorted(target.glob("*.whl"))), None)


def look(wheel: Path, *, verbose: bool) -> Row:
    """Run every rule over one wheel; say each error when asked."""
    started = time.monotonic()
    findings: Counter[tuple[str, str]] = Counter()
    fault = ""
    try:
        report = examine([find_target(str(wheel), cwd=wheel.parent, search=[])], rules=all_rules(), host=None)
        findings.update((one.severity.value, one.code) for one in report.findings)
        if verbose:
            for one in report.findings:
                if one.severity.value == "error":
                    print(wheel.name, one.code, one.place, one.message, *one.evidence[:2], sep=" | ")
    except DiptychError as error:
        fault = error.summary
    return Row(wheel=wheel.name, seconds=time.monotonic() - started, findings=findings, fault=fault)


def table(rows: list[Row]) -> str:
    """Write the page."""
    lines = [
        "# The doctor's survey",
        "",
        (
            f"`python bench/survey.py FOLDER --write`: the newest wheels for CPython 3.12 of {len(PROJECTS)} projects, "
            f"{len(rows)} wheels for Linux x86-64 and macOS arm64."
        ),
        (
            "Codes are explained in [the rules](rules.md) and by `diptych explain CODE`; the errors are discussed in "
            "[the notes](survey-notes.md)."
        ),
        "",
        "| wheel | errors | drifts | notes |",
        "| --- | --- | --- | --- |",
    ]
    for row in rows:
        cells = [
            ", ".join(
                f"{code} x{count}" if count > 1 else code
                for (kind, code), count in sorted(row.findings.items())
                if kind == wanted
            )
            for wanted in ("error", "drift", "note")
        ]
        lines.append(f"| {row.wheel} | {row.fault or cells[0]} | {cells[1]} | {cells[2]} |")
    return "\n".join([*lines, ""])


def main(arguments: list[str]) -> int:
    """Fetch, look, and write or print the table."""
    words = [word for word in arguments if not word.startswith("-")]
    if len(words) != 1:
        sys.stderr.write(__doc__ or "")
        return 2
    folder = Path(words[0])
    pairs = [(project, platform) for platform in PLATFORMS for project in PROJECTS]
    with ThreadPoolExecutor(4) as pool:
        wheels = [wheel for wheel in pool.map(lambda pair: fetch(folder, *pair), pairs) if wheel]
    rows = []
    for number, wheel in enumerate(wheels, 1):
        sys.stderr.write(f"\r{number}/{len(wheels)} {wheel.name:<90.90}")
        rows.append(look(wheel, verbose="--errors" in arguments))
    sys.stderr.write("\n")
    text = table(rows)
    if "--write" in arguments:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text)
    print(f"{len(rows)} wheels, {sum(row.seconds for row in rows):.1f} s of looking")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
