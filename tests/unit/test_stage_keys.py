"""What is in the keys of metadata, compiling and packing, and what is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from diptych import process
from diptych.build.cmake import CMakeBuild, flag_variables
from diptych.build.sources import version_facts
from diptych.build.stage import Stage
from diptych.build.toolenv import chosen, tool_environment
from diptych.cell.makers import Packing
from diptych.compilers import Compiler
from diptych.environments import Environment
from diptych.output import Output
from diptych.packages.metadata import Metadata
from diptych.workspace import open_workspace

COMPILER = Compiler(
    name="gcc", cc=Path("gcc"), cxx=Path("g++"), family="gcc", version="12.2.0", target="x86_64-linux-gnu",
    library="libstdc++", library_version="12", library_date="20220819",
)  # fmt: skip


def git(folder: Path, env: dict[str, str], *words: str) -> None:
    who = ("-c", "user.name=me", "-c", "user.email=me@example.org")
    process.run(["git", *who, *words], env=env, cwd=folder)


def build(tmp_path: Path, env: dict[str, str]) -> CMakeBuild:
    return CMakeBuild(
        source=tmp_path, tree=tmp_path / "tree", prefix=tmp_path / "env", compiler=COMPILER, build_type="Release",
        arguments=(), flags=("-fno-rtti",), env=env, log=tmp_path / "log", limit=60,
    )  # fmt: skip


def packing(root: Path, env: dict[str, str]) -> Packing:
    """Make the inputs of packing: a source folder with the recipe outside it, and prepared metadata."""
    for name, text in {
        "source/pyproject.toml": '[project]\nname = "pkg"\nversion = "1.0"\n',
        "source/CMakeLists.txt": "",
        "conda/recipe.yaml": "schema_version: 1\n",
        "made/pkg-1.0.dist-info/METADATA": "Name: pkg\nVersion: 1.0\n",
        "pyproject.toml": '[tool.diptych]\nsource = "source"\npython = ["3.11"]\ncompiler = ["gcc"]\n'
        'package = "pkg"\nrecipe = "../conda/recipe.yaml"\n',
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    space = open_workspace(root, env=env, machine="x86_64", output=Output(env={}))
    stage = Stage(
        key="k",
        root=root,
        folder=root,
        origins={},
        tree=root,
        compiler=COMPILER,
        info=None,
        extra=None,
        backend={},
        kept=False,
    )
    environment = Environment(prefix=root, python=root / "bin/python", version="3.11", lock=(), channels=())
    folder = root / "made/pkg-1.0.dist-info"
    return Packing(
        workspace=space,
        cell=space.cells[0],
        environment=environment,
        stage=stage,
        metadata=Metadata(folder=folder, name="pkg", version="1.0"),
    )


def keys(job: Packing) -> dict[str, str]:
    return {kind: job.inputs(kind).key for kind in ("wheel", "conda")}


def test_a_new_tag_asks_the_backend_again(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "a").write_text("a")
    git(tmp_path, env, "init", "-q")
    git(tmp_path, env, "add", "a")
    git(tmp_path, env, "commit", "-qm", "a")
    before = version_facts(tmp_path, env=env)
    assert version_facts(tmp_path, env=env) == before
    git(tmp_path, env, "tag", "v2")
    tagged = version_facts(tmp_path, env=env)
    assert tagged != before
    assert version_facts(tmp_path, env={**env, "SETUPTOOLS_SCM_PRETEND_VERSION": "3"}) != tagged


def test_a_recipe_outside_the_source_is_in_the_packing_key(tmp_path: Path, env: dict[str, str]) -> None:
    env["GIT_CEILING_DIRECTORIES"] = str(tmp_path.parent)
    job = packing(tmp_path, env)
    before = keys(job)
    assert keys(job) == before
    (tmp_path / "conda/recipe.yaml").write_text("schema_version: 1\n# edited\n")
    assert keys(job) != before


def test_the_metadata_is_in_the_packing_key_by_content(tmp_path: Path, env: dict[str, str]) -> None:
    env["GIT_CEILING_DIRECTORIES"] = str(tmp_path.parent)
    job = packing(tmp_path, env)
    before = keys(job)
    (job.metadata.folder / "METADATA").write_text("Name: pkg\nVersion: 1.1\n")
    assert keys(job) != before


def test_the_tables_package_is_in_the_packing_key(tmp_path: Path, env: dict[str, str]) -> None:
    env["GIT_CEILING_DIRECTORIES"] = str(tmp_path.parent)
    job = packing(tmp_path, env)
    config = replace(job.workspace.config, package="other")
    assert keys(replace(job, workspace=replace(job.workspace, config=config))) != keys(job)


@pytest.mark.parametrize(
    ("field", "value", "kinds"),
    [
        ("test", "pytest other", {"conda"}),
        ("test_requires", ("pytest", "numpy"), {"conda"}),
        ("benchmark", "python bench.py", set()),
        ("in_source", "relink", set()),
        ("build_limit", "5 min", set()),
        ("run", ("numpy",), {"wheel", "conda"}),
        ("host", ("eigen",), {"wheel", "conda"}),
        ("exclude_libraries", ("libx.so.1",), {"wheel", "conda"}),
    ],
)
def test_only_what_shapes_a_package_is_in_its_key(
    tmp_path: Path, env: dict[str, str], *, field: str, value: object, kinds: set[str]
) -> None:
    env["GIT_CEILING_DIRECTORIES"] = str(tmp_path.parent)
    job = packing(tmp_path, env)
    settings = replace(job.cell.settings, **cast("dict[str, Any]", {field: value}))
    changed = keys(replace(job, cell=replace(job.cell, settings=settings)))
    assert {kind for kind, key in changed.items() if key != keys(job)[kind]} == kinds


def test_flags_of_the_user_are_kept_and_c_gets_no_flags_of_cxx(tmp_path: Path) -> None:
    given = {"CFLAGS": "-DC", "CXXFLAGS": "-DCXX", "CPPFLAGS": "-DBOTH"}
    flags = flag_variables(build(tmp_path, given))
    assert flags["CFLAGS"].startswith("-DBOTH -DC -ffile-prefix-map=")
    assert flags["CXXFLAGS"].startswith("-DBOTH -DCXX -ffile-prefix-map=")
    assert flags["CXXFLAGS"].endswith(" -fno-rtti")
    assert "-fno-rtti" not in flags["CFLAGS"]


def test_compilers_get_what_is_declared_and_nothing_else() -> None:
    on_purpose = {"CXXFLAGS": "-O1", "SDKROOT": "/sdk", "CMAKE_CXX_COMPILER_LAUNCHER": "ccache"}
    shell = {
        **on_purpose,
        "HOME": "/h",
        "https_proxy": "p",
        "UNKNOWN": "1",
        "LD_PRELOAD": "x",
        "PATH": "/bin",
    }
    tools = tool_environment(shell, prefix=Path("/env"), compiler=Path("/opt/bin/g++"), extra={})
    assert chosen(shell) == on_purpose
    assert on_purpose.items() <= tools.items()
    assert (tools["HOME"], tools["https_proxy"]) == ("/h", "p")
    assert not {"UNKNOWN", "LD_PRELOAD"} & tools.keys()
