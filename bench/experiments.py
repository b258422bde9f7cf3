"""The experiments of tests/integration/make_linkage_fixtures.py: what the doctor says of each file, beside what auditwheel says of it.

Usage: python bench/experiments.py [--write]

The files are made anew by tests/integration/make_linkage_fixtures.py with the machine's g++. With --write the page goes to
docs/reference/experiments.md; tests/integration/test_rules_experiments.py asserts the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from diptych.doctor import gather  # noqa: E402
from diptych.rules import all_rules, judge  # noqa: E402
from integration import make_linkage_fixtures as make  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "experiments.md"
CASES = {
    "X1": ("linked to the free-threaded `libpython3.14t.so.1.0`", make.x1),
    "X1, plain": ("linked to `libpython3.11.so.1.0`", lambda folder: make.x1(folder / "plain", "3.11")),
    "X2": ("the absolute run path `/opt/conda/envs/build/lib`, and nothing to graft", make.x2),
    "X3": ("a cp311 wheel that holds a module for CPython 3.14", make.x3),
    "X4": ("libpython absorbed: the module defines `Py_Initialize`, `PyType_Type`, …", make.x4),
    "X4, hidden": ("the same, out of the dynamic table", lambda folder: make.x4(folder, hidden=True)),
    "X6": ("needs `GLIBCXX_3.4.34` (gcc 15), which no policy admits", make.x6),
    "pain 7": ("module and library with different `_GLIBCXX_USE_CXX11_ABI`", make.other_string),
    "pain 10": (
        "libstdc++ linked statically and exported, beside a module that takes the system's",
        make.static_runtime,
    ),
    "unused": ("a library that is linked and not used", make.unused),
    "pain 6": ("two modules, each with a static Boost.Python", make.boost_split),
}


@dataclass(frozen=True, kw_only=True)
class Said:
    """What both say of one file."""

    show: str
    repair: str
    before: tuple[str, ...]
    after: tuple[str, ...] | None


def auditwheel(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "AUDITWHEEL_LD_LIBRARY_PATH": str(cwd), "COLUMNS": "100"}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    command = [sys.executable, "-m", "auditwheel", *map(str, words)]
    return subprocess.run(
        command, env=env, cwd=cwd, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def doctor(path: Path) -> tuple[str, ...]:
    """Return the findings; a plain linux tag before repair, and a tag that is too new, are no news here."""
    found = judge(gather(path, shown=path.name, host=None), all_rules()).findings
    return tuple(
        f"{one.code} {one.severity.value}: {f'{one.place}: ' if one.place else ''}{one.message}"
        for one in found
        if one.code not in {"DIP403", "DIP405"}
    )


def said_of(path: Path, out: Path) -> Said:
    show = auditwheel("show", path.name, cwd=path.parent).stdout
    repair = auditwheel("repair", path.name, "-w", out, cwd=path.parent)
    repaired = next(iter(out.glob("*.whl")), None) if out.exists() else None
    verdict = f"repaired to {repaired.name}" if repaired else _last(repair.stdout)
    warnings = [line for line in repair.stdout.splitlines() if line.startswith("WARNING")]
    return Said(
        show=_plain(" ".join(show.split()).split(" In order to achieve")[0], path.parent),
        repair=_plain(" ".join([*warnings, verdict]), path.parent),
        before=doctor(path),
        after=doctor(repaired) if repaired else None,
    )


def _plain(text: str, folder: Path) -> str:
    """Take out where this run's files lay, and the logger's notice of every call."""
    shown = text.replace(f"{folder}/", "").removeprefix("INFO:auditwheel.wheel_abi:setting libc to glibc ")
    return shown.replace("WARNING:auditwheel.repair:", "WARNING: ")


def _last(output: str) -> str:
    """Return the end of what argparse or the traceback said: the sentence with the verdict."""
    return output.strip().splitlines()[-1] if output.strip() else "nothing"


def page(said: dict[str, Said]) -> str:
    """Write the page."""
    version = auditwheel("--version", cwd=ROOT).stdout.split(" installed")[0]
    lines = [
        "# The experiments, beside auditwheel",
        "",
        f"Written by `python bench/experiments.py --write`, with {version}. Each file is made by",
        "`tests/integration/make_linkage_fixtures.py`; `tests/integration/test_rules_experiments.py` asserts what stands here. auditwheel's",
        'words are its own, with line breaks and what follows "In order to achieve" taken out.',
    ]
    for name, (what, _) in CASES.items():
        one = said[name]
        lines += ["", f"## {name}", "", f"{what[:1].upper()}{what[1:]}.", "", "`auditwheel show`:", ""]
        lines += [f"> {one.show}", "", "`auditwheel repair`:", "", f"> {one.repair}", ""]
        lines += ["`diptych doctor`:", "", *(f"- {line}" for line in one.before or ("nothing",))]
        if one.after is not None:
            after = one.after or ("nothing",)
            lines += ["", "`diptych doctor`, of the repaired wheel:", "", *(f"- {line}" for line in after)]
    return "\n".join([*lines, ""])


def main(arguments: list[str]) -> int:
    """Make the files, ask both, and write or print the page."""
    said = {}
    for name, (_, maker) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            said[name] = said_of(maker(Path(folder)), Path(folder) / "repaired")
    text = page(said)
    if "--write" in arguments:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
