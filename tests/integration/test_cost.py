"""``diptych compare --measure`` on a built cell, in real clean environments."""

from __future__ import annotations

import json
import re
import subprocess  # noqa: TID251 -- standard output without standard error
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from diptych import interpreters, process
from diptych.cost import probe
from diptych.report.document import schema
from diptych.testing.clean import wheel_prefix
from helpers.checkout import HERE, Checkout
from helpers.needs import needs_linux

BENCHMARK = "python {source}/bench/run.py 1"
SIDES = ("left", "right")
PROBE = probe.__file__


def name_benchmark(checkout: Checkout, command: str) -> None:
    checkout.edit("pyproject.toml", "compiler =", f"benchmark = {json.dumps(command)}\ncompiler =")


def measured(checkout: Checkout, *words: str) -> dict[str, Any]:
    # Standard output alone: what is measured meanwhile is told aside.
    done = subprocess.run(
        [str(process.which("diptych", checkout.env)), "compare", "--json", *words],
        env=checkout.env,
        cwd=checkout.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    document = json.loads(done.stdout)
    jsonschema.validate(document, schema(), cls=jsonschema.Draft202012Validator)
    (cell,) = document["cells"]
    cost: dict[str, Any] = cell["cost"]
    return cost


def test_costs_of_both_sides_are_measured_and_kept(sources: Checkout) -> None:
    assert measured(sources) is None
    name_benchmark(sources, BENCHMARK)
    cost = measured(sources, "--measure")
    assert cost["command"] == BENCHMARK
    came = [{one["name"].lower() for one in cost[side]["shared"]} for side in SIDES]
    assert came[0] == {"numpy"}
    assert {"numpy", "libboost-python"} <= came[1]
    assert "python" not in came[1]
    for side in SIDES:
        one = cost[side]
        assert one["with_shared"] == one["own"] + sum(shared["size"] for shared in one["shared"])
        assert 0 < one["load_seconds"] < one["import_seconds"] < one["install_seconds"]
        assert one["loaded"] >= 4  # _core, librigidalign and two of Boost at least
        assert one["benchmark"]["seconds"] > one["import_seconds"]
        assert set(one["benchmark"]["numbers"]) == set(cost["left"]["benchmark"]["numbers"])
        assert all(value > 0 for value in one["benchmark"]["numbers"].values())
    assert list((sources.root / ".diptych" / "verify").iterdir()) == []
    assert measured(sources) == cost  # an earlier run's figures are there without asking
    again = sources.diptych("compare", "--measure", COLUMNS="80")
    assert f"· cost {sources.cell}" in again.output
    assert "cost in clean environments: wheel | conda" in again.output
    assert max(map(len, again.output.splitlines())) <= 80


def test_own_size_is_that_of_the_installed_files(sources: Checkout) -> None:
    cost = measured(sources, "--measure")
    assert cost["command"] == ""
    assert cost["left"]["benchmark"] is None
    record = json.loads((sources.root / ".diptych" / "cells" / f"{sources.cell}.json").read_text())
    # The wheel has its two private copies of Boost, the conda package has none.
    copies = sum(
        path.stat().st_size for path in Path(record["stage"]).glob("rigidalign/*") if path.suffix == ".so"
    )
    assert cost["left"]["own"] > cost["right"]["own"] + 300_000
    assert cost["right"]["own"] > copies / 2


def test_page_and_markdown_show_them(sources: Checkout, tmp_path: Path) -> None:
    name_benchmark(sources, BENCHMARK)
    page = tmp_path / "page.html"
    done = sources.diptych("compare", "--measure", "--markdown", "--html", str(page))
    assert "**Cost in clean environments**" in done.output
    assert "| benchmark | umeyama 200k points, ms |" in done.output
    assert '"command":"python {source}/bench/run.py 1"' in page.read_text(encoding="utf-8")


def test_one_cell_is_shown_on_one_screen(sources: Checkout) -> None:
    done = sources.diptych("compare", "--cell", sources.cell, COLUMNS="80")
    assert done.returncode == 0, done.output
    assert done.output.startswith(f"{sources.cell}: one compile, two packages")
    lines = done.output.splitlines()
    assert (max(map(len, lines)) <= 80, len(lines) <= 50) == (True, True)
    assert "there is no cell" in sources.diptych("compare", "--cell", "2.7-tcc").output


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("python -c 'import pytest'", "No module named 'pytest'"),
        ("python {source}/bench/none.py", "none.py"),
    ],
)
def test_a_benchmark_that_fails_is_shown_with_its_words(sources: Checkout, command: str, told: str) -> None:
    name_benchmark(sources, command)
    done = sources.diptych("compare", "--measure")
    assert done.returncode == 8, done.output
    assert "the benchmark failed" in done.output
    assert told in done.output
    assert list((sources.root / ".diptych" / "verify").iterdir()) == []


def test_any_two_packages_are_not_measured(built: Checkout) -> None:
    done = built.diptych("compare", *map(str, built.packages), "--measure")
    assert done.returncode == 3
    assert "--measure and --cell are for built cells" in done.output


@needs_linux("LD_DEBUG")
def test_what_is_loaded_is_what_the_loader_says(built: Checkout, tmp_path: Path) -> None:
    plain = interpreters.find(HERE, env=built.env)
    assert plain is not None
    wheel = built.packages[0]
    prefix = wheel_prefix(wheel, tmp_path, python=plain.executable, env=built.env, log=tmp_path / "log")

    def probed(package: str) -> tuple[dict[str, Any], set[str]]:
        """Return what the probe says, and what the loader says it initialised meanwhile."""
        done = subprocess.run(
            [prefix / "bin" / "python", "-I", PROBE, "load", package],
            env={**built.env, "LD_DEBUG": "files"},
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(done.stdout), set(re.findall(r"calling init: (\S+)", done.stderr))

    said, told = probed("rigidalign")
    _, before = probed("json")  # has no extension module of its own
    assert said["libraries"] == len(told - before)
    assert {Path(name).name.partition(".")[0] for name in told - before} >= {"_core", "librigidalign"}
