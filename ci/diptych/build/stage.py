"""The compile stage of a cell: sources and host environment in, an untouched install tree out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from diptych.build import cmake_builder, pep517, wrapped
from diptych.build.cargo import cargo_of
from diptych.build.job import BuilderKind, CompileJob, CompileSettings
from diptych.build.layout import layout_of
from diptych.build.objects import Counted, counted, objects_folder, prune
from diptych.build.sources import Sources
from diptych.build.toolenv import admitted
from diptych.compilers import Compiler
from diptych.config import Config
from diptych.config.buildsystem import build_system_of
from diptych.config.model import BuilderName
from diptych.environments import Environment
from diptych.inputs import inputs_of, made_once, part
from diptych.matrix import Cell
from diptych.store import Store, digest, sha256_file

Builder: TypeAlias = Callable[[CompileJob, Path, Path], dict[str, Path]]
"""From the inputs, the cell's own build folder and an empty folder to an install tree in that, and the source of each file in it."""

_BUILDERS: dict[BuilderKind, Builder] = {
    "pep517": pep517.make,
    "cmake": cmake_builder.make,
    "wrapped": wrapped.make,
}
KIND = "stage"
_RECORD = "origins.json"
_PINNED = re.compile(r"\.(cpython-|cp)\d+[^/]*\.so$")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """An install tree as CMake left it: compiled, linked, without run paths, never written to again.

    Attributes:
        key: the hash of all that went in.
        root: the tree: ``folder`` itself, or a prefix that has it.
        folder: site-packages.
        origins: where each file of ``root`` (relative path) came from: source tree or build tree.
        tree: the build tree.
        compiler: what compiled it.
        info: the ``.dist-info`` that the project's backend has put into its wheel; None when it was not asked for one.
        extra: what the wheel has for other places than site-packages: folders named ``scripts``, ``headers`` and ``data``.
        backend: packages and versions of the environment that the wheel was built in.
        objects: how much of it the cache of objects has brought.
        kept: whether an earlier run had made it.
    """

    key: str
    root: Path
    folder: Path
    origins: Mapping[str, Path]
    tree: Path
    compiler: Compiler
    info: Path | None
    extra: Path | None
    backend: Mapping[str, str]
    objects: Counted
    kept: bool

    @property
    def tag(self) -> str:
        """Interpreter and ABI tags of the backend's own wheel, such as ``cp310-abi3`` or ``cp315-abi3.abi3t``; empty when it made none."""
        file = self.info / "WHEEL" if self.info else None
        text = file.read_text(encoding="utf-8") if file and file.is_file() else ""
        found = re.findall(r"^Tag: ([\w.]+)-([\w.]+)-", text, re.MULTILINE)
        return "-".join(".".join(dict.fromkeys(each)) for each in zip(*found, strict=True))

    @property
    def whole_prefix(self) -> bool:
        """Whether there is more than site-packages: libraries, headers, programs."""
        return self.root != self.folder

    @property
    def site(self) -> PurePosixPath:
        """Site-packages, relative to :attr:`root`."""
        return PurePosixPath(self.folder.relative_to(self.root))

    @property
    def libraries(self) -> tuple[Path, ...]:
        """The folder of the shared libraries beside site-packages, if the tree has any."""
        folder = self.root / "lib"
        return (folder,) if self.whole_prefix and folder.is_dir() else ()

    def origin(self, name: str) -> Path:
        """Return where a file of :attr:`root` is in source; one that was generated at install time or by a backend is in the stage alone."""
        return self.origins.get(name, self.root / name)

    @property
    def stable(self) -> bool:
        """Whether its modules are for several Pythons by their names: ``.abi3.so`` or ``.abi3t.so`` (PEP 803), and none names a Python."""
        names = [Path(name).name for name in self.files]
        return any(name.endswith((".abi3.so", ".abi3t.so")) for name in names) and not any(
            map(_PINNED.search, names)
        )

    @property
    def files(self) -> tuple[str, ...]:
        """Every file of the stage, sorted, relative to :attr:`folder`."""
        return tuple(
            sorted(
                path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()
            )
        )


