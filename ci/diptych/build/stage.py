"""The compile stage of a cell: sources and host environment in, an untouched install tree out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from diptych import __version__
from diptych.build import cmake_builder, pep517, wrapped
from diptych.build.job import CompileJob
from diptych.build.layout import layout_of
from diptych.build.sources import source_hashes, version_facts
from diptych.build.toolenv import chosen
from diptych.compilers import Compiler
from diptych.config.files import read_toml
from diptych.inputs import Inputs, made_once
from diptych.store import digest, read_json, sha256_file

Builder: TypeAlias = Callable[[CompileJob, Path, Path], dict[str, Path]]
"""From the inputs, the cell's own build folder and an empty folder to an install tree in that, and the source of each file in it."""

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
    kept: bool

    @property
    def tag(self) -> str:
        """Interpreter and ABI tag of the backend's own wheel, such as ``cp310-abi3``; empty when it made none."""
        file = self.info / "WHEEL" if self.info else None
        text = file.read_text(encoding="utf-8") if file and file.is_file() else ""
        found = re.search(r"^Tag: ([\w.]+-[\w.]+)-", text, re.MULTILINE)
        return found[1] if found else ""

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
        """Whether its modules are for several Pythons by their names: there are ``.abi3.so``, and none names a Python."""
        names = [Path(name).name for name in self.files]
        return any(name.endswith(".abi3.so") for name in names) and not any(map(_PINNED.search, names))

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
    compiled = _compile_inputs(job)
    inputs = Inputs(stage=KIND, values={**compiled, **_source_inputs(job)})
    # CMake's cache holds the environment's path, so a tree belongs to one; the stage does not, since the
    # compiler flags map paths away.
    tree = job.store.path("build", f"{job.cell.id}-{digest(compiled, str(job.environment.prefix))[:8]}")
    with job.store.lock(f"build-{tree.name}"):
        # Where the build tree was removed, or holds another state of the sources: in-source tests need it.
        folder, made = made_once(
            job.store, job.cell.id, inputs, lambda empty: _make(job, tree, empty), valid=_tree_agrees
        )
    record = _read_record(folder)
    layout = layout_of(folder, job.cell.site_packages)
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
        backend=read_json(folder / "backend.json"),
        kept=not made,
    )


def _source_inputs(job: CompileJob) -> dict[str, object]:
    source, env = job.config.source, job.env
    asks_git = builder_of(job) is not cmake_builder.make
    return {
        "sources": source_hashes(source, env=env),
        "version": version_facts(source, env=env) if asks_git else {},
    }


def _compile_inputs(job: CompileJob) -> dict[str, object]:
    settings = job.cell.settings
    return {
        "diptych": __version__,
        "cell": job.cell.id,
        "platform": job.cell.platform,
        "host": job.environment.lock_hashes,
        "compiler": asdict(job.compiler),
        "builder": settings.builder,
        "config-settings": dict(settings.config_settings),
        "build-isolation": settings.build_isolation,
        "compiler-flags": job.cell.compiler.flags,
        "compiler-env": dict(job.cell.compiler.env),
        "cmake-args": settings.cmake_args,
        "build-type": settings.build_type,
        "env": dict(settings.env),
        "variables": chosen(job.env),
    }


def builder_of(job: CompileJob) -> Builder:
    """Return the builder that the table names; by default the project's own backend, when it has one.

    Where that is a setuptools that compiles nothing beside a CMakeLists.txt, both take part.
    """
    name = job.cell.settings.builder
    if name == "auto" and wrapped.is_wrapped(job.config.source):
        return wrapped.make
    if name == "auto":
        name = "pep517" if _has_backend(job.config.source) else "cmake"
    return pep517.make if name == "pep517" else cmake_builder.make


def _has_backend(source: Path) -> bool:
    file = source / "pyproject.toml"
    return (file.is_file() and "build-system" in read_toml(file)) or (source / "setup.py").is_file()


def _make(job: CompileJob, tree: Path, empty: Path) -> None:
    found = builder_of(job)(job, tree, empty)
    root = empty / layout_of(empty, job.cell.site_packages).name
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
