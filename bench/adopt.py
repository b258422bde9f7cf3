"""Type ``diptych init --yes``, and what it says is next, in projects that were not made for it; write a table.

Usage: python bench/adopt.py FOLDER [--projects] [--table] [--write] [NAME…]

Without --projects: the sdists below, fetched from PyPI with pip into FOLDER. They were chosen before any was tried: compiled code,
ten kinds of build, small. With --projects: those of tests/projects, in a FOLDER of their own. Each is unpacked anew, becomes a git
repository, and nothing but what `init` writes is changed. What one has fetched and made for the local channel, the next one is given; with --projects, one that had to fill it
is tried once more, for the time with a filled channel. CPU seconds are those of all commands, user and system.
The table is of all that FOLDER has a result of; --table tries nothing anew, --write puts it into docs/reference/init.md.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tarfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from diptych.config.files import read_toml

ROOT = Path(__file__).parents[1]
PROJECTS = ROOT / "tests" / "projects"
PAGE = ROOT / "docs" / "reference" / "init.md"
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
SDISTS = {
    "wrapt": "setuptools, C",
    "markupsafe": "setuptools, C",
    "bitarray": "setuptools, C",
    "ujson": "setuptools, C++",
    "psutil": "setuptools, C, abi3",
    "pyclipper": "setuptools, Cython",
    "frozenlist": "own backend on setuptools, Cython",
    "argon2-cffi-bindings": "setuptools, cffi, abi3",
    "hnswlib": "setuptools, pybind11",
    "levenshtein": "scikit-build-core, Cython",
    "spglib": "scikit-build-core, C",
    "mapbox-earcut": "scikit-build-core, nanobind",
    "contourpy": "meson-python, pybind11",
    "pywavelets": "meson-python, Cython",
    "cymem": "setuptools, Cython, C++",
    "ulid-transform": "poetry-core, Cython, C++",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One project, and how far it came."""

    name: str
    build: str
    lines: int
    seconds: float
    cpu: float = 0.0
    result: str


def fetch(folder: Path, name: str) -> Path:
    """Return the sdist of a project, downloaded by pip unless it is there."""
    place = folder / "sdists" / name
    if not any(place.glob("*.tar.gz")):
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", name]
        subprocess.run([*pip, "-d", place, name], check=True)
    return next(place.glob("*.tar.gz"))


def unpack(sdist: Path, root: Path) -> None:
    """Lay an sdist out in an empty folder, without the folder that all of it is in."""
    with tarfile.open(sdist) as archive:
        archive.extractall(root, filter="data")
    (top,) = root.iterdir()
    for path in list(top.iterdir()):
        path.rename(root / path.name)
    top.rmdir()


def table_lines(root: Path) -> int:
    """Count the lines of the table below its head; 0 without one."""
    file = root / "pyproject.toml"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    table = text.partition("[tool.diptych]\n")[2]
    return len([line for line in table.partition("\n[")[0].splitlines() if line.strip()])


def what_failed(output: str) -> str:
    """Return the error that a person would read first."""
    lines = output.splitlines()
    at = next((number for number, line in enumerate(lines) if line.startswith("error: ")), None)
    return lines[at].removeprefix("error: ") if at is not None else lines[-1]


def share(root: Path, other: Path) -> None:
    """Give a project what another one has for the local channel: wheels and packages."""
    for name in ("channel", "wheels"):
        kept = root / ".diptych" / name
        if kept.is_dir():
            shutil.copytree(kept, other / ".diptych" / name, dirs_exist_ok=True)


def cpu_seconds() -> float:
    """Return what all commands so far have used of the processors: on a loaded machine, the clock tells little."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def held(folder: Path) -> set[str]:
    """Name what the local channel has."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.conda")}


