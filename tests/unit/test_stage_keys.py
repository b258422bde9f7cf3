"""What is in the keys of metadata, compiling and packing, and what is not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, cast

import pytest

from diptych import process
from diptych.build.cargo import Cargo
from diptych.build.cmake import CMakeBuild, flag_variables
from diptych.build.job import BuildEnvironment, CompileJob
from diptych.build.objects import Counted
from diptych.build.sources import Sources, version_facts
from diptych.build.stage import Stage, compile_job
from diptych.build.toolenv import chosen, tool_environment
from diptych.cell.packing import CondaPacking, WheelPacking, packings
from diptych.compilers import Compiler
from diptych.config import CellSettings
from diptych.environments import Environment, LockedPackage
from diptych.inputs import inputs_of
from diptych.output import Output
from diptych.packages.metadata import Metadata
from diptych.packages.sdist import SdistJob
from diptych.store import Store
from diptych.testing.insource import InSourceJob, in_source_job
from diptych.testing.verify import VerifyJob, verify_job
from diptych.workspace import open_workspace

COMPILER = Compiler(
    name="gcc", cc=Path("gcc"), cxx=Path("g++"), family="gcc", version="12.2.0", target="x86_64-linux-gnu",
    library="libstdc++", library_version="12", library_date="20220819",
)  # fmt: skip

LOCKED = LockedPackage(
    name="eigen",
    version="3.4",
    build="0",
    subdir="linux-64",
    url="https://example.org/eigen.conda",
    sha256="0" * 64,
)


def git(folder: Path, env: dict[str, str], *words: str) -> None:
    who = ("-c", "user.name=me", "-c", "user.email=me@example.org")
    process.run(["git", *who, *words], env=env, cwd=folder)


def build(tmp_path: Path, env: dict[str, str]) -> CMakeBuild:
    return CMakeBuild(
        source=tmp_path, tree=tmp_path / "tree", prefix=tmp_path / "env", compiler=COMPILER, build_type="Release",
        arguments=(), flags=("-fno-rtti",), env=env, log=tmp_path / "log", limit=60,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """The inputs of every stage of one cell of a checkout whose recipe lies outside the source folder."""

    root: Path
    compiling: CompileJob
    in_source: InSourceJob
    wheel: WheelPacking
    conda: CondaPacking
    verifying: VerifyJob

    @property
    def keys(self) -> dict[str, str]:
        return {name: inputs_of(name, job).key for name, job in vars(self).items() if name != "root"}


def jobs_of(root: Path, env: dict[str, str]) -> Jobs:
    space = open_workspace(root, env=env, machine="x86_64", output=Output(env={}))
    cell, config, store = space.cells[0], space.config, space.store
    environment = Environment(prefix=root, python=root / "bin/python", version="3.11", lock=(), channels=())
    compiling = compile_job(
        cell, config, environment=environment, compiler=COMPILER, store=store, env=space.env
    )
    stage = Stage(
        key=inputs_of("stage", compiling).key, root=root, folder=root, origins={}, tree=root, compiler=COMPILER, info=None, extra=None,
        backend={}, objects=Counted(taken=0, compiled=0), kept=False,
    )  # fmt: skip
    metadata = Metadata(folder=root / "made/pkg-1.0.dist-info", name="pkg", version="1.0")
    wheel, conda = packings(space, cell, environment=environment, stage=stage, metadata=metadata)
    return Jobs(
        root=root,
        compiling=compiling,
        in_source=in_source_job(
            cell, config, environment=environment, stage=stage, store=store, env=space.env
        ),
        wheel=wheel,
        conda=conda,
        verifying=verify_job(
            cell,
            config,
            file=root / "pkg.whl",
            interpreter=Path(sys.executable),
            channels=("a",),
            store=store,
            env=space.env,
        ),
    )


@pytest.fixture
def root(tmp_path: Path, env: dict[str, str]) -> Path:
    env["PATH"] = ""  # no git: the files are what lies there
    for name, text in {
        "source/pyproject.toml": '[project]\nname = "pkg"\nversion = "1.0"\n',
        "source/CMakeLists.txt": "",
        "conda/recipe.yaml": "schema_version: 1\n",
        "made/pkg-1.0.dist-info/METADATA": "Name: pkg\nVersion: 1.0\n",
        "pkg.whl": "bytes",
        "pyproject.toml": '[tool.diptych]\nsource = "source"\npython = ["3.11"]\ncompiler = ["gcc"]\n'
        'package = "pkg"\nrecipe = "../conda/recipe.yaml"\n',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    (root / name).write_text(text, encoding="utf-8")


def table(root: Path, line: str) -> None:
    file = root / "pyproject.toml"
    file.write_text(f"{file.read_text(encoding='utf-8')}{line}\n", encoding="utf-8")


ALL = {"compiling", "in_source", "wheel", "conda", "verifying"}
# Every stage stands on the compiled one, but for the verification: that one sees the package.
COMPILED = ALL - {"verifying"}


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


# What a person can change, and the stages that it makes anew.
EDITS: dict[str, tuple[Callable[[Path], None], set[str]]] = {
    "a source file": (lambda root: write(root, "source/CMakeLists.txt", "# edited"), ALL),
    "a new source file": (lambda root: write(root, "source/new.cpp", ""), ALL),
    "the project's version": (
        lambda root: write(root, "source/pyproject.toml", '[project]\nname = "pkg"\nversion = "1.1"\n'),
        ALL,
    ),
    "the recipe": (lambda root: write(root, "conda/recipe.yaml", "schema_version: 1\n# edited\n"), {"conda"}),
    "a file beside the recipe": (lambda root: write(root, "conda/patch.diff", ""), {"conda"}),
    "the metadata": (
        lambda root: write(root, "made/pkg-1.0.dist-info/METADATA", "Name: pkg\nVersion: 1.1\n"),
        {"wheel", "conda"},
    ),
    "the package": (lambda root: write(root, "pkg.whl", "other bytes"), {"verifying"}),
    "a file of no stage": (lambda root: write(root, "README.md", "words"), set()),
    "channels": (
        lambda root: table(root, 'channels = ["bioconda"]'),
        set(),
    ),  # the environment that they give is what counts
    "host": (lambda root: table(root, 'host = ["eigen"]'), {"conda"}),
    "run": (lambda root: table(root, 'run = ["numpy"]'), {"conda"}),
    "names": (lambda root: table(root, 'names = { x = "y" }'), {"conda"}),
    "test": (lambda root: table(root, 'test = "pytest other"'), {"conda", "in_source", "verifying"}),
    "test-sources": (lambda root: table(root, 'test-sources = ["t.py"]'), {"in_source", "verifying"}),
    "test-requires": (lambda root: table(root, 'test-requires = ["numpy"]'), {"conda", "verifying"}),
    "benchmark": (lambda root: table(root, 'benchmark = "python b.py"'), set()),
    "builder": (lambda root: table(root, 'builder = "pep517"'), COMPILED),
    "config-settings": (lambda root: table(root, 'config-settings = { a = "b" }'), COMPILED),
    "build-isolation": (lambda root: table(root, "build-isolation = false"), COMPILED),
    "cmake-args": (lambda root: table(root, 'cmake-args = ["-DA=1"]'), COMPILED),
    "build-type": (lambda root: table(root, 'build-type = "Debug"'), COMPILED),
    "build-limit": (lambda root: table(root, 'build-limit = "5 min"'), set()),
    "env": (lambda root: table(root, 'env = { A = "b" }'), ALL),
    "in-source": (lambda root: table(root, 'in-source = "relink"'), {"in_source"}),
    "share": (lambda root: table(root, 'share = ["cmeel-boost"]'), {"wheel"}),
    "exclude-libraries": (lambda root: table(root, 'exclude-libraries = ["libx.so.1"]'), {"wheel"}),
    "wheel-include": (lambda root: table(root, 'wheel-include = ["include/*"]'), {"wheel"}),
    "floor": (lambda root: table(root, 'floor = "2_28"'), set()),  # the finished wheel is held against it
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_makes_anew_what_depends_on_it_and_nothing_else(
    root: Path, env: dict[str, str], what: str
) -> None:
    edit, stages = EDITS[what]
    before = jobs_of(root, env).keys
    assert jobs_of(root, env).keys == before
    edit(root)
    now = jobs_of(root, env).keys
    assert {name for name in now if now[name] != before[name]} == stages


def test_every_key_of_the_table_is_tried() -> None:
    tried = {name.replace("-", "_") for name in EDITS}
    assert {field.name for field in fields(CellSettings)} <= tried


# Another value for each field, by its name; where stages differ, by the stage.
OTHER: dict[str, Callable[[Any], Any]] = {
    "channels": lambda _: ("b",),
    "compiler": lambda one: replace(one, version="13"),
    "compiler_env": lambda _: {"A": "1"},
    "builder": lambda _: "wrapped",
    "env": lambda one: {**one, "CXXFLAGS": "-O1"},
    "environment": lambda one: replace(one, lock=(LOCKED,)),
    "epoch": lambda one: one + 1,
    "wheel_include": lambda _: ("include/*",),
    "exclude_libraries": lambda _: ("libx.so.1",),
    "share": lambda _: ("cmeel-boost",),
    "flags": lambda _: ("-O1",),
    "package": lambda _: "other",
    "platform": lambda _: "linux-aarch64",
    "python": lambda _: "3.12",
    "stage": lambda one: replace(one, key="other"),
    "tools": lambda one: {**one, "patchelf": "0"},
    "version": lambda _: "2.0",
    "objects": lambda _: None,
    "within": lambda _: BuildEnvironment(python=Path(sys.executable), lock="hatchling==1.27", versions={}),
    "cargo": lambda _: Cargo(program=Path("/opt/bin/cargo"), version="cargo 1.95.0"),
    "config_settings": lambda _: {"a": "b"},
    "build_isolation": lambda one: not one,
    "build_limit": lambda _: "1 min",
    "build_type": lambda _: "Debug",
    "cmake_args": lambda _: ("-DA=1",),
    "cell": lambda _: "another",
    "host": lambda _: ("eigen",),
    "in_source": lambda _: "relink",
    "names": lambda _: {"x": "y"},
    "run": lambda _: ("numpy",),
    "test": lambda _: "pytest other",
    "test_requires": lambda _: ("numpy",),
    "test_sources": lambda _: ("t.py",),
    "interpreter": lambda one: one.parent,
    "store": lambda one: replace(one, root=one.root / "x"),
    "recipe": lambda _: None,
    "root": lambda one: one / "x",
    "source": lambda one: one / "x",
    "split": lambda one: not one,
}
BY_CONTENT = {"file", "metadata", "sources"}  # EDITS changes what they are read from
NOT_KEYED = {
    "compiling": {"build_limit", "cell", "objects", "store"},
    "in_source": {"cell", "env", "source", "store"},
    "wheel": {"cell", "env", "root", "source", "store"},
    "conda": {"cell", "env", "root", "source", "store"},
    "verifying": {"cell", "env", "store"},
}


def variants(job: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 -- any of the dataclasses
    """Every field with the job that has another value there, those of its settings included."""
    for field in fields(job):
        value = getattr(job, field.name)
        if field.name == "settings":
            yield from ((name, replace(job, settings=other)) for name, other in variants(value))
        elif field.name not in BY_CONTENT:
            # The table's variables and the person's have one name.
            other = (
                {"A": "1"}
                if field.name == "env" and "Settings" in type(job).__name__
                else OTHER[field.name](value)
            )
            name = (
                f"settings {field.name}"
                if "Settings" in type(job).__name__ and field.name == "env"
                else field.name
            )
            yield name, replace(job, **{field.name: other})


@pytest.mark.parametrize("stage", NOT_KEYED)
def test_every_field_of_a_stages_inputs_is_in_its_key_or_says_why_not(
    root: Path, env: dict[str, str], stage: str
) -> None:
    job = getattr(jobs_of(root, env), stage)
    key = inputs_of(stage, job).key
    same = {name for name, other in variants(job) if inputs_of(stage, other).key == key}
    assert same == NOT_KEYED[stage]


def sdist_job(root: Path, env: dict[str, str]) -> SdistJob:
    """The inputs of a source distribution; those of metadata are a part of them."""
    return SdistJob(
        sources=Sources(folder=root / "source", env=env, versioned=True),
        python=Path(sys.executable),
        within=BuildEnvironment(python=Path(sys.executable), lock="a==1", versions={}),
        env=env,
        store=Store(root=root / ".diptych"),
        log=root / "log",
        epoch=1,
        revision=1,
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("python", Path(sys.executable).parent),
        ("within", BuildEnvironment(python=Path(sys.executable), lock="a==2", versions={})),
        ("env", {"SETUPTOOLS_SCM_PRETEND_VERSION": "2"}),
        ("epoch", 2),
        ("revision", 2),
        ("store", None),
        ("log", Path("/another/log")),
    ],
)
def test_every_field_of_what_a_backend_makes_outside_a_cell_is_in_its_key(
    root: Path, env: dict[str, str], field: str, value: object
) -> None:
    job = sdist_job(root, env)
    other = replace(job, **cast("dict[str, Any]", {field: value}))
    same = inputs_of("sdist", other).key == inputs_of("sdist", job).key
    assert same is (field in {"store", "log"})


def test_a_source_file_is_in_the_key_of_what_a_backend_makes(root: Path, env: dict[str, str]) -> None:
    before = inputs_of("metadata", sdist_job(root, env)).key
    write(root, "source/new.py", "")
    assert inputs_of("metadata", sdist_job(root, env)).key != before


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("CXXFLAGS", COMPILED),
        ("SDKROOT", COMPILED),
        ("CMAKE_CXX_COMPILER_LAUNCHER", COMPILED),
        ("SETUPTOOLS_SCM_PRETEND_VERSION", COMPILED),
        ("HTTPS_PROXY", set()),
        ("UNKNOWN", set()),
    ],
)
def test_variables_are_in_a_key_or_not_seen(
    root: Path, env: dict[str, str], name: str, stages: set[str]
) -> None:
    before = jobs_of(root, env)
    now = jobs_of(root, {**env, name: "value"})
    assert {stage for stage in ALL if now.keys[stage] != before.keys[stage]} == stages
    assert (name in now.compiling.env) is (name != "UNKNOWN")


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
