"""A fan-out as an engine runs it: plan, each cell in a checkout of its own, collect in another; and what it refuses."""

from __future__ import annotations

import json
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from diptych import process
from diptych.store import sha256_file
from helpers.checkout import HERE, TABLE, Checkout, lay_out
from helpers.release import TAG, git

# Release settings are not what a cell is made from: the same pieces serve.
RELEASE = """
[tool.diptych.release]
channel = "https://prefix.dev/us"
allow = ["local"]
"""


@dataclass(frozen=True, kw_only=True)
class FanOut:
    """The pieces of every cell, and the machines that made them."""

    root: Path
    channel: Path
    env: dict[str, str]
    table: str
    repository: Path
    jobs: list[dict[str, str]]
    said: dict[str, str]

    def machine(self, name: str) -> Checkout:
        """A fresh copy of the checkout: of other machines it has the local channel alone, as CI keeps it."""
        folder = self.root / name
        folder.mkdir()
        lay_out(folder, self.repository, self.table)
        shutil.copytree(self.channel, folder / ".diptych" / "channel")
        return Checkout(root=folder, env=self.env)

    def pieces(self, name: str) -> Path:
        """A copy of all pieces, one folder an artefact, as a download leaves them."""
        return Path(shutil.copytree(self.root / "pieces", self.root / name))


