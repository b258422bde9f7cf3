"""Run the doctor over the newest compiled wheels of many projects; write a table, or hold tags against auditwheel.

Usage: python bench/survey.py FOLDER [--fresh] [--write] [--errors] [--tags]

Wheels are fetched into FOLDER with pip (once: what is there is not fetched again) and are not part of the repository. Which projects
and for which platforms stands in bench/survey_projects.json; --fresh takes the second set, which was
chosen by name before anybody looked at a wheel of it.
With --errors every error is printed with its evidence. With --tags `why-tag` is held against `auditwheel show` for each wheel for Linux.
With --write the table of the first set goes to docs/reference/survey.md. What was found by hand about the errors stands in
docs/reference/survey-notes.md and docs/reference/survey-fresh.md.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from diptych.doctor import examine, find_target
from diptych.doctor.why_tag import why_tag
from diptych.errors import DiptychError
from diptych.rules import all_rules

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "reference" / "survey.md"
GLIBC = ("2_34", "2_28", "2_27", "2_17", "2_5")
OLD_GLIBC = ("2014", "2010", "1")


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What pip is asked for: a Python, its ABI, and the tags of a machine."""

    tags: tuple[str, ...]
    python: str = "3.12"
    abi: str = "cp312"


def _manylinux(machine: str) -> tuple[str, ...]:
    return tuple(f"manylinux{level}_{machine}" for level in (*(f"_{one}" for one in GLIBC), *OLD_GLIBC))


def _macos(machine: str, *versions: str) -> tuple[str, ...]:
    return tuple(f"macosx_{version}_{machine}" for version in versions)


PLATFORMS = {
    "linux": Platform(tags=_manylinux("x86_64")),
    "aarch64": Platform(tags=_manylinux("aarch64")),
    "musl": Platform(tags=("musllinux_1_2_x86_64", "musllinux_1_1_x86_64")),
    "macos": Platform(
        tags=(
            *_macos("arm64", "15_0", "14_0", "13_0", "12_0", "11_0"),
            *_macos("universal2", "11_0", "10_13", "10_9"),
        )
    ),
    "macos-x86_64": Platform(
        tags=_macos("x86_64", "15_0", "14_0", "13_0", "12_0", "11_0", "10_15", "10_14", "10_13", "10_9")
    ),
    "free-threaded": Platform(tags=_manylinux("x86_64"), python="3.14", abi="cp314t"),
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One wheel and what the doctor said of it."""

    wheel: str
    seconds: float
    findings: Counter[tuple[str, str]]
    fault: str


def projects(which: str) -> dict[str, list[str]]:
    """Return platform → projects of one set."""
    table = json.loads((HERE / "survey_projects.json").read_text(encoding="utf-8"))
    return {platform: " ".join(lines).split() for platform, lines in table[which].items()}


def fetch(folder: Path, project: str, platform: str) -> Path | None:
    """Download a project's newest wheel for a platform unless one is there; None when it has none."""
    target = folder / platform / project
    asked = PLATFORMS[platform]
    if not any(target.glob("*.whl")):
        words = [word for tag in asked.tags for word in ("--platform", tag)]
        words += [word for abi in (asked.abi, "abi3", "none") for word in ("--abi", abi)]
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"]
        command += ["--python-version", asked.python, "--implementation", "cp", *words]
        subprocess.run([*command, "-d", str(target), project], check=False, capture_output=True)
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


def table(rows: list[Row], count: int) -> str:
    """Write the page."""
    lines = [
        "# The doctor's survey",
        "",
        (
            f"`python bench/survey.py FOLDER --write`: the newest wheels for CPython 3.12 of {count} projects, "
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


def hold_tags(wheels: list[Path]) -> int:
    """Print where `why-tag` and `auditwheel show` name another policy; return how many wheels both answered for."""
    both = 0
    for wheel in wheels:
        try:
            ours = str(why_tag(wheel, shown=wheel.name).lowest)
        except DiptychError:  # no ELF file in it: auditwheel has no answer either
            continue
        command = ["auditwheel", "show", "--json", "--disable-isa-ext-check", str(wheel)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        try:
            theirs = json.loads(done.stdout)["overall_tag"]
        except (ValueError, KeyError):
            print(f"{wheel.name}: auditwheel says: {(done.stderr or done.stdout).strip()[-200:]}")
            continue
        both += 1
        if not theirs.startswith(f"{ours}_"):
            print(f"{wheel.name}: why-tag says {ours}, auditwheel {theirs}")
    return both


def main(arguments: list[str]) -> int:
    """Fetch, look, and write or print the table."""
    words = [word for word in arguments if not word.startswith("-")]
    if len(words) != 1:
        sys.stderr.write(__doc__ or "")
        return 2
    folder = Path(words[0])
    fresh = "--fresh" in arguments
    chosen = projects("fresh" if fresh else "known")
    pairs = [(project, platform) for platform, names in chosen.items() for project in names]
    with ThreadPoolExecutor(4) as pool:
        wheels = [wheel for wheel in pool.map(lambda pair: fetch(folder, *pair), pairs) if wheel]
    if "--tags" in arguments:
        print(f"{hold_tags([one for one in wheels if 'macosx' not in one.name])} wheels with both answers")
        return 0
    rows = []
    for number, wheel in enumerate(wheels, 1):
        sys.stderr.write(f"\r{number}/{len(wheels)} {wheel.name:<90.90}")
        rows.append(look(wheel, verbose="--errors" in arguments))
    sys.stderr.write("\n")
    text = table(rows, len({project for project, _ in pairs}))
    if "--write" in arguments and not fresh:
        PAGE.write_text(text, encoding="utf-8")
    else:
        print(text)
    print(f"{len(rows)} wheels, {sum(row.seconds for row in rows):.1f} s of looking")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
