"""The builder for projects whose CMake installs the package laid out as site-packages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from diptych.build.cmake import CMakeBuild, compile_all, configure, install
from diptych.build.fileapi import install_map
from diptych.build.firsterror import error_place, first_error
from diptych.build.job import LONGER, CompileJob, compile_log
from diptych.build.strangers import check_headers, check_links
from diptych.build.toolenv import tool_environment
from diptych.config.forms import seconds
from diptych.errors import CompileError, ProcessError

_SITE = "site"


def make(job: CompileJob, tree: Path, empty: Path) -> dict[str, Path]:
    """Configure, compile and install into ``empty / "site"``; return where each file of the stage came from.

    Args:
        job: the inputs.
        tree: the build tree, kept so that Ninja compiles only what changed.
        empty: gets ``site``.

    Raises:
        CompileError: configuring, compiling, linking or installing failed.
        LinkageError: something was compiled or linked from outside the cell.
    """
    log = compile_log(job.store, job.cell)
    log.unlink(missing_ok=True)
    build = _cmake_build(job, tree, log)
    site = empty / _SITE
    site.mkdir()
    with _failing(job, "configure"):
        configure(build)
    with _failing(job, "compile"):
        compile_all(build)
    with _failing(job, "install"):
        install(build, site)
    check_headers(build)
    check_links(site, environment=job.environment)
    rules = install_map(tree, job.sources.folder)
    names = [path.relative_to(site).as_posix() for path in sorted(site.rglob("*")) if path.is_file()]
    return {name: origin for name in names if (origin := _origin(name, rules)) is not None}


@contextmanager
def _failing(job: CompileJob, what: str) -> Iterator[None]:
    """Turn a tool's failure into one that names the cell and the step."""
    try:
        yield
    except ProcessError as error:
        log = compile_log(job.store, job.cell)
        found = first_error(log.read_text(encoding="utf-8", errors="replace")) if log.is_file() else ()
        raise CompileError(
            f"{job.cell}: {what} failed: {error.summary}",
            details=[*found, f"whole log: {log}"] if found else error.details,
            hint=LONGER if error.timed_out else _hint(what),
            place=error_place(found, source=job.sources.folder),
        ) from error


def _cmake_build(job: CompileJob, tree: Path, log: Path) -> CMakeBuild:
    extra = {**job.settings.env, **job.compiler_env}
    return CMakeBuild(
        source=job.sources.folder,
        tree=tree,
        prefix=job.environment.prefix,
        compiler=job.compiler,
        build_type=job.settings.build_type,
        arguments=job.settings.cmake_args,
        flags=job.flags,
        env=tool_environment(job.env, prefix=job.environment.prefix, compiler=job.compiler.cxx, extra=extra),
        log=log,
        limit=seconds(job.settings.build_limit),
    )


def _hint(what: str) -> str:
    return {
        "configure": "is everything that find_package asks for in tool.diptych.host?",
        "compile": "mend the source and run again; only what changed is compiled",
        "install": "check the install() rules",
    }[what]


def _origin(name: str, rules: Mapping[str, Path]) -> Path | None:
    """Find the rule for a file: its own, or that of the nearest folder above it."""
    path = Path(name)
    for rule in (path, *path.parents):
        if rule.as_posix() in rules:
            return rules[rule.as_posix()] / path.relative_to(rule)
    return None
