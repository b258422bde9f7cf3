"""What the compile stage is given, by whichever builder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, TypeAlias

from diptych.build.cargo import Cargo
from diptych.build.sources import Sources
from diptych.build.toolenv import steering
from diptych.compilers import Compiler
from diptych.environments import Environment
from diptych.inputs import NAME, PLACE, By, Unkeyed
from diptych.pythons import site_packages
from diptych.store import Store

LONGER = "something waits for ever, or tool.diptych.build-limit has to be longer"
"""The next step where a limit of time has ended a build."""

BuilderKind: TypeAlias = Literal["pep517", "cmake", "wrapped"]


@dataclass(frozen=True, kw_only=True)
class CompileSettings:
    """What the table says of compiling; see :class:`diptych.config.CellSettings`."""

    config_settings: Mapping[str, str]
    build_isolation: bool
    cmake_args: tuple[str, ...]
    build_type: str
    env: Mapping[str, str]
    build_limit: Annotated[str, Unkeyed("it ends a build, and shapes none")]


@dataclass(frozen=True, kw_only=True)
class BuildEnvironment:
    """What a backend runs in.

    Attributes:
        python: its interpreter.
        lock: every package with version and hashes, as pip reads it; empty for the host environment, which has a lock of its own.
        versions: package → version; none of the host environment.
    """

    python: Path
    lock: str
    versions: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class CompileJob:
    """The inputs of the compile stage.

    Attributes:
        cell: the cell's name.
        python: such as ``3.11``.
        platform: conda's name of it.
        version: what ``pyproject.toml`` says, if it does.
        builder: what compiles.
        settings: what the table says of compiling.
        flags: the table's flags of the compiler.
        compiler_env: the table's variables of the compiler.
        compiler: the cell's compiler, as found.
        environment: the host environment.
        sources: the project.
        env: the process environment as far as :func:`diptych.build.toolenv.admitted` lets it in.
        store: where results go.
        objects: where objects are kept between builds; None for nowhere.
        within: what the project's backend builds in; None for a builder without one, and before the backend was asked.
        cargo: the person's own, where the backend compiles with Rust.
    """

    cell: Annotated[str, NAME]
    python: str
    platform: str
    version: str | None
    builder: BuilderKind
    settings: CompileSettings
    flags: tuple[str, ...]
    compiler_env: Mapping[str, str]
    compiler: Compiler
    environment: Annotated[Environment, By(lambda one: one.lock_hashes)]
    sources: Annotated[Sources, By(lambda one: one.facts)]
    env: Annotated[Mapping[str, str], By(steering)]
    store: Annotated[Store, PLACE]
    objects: Annotated[Path | None, Unkeyed("an object is taken only where it would be compiled")]
    within: Annotated[BuildEnvironment | None, By(lambda one: one and one.lock)] = None
    cargo: Annotated[Cargo | None, By(lambda one: one and one.version)] = None

    @property
    def site_packages(self) -> PurePosixPath:
        """Where site-packages is, relative to the prefix of an environment."""
        return site_packages(self.python)


def compile_log(store: Store, cell: str) -> Path:
    """Return where the whole output of the cell's last compile is."""
    return store.root / "logs" / cell / "compile.log"


def compile_output(job: CompileJob) -> str:
    """Return what the tools of the last compile have printed so far."""
    log = compile_log(job.store, job.cell)
    return log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