@pytest.fixture(scope="module")
def fan_out(
    tmp_path_factory: pytest.TempPathFactory, repository: Path, built: Checkout, session_env: dict[str, str]
) -> FanOut:
    compilers = ["gcc", *(["clang"] if process.which("clang++", session_env) else [])]
    table = TABLE.format(python=HERE).replace('["gcc"]', json.dumps(compilers))
    out = FanOut(
        root=tmp_path_factory.mktemp("fan-out"),
        channel=built.root / ".diptych" / "channel",
        env=session_env,
        table=table,
        repository=repository,
        jobs=[],
        said={},
    )
    planned = out.machine("planner").diptych("plan", "--json")
    assert planned.returncode == 0, planned.output
    out.jobs.extend(json.loads(line) for line in planned.output.splitlines())
    for job in out.jobs:
        machine = out.machine(f"machine-{job['id']}")
        program, *words = shlex.split(job["command"])
        assert program == "diptych"
        summary = machine.root / "summary.md"
        done = machine.diptych(*words, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
        assert done.returncode == 0, done.output
        assert f"## {job['id']} · " in summary.read_text(encoding="utf-8")
        out.said[job["id"]] = done.output
        shutil.copytree(machine.root / words[-1], out.root / "pieces" / job["artifact"])
        shutil.rmtree(machine.root)  # machines of an engine are gone by then
    return out


def test_each_machine_left_a_whole_piece(fan_out: FanOut) -> None:
    for job in fan_out.jobs:
        folder = fan_out.root / "pieces" / job["artifact"]
        listing = json.loads((folder / "cell.json").read_text())
        assert listing["schema"] == 1
        assert listing["cell"] == job["id"]
        kinds = [one["kind"] for one in listing["files"]]
        assert kinds.count("wheel") == kinds.count("conda") == 1
        assert kinds.count("provenance") == 2
        assert kinds.count("junit") == 3
        for one in listing["files"]:
            assert sha256_file(folder / one["name"]) == one["sha256"]
        said = fan_out.said[job["id"]]
        assert said.count("::group::") == said.count("::endgroup::") == 3


def test_collected_elsewhere_they_are_what_a_build_leaves(fan_out: FanOut) -> None:
    machine = fan_out.machine("collector")
    summary = machine.root / "summary.md"
    done = machine.diptych(
        "collect", str(fan_out.pieces("whole")), "--report", GITHUB_STEP_SUMMARY=str(summary)
    )
    assert done.returncode == 0, done.output
    for job in fan_out.jobs:
        base = machine.root / "dist" / ("" if job["compiler"] == "gcc" else job["compiler"])
        (wheel,) = (base / "wheels").glob("*.whl")
        (conda,) = (base / "conda" / job["platform"]).glob("*.conda")
        index = json.loads((conda.parent / "repodata.json").read_text())
        assert index["packages.conda"][conda.name]["sha256"] == sha256_file(conda)
        piece = fan_out.root / "pieces" / job["artifact"]
        assert sha256_file(wheel) == sha256_file(piece / wheel.name)
        assert wheel.with_name(wheel.name + ".provenance.json").is_file()
        assert f"| {job['id']} | {job['platform']} |" in summary.read_text()
    assert (machine.root / "dist" / "report" / "index.html").is_file()


def test_a_tampered_a_missing_and_a_doubled_piece_are_refused_by_name(fan_out: FanOut) -> None:
    machine = fan_out.machine("refuser")
    first, last = fan_out.jobs[0], fan_out.jobs[-1]

    tampered = fan_out.pieces("tampered")
    (wheel,) = (tampered / first["artifact"]).glob("*.whl")
    content = bytearray(wheel.read_bytes())
    content[len(content) // 2] ^= 1
    wheel.write_bytes(content)
    missing = fan_out.pieces("missing")
    shutil.rmtree(missing / last["artifact"])
    doubled = fan_out.pieces("doubled")
    shutil.copytree(doubled / first["artifact"], doubled / "again")

    name = f"{first['id']}-{first['platform']}"
    for folder, words in (
        (tampered, f'tampered: "{wheel}" of {name}'),
        (missing, f"missing: {last['id']}-{last['platform']} of the plan"),
        (doubled, f"doubled: {name} is in"),
    ):
        done = machine.diptych("collect", str(folder))
        if folder == missing and len(fan_out.jobs) == 1:
            assert "holds no piece" in done.output
            assert done.returncode == 3
            continue
        assert words in done.output, done.output
        assert done.returncode == 11
        assert not (machine.root / "dist").exists()


def test_a_piece_of_other_sources_is_foreign(fan_out: FanOut) -> None:
    machine = fan_out.machine("edited")
    (machine.root / "project" / "new.txt").write_text("another commit")
    done = machine.diptych("collect", str(fan_out.pieces("foreign")))
    assert done.returncode == 11
    assert done.output.count("has sources") == len(fan_out.jobs)


def test_a_folder_of_somebody_is_not_replaced(fan_out: FanOut) -> None:
    machine = fan_out.machine("careless")
    done = machine.diptych("cell", fan_out.jobs[0]["id"], "--out", "project")
    assert done.returncode == 3
    assert "is no piece of an earlier run" in done.output
    assert (machine.root / "project" / "pyproject.toml").is_file()


def test_the_written_workflow_satisfies_the_linters(fan_out: FanOut) -> None:
    machine = fan_out.machine("writer")
    with (machine.root / "pyproject.toml").open("a") as file:
        file.write(RELEASE)
    assert machine.diptych("workflow", "--platform", "linux-64", "--platform", "osx-arm64").returncode == 0
    assert machine.diptych("workflow", "--check").returncode == 0
    page = machine.root / ".github" / "workflows" / "diptych.yml"
    action = fan_out.repository / "action.yml"
    for text in (page, action):
        _passes(machine, "zizmor", "--offline", "--persona", "pedantic", "--no-progress", str(text))
    _passes(machine, "actionlint", str(page))
    _passes(machine, "check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(page))
    _passes(machine, "check-jsonschema", "--builtin-schema", "vendor.github-actions", str(action))
    page.write_text(page.read_text().replace("contents: read", "contents: write", 1))
    stale = machine.diptych("workflow", "--check")
    assert stale.returncode == 3
    assert "contents: write" in stale.output


def test_the_scripts_of_the_workflow_do_what_the_jobs_wait_for(fan_out: FanOut) -> None:
    """Run what the plan, the collect and the release job run on a tag, with the variables that GitHub sets."""
    machine = fan_out.machine("runner")
    with (machine.root / "pyproject.toml").open("a") as file:
        file.write(RELEASE)
    temp = fan_out.root / "temp"
    temp.mkdir()
    fan_out.pieces("temp/pieces")
    assert machine.diptych("workflow").returncode == 0
    (machine.root / ".gitignore").write_text(".diptych/\ndist/\nrelease/\nupload/\noutput\n__pycache__/\n")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "first"), ("tag", TAG)):
        git(machine, *words)
    jobs = yaml.safe_load((machine.root / ".github" / "workflows" / "diptych.yml").read_text())["jobs"]
    scripts = {
        step["name"]: (step["run"], step.get("working-directory", "."))
        for job in jobs.values()
        for step in job["steps"]
        if "run" in step
    }
    env = {
        **fan_out.env,
        "PATH": f"{process.own_tools()}:{fan_out.env['PATH']}",
        "GITHUB_OUTPUT": str(machine.root / "output"),
        "GITHUB_REF_TYPE": "tag",
        "GITHUB_REF_NAME": TAG,
        "RUNNER_TEMP": str(temp),
        "GITHUB_ACTIONS": "true",
        "CI": "true",
    }
    for name in (
        "Check that this file is the one of the table",
        "Lay out the matrix",
        "Check hashes and completeness, put together, compare",
        "Check that it may be released, and lay the release out",
    ):
        _run_script(machine, scripts[name], env)
    name, _, value = (machine.root / "output").read_text().strip().partition("=")
    assert name == "matrix"
    assert json.loads(value)["include"] == fan_out.jobs
    shutil.copytree(machine.root / "dist" / "release", machine.root / "release")
    for name in ("Check that nothing changed on the way", "Put wheels and sdist side by side"):
        _run_script(machine, scripts[name], env)
    assert sorted(path.suffix for path in (machine.root / "upload").iterdir()) == [".gz", ".whl"]
    script, _ = scripts["Publish the conda packages"]
    assert script.startswith("diptych release --assembled")
    assert jobs["channel"]["permissions"] == {"contents": "read"}
    assert _variables(jobs["channel"]) == {"PREFIX_API_KEY": "${{ secrets.PREFIX_API_KEY }}"}


def _variables(job: dict[str, Any]) -> dict[str, str]:
    return {name: value for step in job["steps"] for name, value in step.get("env", {}).items()}


def _run_script(machine: Checkout, script: tuple[str, str], env: dict[str, str]) -> None:
    text, folder = script
    done = process.run(["bash", "-e", "-c", text], env=env, cwd=machine.root / folder, check=False)
    assert done.returncode == 0, f"{text}\n{done.output}"


def _passes(machine: Checkout, *words: str) -> None:
    done = process.run(words, env=machine.env, cwd=machine.root, check=False)
    assert done.returncode == 0, done.output