def adopt(name: str, build: str, root: Path) -> Row:
    """Type both commands in a project that was laid out, and say how far it came."""
    before = {
        path: path.read_bytes() for path in root.rglob("*") if path.is_file() and ".diptych" not in path.parts
    }
    subprocess.run(["git", "init", "-q", root], check=True)
    tools = Path(sys.executable).parent
    started, used = time.monotonic(), cpu_seconds()
    output, done = "", None
    command = ["diptych", "init", "--yes"]
    while command and not (done and done.returncode):
        done = subprocess.run(
            [tools / command[0], *command[1:]],
            cwd=root,
            env={
                **os.environ,
                "DIPTYCH_OBJECTS": str(root / ".diptych" / "objects"),
            },  # nothing is compiled already
            capture_output=True,
            text=True,
            check=False,
        )
        output += done.stdout + done.stderr
        told = re.search(r"^next: (nox .+)$", done.stdout, re.MULTILINE) if command[0] == "diptych" else None
        command = told[1].split() if told else []
    seconds, cpu = time.monotonic() - started, cpu_seconds() - used
    (root.parent / f"{root.name}.log").write_text(output, encoding="utf-8")
    verified = done is not None and done.returncode == 0
    counts = re.findall(r"(\d+) tests passed", output)
    result = (
        f"verified, {counts[-1]} tests"
        if verified and counts
        else "verified, import"
        if verified
        else what_failed(output)
    )
    ours = {root / one for one in ("pyproject.toml", "noxfile.py", ".gitignore")}
    touched = [path for path, data in before.items() if path not in ours and path.read_bytes() != data]
    if touched:
        result = f"changed {touched[0].relative_to(root)}"
    return Row(name=name, build=build, lines=table_lines(root), seconds=seconds, cpu=cpu, result=result)


def kind_of(project: Path) -> str:
    """Name what builds a project of tests/projects."""
    file = project / "pyproject.toml"
    named = read_toml(file) if file.is_file() else {}
    return str(named.get("build-system", {}).get("build-backend", "none"))


def tried(folder: Path, name: str, *, own: bool) -> Row:
    """Lay a project out anew, and adopt it with what the local channel has so far."""
    root = folder / name
    shutil.rmtree(root, ignore_errors=True)
    if own:
        shutil.copytree(PROJECTS / name, root)
        title, build = name, kind_of(root)
    else:
        sdist = fetch(folder, name)
        root.mkdir(parents=True)
        unpack(sdist, root)
        title, build = sdist.name.removesuffix(".tar.gz").replace("-", " "), SDISTS[name]
    share(folder / "filled", root)
    row = adopt(title, build, root)
    share(root, folder / "filled")
    return row


def rows(folder: Path, wanted: list[str], *, own: bool) -> list[Row]:
    """Try all that are wanted, one after another."""
    names = sorted(path.name for path in PROJECTS.iterdir() if path.is_dir()) if own else list(SDISTS)
    found = []
    for name in wanted or names:
        before = held(folder / "filled")
        row = tried(folder, name, own=own)
        while own and row.result.startswith("verified") and held(folder / "filled") != before:
            # The time is that of a channel that has all that the project needs.
            before = held(folder / "filled")
            row = tried(folder, name, own=own)
        (folder / f"{name}.json").write_text(json.dumps(asdict(row)), encoding="utf-8")
        sys.stderr.write(
            f"{row.name}: {row.seconds:.0f} s, {row.cpu:.0f} s of the processors, {row.lines} lines, {row.result}\n"
        )
        found.append(row)
    return found


def kept(folder: Path) -> list[Row]:
    """Return what every project tried in a folder came to last."""
    return [Row(**json.loads(path.read_text(encoding="utf-8"))) for path in sorted(folder.glob("*.json"))]


def written(rows: list[Row], what: str) -> str:
    """Lay the rows out as Markdown."""
    lines = [
        f"| {what} | build | lines | seconds | CPU seconds | result |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row.name} | {row.build} | {row.lines} | {row.seconds:.0f} | {row.cpu:.0f} | {row.result} |"
        for row in rows
    ]
    return "\n".join([*lines, ""])


def main(arguments: list[str]) -> int:
    """Try, and write or print the table."""
    words = [word for word in arguments if not word.startswith("-")]
    if not words:
        sys.stderr.write(__doc__ or "")
        return 2
    own, folder = "--projects" in arguments, Path(words[0]).resolve()
    mark = "projects" if own else "sdists"
    if "--table" not in arguments:
        rows(folder, words[1:], own=own)
    text = written(kept(folder), mark.removesuffix("s"))
    if "--write" in arguments:
        page = PAGE.read_text(encoding="utf-8")
        head, _, rest = page.partition(f"<!-- {mark} -->\n")
        PAGE.write_text(
            f"{head}<!-- {mark} -->\n\n{text}\n{rest[rest.index('<!-- end -->') :]}", encoding="utf-8"
        )
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