def compile_stage(job: CompileJob) -> Stage:
    """Return the cell's stage, compiling only what is not there yet.

    Raises:
        CompileError: configuring, compiling, linking or installing failed.
        LinkageError: something was compiled or linked from outside the cell.
    """
    inputs = inputs_of(KIND, job)
    compiled = {name: value for name, value in inputs.values.items() if name != "sources"}
    # CMake's cache holds the environment's path, so a tree belongs to one; the stage does not, since the
    # compiler flags map paths away.
    tree = job.store.path("build", f"{job.cell}-{digest(compiled, str(job.environment.prefix))[:8]}")
    with job.store.lock(f"build-{tree.name}"):
        if job.builder != "cmake":
            home = tree / wrapped.WRAPPER if job.builder == "wrapped" else tree
            job = replace(job, within=pep517.environment_of(job, home))
            inputs = inputs_of(KIND, job)
        # Where the build tree was removed, or holds another state of the sources: in-source tests need it.
        folder, made = made_once(
            job.store, job.cell, inputs, lambda empty: _make(job, tree, empty), valid=_tree_agrees
        )
    if made and job.objects:
        prune(job.objects)
    record = _read_record(folder)
    layout = layout_of(folder, job.site_packages)
    return Stage(
        key=inputs.key,
        root=folder / layout.name,
        folder=folder / layout.name / layout.site,
        origins={name: Path(item["origin"]) for name, item in record["files"].items()},
        # A stage that was kept may come from the tree of another environment with the same packages.
        tree=Path(record["tree"]),
        compiler=job.compiler,
        info=next((folder / "info").glob("*.dist-info"), None),
        extra=folder / "extra" if (folder / "extra").is_dir() else None,
        backend=job.within.versions if job.within else {},
        objects=counted(tree) if made else Counted(taken=0, compiled=0),
        kept=not made,
    )


def compile_job(
    cell: Cell,
    config: Config,
    *,
    environment: Environment,
    compiler: Compiler,
    store: Store,
    env: Mapping[str, str],
) -> CompileJob:
    """Return the inputs of a cell's compile stage, out of the process environment ``env`` and the table."""
    builder = builder_of(cell.settings.builder, config.source)
    seen = admitted(env)
    return CompileJob(
        cell=cell.id,
        python=cell.python,
        platform=cell.platform,
        version=config.project.version,
        builder=builder,
        settings=_compile_settings(cell),
        flags=cell.compiler.flags,
        compiler_env=cell.compiler.env,
        compiler=compiler,
        environment=environment,
        sources=Sources(folder=config.source, env=seen, versioned=builder != "cmake"),
        env=seen,
        store=store,
        # zig keeps a cache of its own.
        objects=None
        if cell.compiler.name == "zig"
        else objects_folder({**env, **cell.settings.env}, store.root),
        cargo=cargo_of(config.source, env) if builder == "pep517" else None,
    )


def _compile_settings(cell: Cell) -> CompileSettings:
    settings = part(CompileSettings, cell.settings)
    if not cell.sanitizer:
        return settings
    # pybind11 and `cmake --install --strip` strip nothing where CMake knows no program for it: a report names source lines.
    return replace(settings, cmake_args=("-DCMAKE_STRIP=", *settings.cmake_args))


def builder_of(name: BuilderName, source: Path) -> BuilderKind:
    """Return the builder that the table names; by default the project's own backend, when it has one.

    Where that is a setuptools that compiles nothing beside a CMakeLists.txt, both take part.
    """
    if name != "auto":
        return name
    if wrapped.is_wrapped(source):
        return "wrapped"
    return "pep517" if build_system_of(source) else "cmake"


def _make(job: CompileJob, tree: Path, empty: Path) -> None:
    found = _BUILDERS[job.builder](job, tree, empty)
    root = empty / layout_of(empty, job.site_packages).name
    files = {
        name: {"origin": str(origin), "sha256": sha256_file(root / name)}
        for name, origin in found.items()
        if origin.is_file()
    }
    record = {"tree": str(tree), "files": files}
    (empty / _RECORD).write_text(json.dumps(record), encoding="utf-8")


def _read_record(entry: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((entry / _RECORD).read_text(encoding="utf-8"))
    return record


def _tree_agrees(entry: Path) -> bool:
    """Tell whether build tree and source tree still hold what the stage was installed from."""
    try:
        files = _read_record(entry)["files"].values()
        return all(sha256_file(Path(item["origin"])) == item["sha256"] for item in files)
    except (OSError, ValueError, KeyError, TypeError):
        return False
