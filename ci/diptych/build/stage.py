"""The compile stage of a cell: sources and host environment in, an untouched install tree out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from diptych import __version__
from diptych.build.cmake import CMakeBuild, compile_all, configure, install
from diptych.build.fileapi import install_map
from diptych.build.firsterror import error_place, first_error
from diptych.build.sources import source_hash
from diptych.build.strangers import check_headers, check_links
from diptych.build.toolenv import chosen, tool_environment
from diptych.compilers import Compiler
from diptych.config import Config
from diptych.environments import Environment
from diptych.errors import CompileError, ProcessError
from diptych.matrix import Cell
from diptych.store import Store, digest, sha256_file

KIND = "stage"
SITE = "site"
_RECORD = "origins.json"


@dataclass(frozen=True, kw_only=True)
class CompileJob:
    """The inputs of the compile stage.

    Attributes:
        cell: which entry of the matrix.
        config: the table.
        environment: the host environment.
        compiler: the cell's compiler, as found.
        store: where results go.
        env: the process environment.
    """

    cell: Cell
    config: Config
    environment: Environment
    compiler: Compiler
    store: Store
    env: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """An install tree as CMake left it: compiled, linked, without run paths, never written to again.

    Attributes:
        key: the hash of all that went in.
        folder: the tree, laid out as site-packages.
        origins: where each of its files (relative path) came from: source tree or build tree.
        tree: the build tree.
        compiler: what compiled it.
        kept: whether an earlier run had made it.
    """

    key: str
    folder: Path
    origins: Mapping[str, Path]
    tree: Path
    compiler: Compiler
    kept: bool

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
    compile_key = digest(_compile_inputs(job))
    key = digest(compile_key, source_hash(job.config.source, env=job.env))
    # CMake's cache holds the environment's path, so a tree belongs to one; the stage does not, since the
    # compiler flags map paths away.
    tree = job.store.path("build", f"{job.cell.id}-{digest(compile_key, str(job.environment.prefix))[:8]}")
    with job.store.lock(f"build-{tree.name}"):
        # Where the build tree was removed, or holds another state of the sources: in-source tests need it.
        folder, made = job.store.entry(KIND, key, lambda empty: _make(job, tree, empty), valid=_tree_agrees)
    record = _read_record(folder)
    return Stage(
        key=key,
        folder=folder / SITE,
        origins={name: Path(item["origin"]) for name, item in record["files"].items()},
        # A stage that was kept may come from the tree of another environment with the same packages.
        tree=Path(record["tree"]),
        compiler=job.compiler,
        kept=not made,
    )


def compile_log(store: Store, cell: Cell) -> Path:
    """Return where the whole output of the cell's last compile is."""
    return store.root / "logs" / cell.id / "compile.log"


def _compile_inputs(job: CompileJob) -> dict[str, object]:
    settings = job.cell.settings
    return {
        "diptych": __version__,
        "cell": job.cell.id,
        "platform": job.cell.platform,
        "lock": job.environment.lock_hash,
        "compiler": asdict(job.compiler),
        "flags": [job.cell.compiler.flags, settings.cmake_args, settings.build_type],
        "env": [dict(settings.env), dict(job.cell.compiler.env)],
        "chosen": chosen(job.env),
    }


def _make(job: CompileJob, tree: Path, empty: Path) -> None:
    log = compile_log(job.store, job.cell)
    log.unlink(missing_ok=True)
    build = _cmake_build(job, tree, log)
    (empty / SITE).mkdir()
    with _failing(job, "configure"):
        configure(build)
    with _failing(job, "compile"):
        compile_all(build)
    with _failing(job, "install"):
        install(build, empty / SITE)
    check_headers(build)
    check_links(empty / SITE, environment=job.environment)
    _write_record(empty, install_map(tree, job.config.source), tree)


@contextmanager
def _failing(job: CompileJob, what: str) -> Iterator[None]:
    """Turn a tool's failure into one that names the cell and the step."""
    try:
        yield
    except ProcessError as error:
        log = compile_log(job.store, job.cell)
        found = first_error(log.read_text(encoding="utf-8", errors="replace")) if log.is_file() else ()
        raise CompileError(
            f"{job.cell.id}: {what} failed: {error.summary}",
            details=[*found, f"whole log: {log}"] if found else error.details,
            hint=_hint(what),
            place=error_place(found, source=job.config.source),
        ) from error


def _cmake_build(job: CompileJob, tree: Path, log: Path) -> CMakeBuild:
    extra = {**job.cell.settings.env, **job.cell.compiler.env}
    return CMakeBuild(
        source=job.config.source,
        tree=tree,
        prefix=job.environment.prefix,
        compiler=job.compiler,
        build_type=job.cell.settings.build_type,
        arguments=job.cell.settings.cmake_args,
        flags=job.cell.compiler.flags,
        env=tool_environment(job.env, prefix=job.environment.prefix, compiler=job.compiler.cxx, extra=extra),
        log=log,
    )


def _hint(what: str) -> str:
    return {
        "configure": "is everything that find_package asks for in tool.diptych.host?",
        "compile": "mend the source and run again; only what changed is compiled",
        "install": "check the install() rules",
    }[what]


def _write_record(entry: Path, rules: Mapping[str, Path], tree: Path) -> None:
    """Record the build tree, and for each installed file where it came from and its hash."""
    files = {}
    for path in sorted((entry / SITE).rglob("*")):
        if path.is_file():
            name = path.relative_to(entry / SITE).as_posix()
            origin = _origin(name, rules)
            if origin is not None and origin.is_file():
                files[name] = {"origin": str(origin), "sha256": sha256_file(path)}
    (entry / _RECORD).write_text(json.dumps({"tree": str(tree), "files": files}), encoding="utf-8")


def _origin(name: str, rules: Mapping[str, Path]) -> Path | None:
    """Find the rule for a file: its own, or that of the nearest folder above it."""
    path = Path(name)
    for rule in (path, *path.parents):
        if rule.as_posix() in rules:
            return rules[rule.as_posix()] / path.relative_to(rule)
    return None


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
