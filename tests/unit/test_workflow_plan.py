"""The plan of a fan-out, and the workflow written from it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from diptych.config import CompilerSpec, Config, load
from diptych.errors import ConfigError, UnsupportedError
from diptych.fanout.plan import MOST_JOBS, github_matrix, plan, shard, shards_needed, table_hash
from diptych.fanout.runners import compiler_packages, platform_named
from diptych.workflow import write
from diptych.workflow.render import pinned

TABLE = '[project]\nname = "pkg"\nversion = "1.0"\n[tool.diptych]\npython = [{pythons}]\ncompiler = [{compilers}]\n'


def table(
    root: Path, *, pythons: int = 2, compilers: tuple[str, ...] = ("gcc", "clang"), more: str = ""
) -> Config:
    (root / "CMakeLists.txt").write_text("")
    text = TABLE.format(
        pythons=", ".join(f'"3.{minor}"' for minor in range(10, 10 + pythons)),
        compilers=", ".join(f'"{name}"' for name in compilers),
    )
    (root / "pyproject.toml").write_text(text + more)
    return load(root)


def test_a_job_says_all_that_its_machine_needs(tmp_path: Path) -> None:
    jobs = plan(table(tmp_path), ["linux-64", "osx-arm64"])
    assert len(jobs) == 8
    assert jobs[1].to_json() == {
        "id": "3.10-clang",
        "python": "3.10",
        "compiler": "clang",
        "platform": "linux-64",
        "runner": "ubuntu-latest",
        "packages": "clang",
        "image": "",
        "tag": "cp310-cp310",
        "command": "diptych cell 3.10-clang --out .diptych/pieces/3.10-clang-linux-64",
        "artifact": "cell-3.10-clang-linux-64",
    }
    assert len({job.name for job in jobs}) == 8
    assert jobs[-1].runner.startswith("macos-")


@pytest.mark.parametrize(
    ("spec", "platform", "packages"),
    [
        (CompilerSpec(name="gcc", cc="gcc", cxx="g++"), "linux-64", ("g++",)),
        (CompilerSpec(name="gcc-13", cc="gcc-13", cxx="g++-13"), "linux-aarch64", ("g++-13",)),
        (CompilerSpec(name="clang-17", cc="clang-17", cxx="clang++-17"), "linux-64", ("clang-17",)),
        (CompilerSpec(name="gcc-13", cc="gcc-13", cxx="g++-13"), "osx-64", ("gcc@13",)),
        (CompilerSpec(name="clang", cc="clang", cxx="clang++"), "osx-arm64", ()),
        (CompilerSpec(name="mine", cxx="/opt/mine/bin/clang++-18"), "linux-64", ("clang-18",)),
        (CompilerSpec(name="mine", cxx="icpx; rm -rf ~"), "linux-64", ()),
        (CompilerSpec(name="conda", packages=("gxx_linux-64=13",)), "linux-64", ()),
    ],
)
def test_the_packages_of_a_compiler(spec: CompilerSpec, platform: str, packages: tuple[str, ...]) -> None:
    assert compiler_packages(spec, platform) == packages


def test_shards_cover_every_job_once(tmp_path: Path) -> None:
    jobs = plan(table(tmp_path, pythons=5), ["linux-64"])
    parts = [shard(jobs, f"{one}/3") for one in (1, 2, 3)]
    assert [job for part in parts for job in part] == list(jobs)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("word", ["0/2", "3/2", "1", "a/b", "1/2/3", "-1/2", "1/0"])
def test_a_shard_that_is_none(tmp_path: Path, word: str) -> None:
    with pytest.raises(ConfigError, match="is no part"):
        shard(plan(table(tmp_path), ["linux-64"]), word)


def test_more_cells_than_a_matrix_takes(tmp_path: Path) -> None:
    names = tuple(f"gcc-{number}" for number in range(1, 66))
    config = table(tmp_path, pythons=4, compilers=names)
    jobs = plan(config, ["linux-64"])
    assert len(jobs) == 260
    with pytest.raises(ConfigError) as caught:
        github_matrix(jobs)
    assert "260 cells" in caught.value.summary
    assert "--shard 1/2" in caught.value.hint
    assert shards_needed(MOST_JOBS) == 1
    assert len(github_matrix(shard(jobs, "2/2"))["include"]) == 130
    text = write.texts(config, (), "linux-64")[write.WORKFLOW]
    loaded = yaml.safe_load(text)
    assert loaded["jobs"]["collect"]["needs"] == ["cells-1", "cells-2"]
    assert "--shard 2/2" in text


def test_a_platform_without_a_github_machine(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match='did you mean "linux-64"'):
        platform_named("linux64")
    with pytest.raises(ConfigError, match="linux-s390x"):
        github_matrix(plan(table(tmp_path), [platform_named("linux-s390x")]))
    with pytest.raises(ConfigError, match="linux-s390x"):
        write.texts(table(tmp_path), ("linux-64", "linux-s390x"), "linux-64")


def test_the_table_hash_follows_the_table_and_not_the_place(tmp_path: Path) -> None:
    own = '[tool.diptych.compilers.mine]\ncxx = "tools/mine-g++"\n'
    hashes = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        hashes.append(table_hash(table(tmp_path / name, compilers=("gcc", "mine"), more=own)))
    assert hashes[0] == hashes[1]
    changed = table(tmp_path / "there", compilers=("gcc", "mine"), more=own.replace("mine-g++", "other-g++"))
    assert table_hash(changed) != hashes[0]
    override = '[[tool.diptych.overrides]]\nselect = "3.11-*"\nhost = ["eigen"]\n'
    assert table_hash(table(tmp_path / "there", compilers=("gcc", "mine"), more=own + override)) != hashes[0]


def test_every_action_is_pinned_by_a_full_hash(tmp_path: Path) -> None:
    files = write.texts(table(tmp_path), (), "linux-64")
    used = re.findall(r"uses: (\S+)@(\S+) # (\S+)", files[write.WORKFLOW])
    assert len(used) == files[write.WORKFLOW].count("uses: ")
    assert all(
        re.fullmatch("[0-9a-f]{40}", commit) and version.startswith("v") for _, commit, version in used
    )
    assert {name for name, _, _ in used} <= set(pinned())


def test_the_workflow_grants_least(tmp_path: Path) -> None:
    loaded = yaml.safe_load(write.texts(table(tmp_path), (), "linux-64")[write.WORKFLOW])
    assert loaded["permissions"] == {}
    for name, job in loaded["jobs"].items():
        writes = [scope for scope, right in job["permissions"].items() if right == "write"]
        assert writes == (["id-token", "attestations"] if name == "release" else [])
        assert job["timeout-minutes"] <= 60
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), "an expression in a script is an injection"
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"]["persist-credentials"] is False
    assert loaded["jobs"]["release"]["environment"]["name"] == "pypi"


def test_write_then_check_then_a_change_of_the_table(tmp_path: Path) -> None:
    config = table(tmp_path)
    files = write.texts(config, ("linux-64", "osx-arm64"), "linux-64")
    assert write.write(tmp_path, files) == (write.WORKFLOW,)
    assert write.write(tmp_path, files) == ()
    write.check(tmp_path, write.texts(config, (), "linux-64"))
    assert "--platform osx-arm64" in (tmp_path / write.WORKFLOW).read_text()
    page = tmp_path / write.WORKFLOW
    page.write_text(page.read_text().replace("persist-credentials: false", "persist-credentials: true", 1))
    with pytest.raises(ConfigError) as caught:
        write.check(tmp_path, write.texts(config, (), "linux-64"))
    assert any(line.startswith("-") and "true" in line for line in caught.value.details)


def test_an_adopter_installs_the_version_that_wrote_it(tmp_path: Path) -> None:
    files = write.texts(table(tmp_path), (), "linux-64")
    assert "pip install 'diptych[build]==" in files[write.WORKFLOW]
    assert write.ACTION not in files


def test_this_repository_is_current(repository: Path) -> None:
    config = load(repository)
    write.check(repository, write.texts(config, (), "linux-64"))


def test_a_matrix_is_one_line_of_json(tmp_path: Path) -> None:
    value = github_matrix(plan(table(tmp_path), ["linux-64"]))
    assert "\n" not in json.dumps(value)
    assert all(isinstance(text, str) for job in value["include"] for text in job.values())


FLOOR = 'floor = "2_28"\n[[tool.diptych.overrides]]\nselect = "3.10-*"\nfloor = "2_34"\n'


def test_a_cell_with_a_floor_runs_in_the_image_that_keeps_it(tmp_path: Path) -> None:
    own = FLOOR + '[tool.diptych.compilers.conda]\npackages = ["gxx_linux-64=13"]\n'
    config = table(tmp_path, compilers=("gcc", "clang", "zig", "conda"), more=own)
    jobs = {job.name: job for job in plan(config, ["linux-64", "linux-aarch64", "osx-arm64"])}
    for name in ("3.10-gcc-linux-64", "3.11-clang-linux-64"):
        image, _, digest = jobs[name].image.partition("@sha256:")
        assert image.startswith("quay.io/pypa/manylinux_2_28_x86_64:2")
        assert re.fullmatch("[0-9a-f]{64}", digest)
    assert "manylinux_2_28_aarch64:2" in jobs["3.11-gcc-linux-aarch64"].image
    assert [jobs[name].packages for name in ("3.10-gcc-linux-64", "3.11-clang-linux-64")] == [(), ("clang",)]
    free = ("3.11-zig-linux-64", "3.11-conda-linux-64", "3.11-gcc-osx-arm64")
    assert [jobs[name].image for name in free] == ["", "", ""]


def test_the_workflow_takes_container_and_python_from_the_image(tmp_path: Path) -> None:
    text = write.texts(table(tmp_path, more=FLOOR), ("linux-64", "osx-arm64"), "linux-64")[write.WORKFLOW]
    job = yaml.safe_load(text)["jobs"]["cells"]
    assert job["container"] == "${{ matrix.image }}"
    steps = {step["name"]: step for step in job["steps"]}
    assert steps["Set up the cell's Python"]["if"] == "matrix.image == ''"
    python = steps["Take the cell's Python from the image"]
    assert python["if"] == "matrix.image != ''"
    assert python["env"] == {"TAG": "${{ matrix.tag }}"}
    assert python["run"].splitlines()[0] == 'echo "/opt/python/$TAG/bin" >> "$GITHUB_PATH"'
    assert "dnf install --assumeyes" in steps["Install the compiler"]["run"]
    assert (
        steps["Build and verify"]["run"].splitlines()[1] == 'echo "PIECE=$RUNNER_TEMP/piece" >> "$GITHUB_ENV"'
    )
    assert steps["Keep what it left"]["with"]["path"] == "${{ env.PIECE }}"
    plain = write.texts(table(tmp_path), (), "linux-64")[write.WORKFLOW]
    assert "container" not in plain
    assert "dnf" not in plain


@pytest.mark.parametrize(("compiler", "floor"), [("gcc", "2_17"), ("gcc-13", "2_28"), ("clang-17", "2_34")])
def test_a_floor_is_never_left_to_the_runner(tmp_path: Path, compiler: str, floor: str) -> None:
    config = table(tmp_path, pythons=1, compilers=(compiler, "zig"), more=f'floor = "{floor}"\n')
    for ask in (
        lambda: github_matrix(plan(config, ["linux-64"])),
        lambda: write.texts(config, (), "linux-64"),
    ):
        with pytest.raises(ConfigError) as caught:
            ask()
        assert caught.value.summary.endswith(f"keeps the floor of 3.10-{compiler}-linux-64 ({floor})")
    assert len(plan(config, ["linux-64"])) == 2  # other engines have machines of their own
