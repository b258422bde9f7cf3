"""The builder for projects whose CMake installs the package, laid out as site-packages or as a prefix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from diptych.build.cmake import CMakeBuild, compile_all, configure, install
from diptych.build.fileapi import Installed, installed
from diptych.build.firsterror import error_place, first_error
from diptych.build.job import LONGER, CompileJob, compile_log, compile_output
from diptych.build.layout import INSTALL_PREFIX, Layout, files_of, gather, layout_meant, origins
from diptych.build.missing import lacking
from diptych.build.objects import launcher
from diptych.build.outside_files import check_headers, check_links
from diptych.build.toolenv import tool_environment
from diptych.config.forms import seconds
from diptych.errors import CompileError, ProcessError
from diptych.store import discard

_DESTDIR = "destdir"


def make(job: CompileJob, tree: Path, empty: Path) -> dict[str, Path]:
    """Configure, compile and install into ``empty``; return where each file of the install tree came from.

    Args:
        job: the inputs.
        tree: the build tree, kept so that Ninja compiles only what changed.
        empty: gets ``site`` or ``prefix``, see :mod:`diptych.build.layout`.

    Raises:
        CompileError: configuring, compiling, linking or installing failed.
        LinkageError: something was compiled or linked from outside the cell.
    """
    log = compile_log(job.store, job.cell)
    log.unlink(missing_ok=True)
    build = _cmake_build(job, tree, log)
    with _failing(job, "configure"):
        rules, layout = _configured(build, job)
    with _failing(job, "compile"):
        compile_all(build)
    target = empty / layout.name
    target.mkdir()
    with _failing(job, "install"):
        _install(build, target, empty / _DESTDIR, rules)
    _require_modules(build, target, layout)
    check_headers(build)
    check_links(target, environment=job.environment, sanitizer=job.compiler.sanitizer)
    return dict(origins(files_of(target), rules, prefix=build.prefix))


def _configured(build: CMakeBuild, job: CompileJob) -> tuple[tuple[Installed, ...], Layout]:
    """Configure; when the rules lay out a prefix, tell CMake a path that stands for it (``CMAKE_INSTALL_FULL_LIBDIR``)."""
    configure(build)
    rules = installed(build.tree, build.source)
    layout = layout_meant(rules, prefix=build.prefix, site=job.site_packages)
    if layout.whole_prefix:
        told = (f"-DCMAKE_INSTALL_PREFIX={INSTALL_PREFIX}", "-DCMAKE_INSTALL_LIBDIR=lib")
        configure(replace(build, arguments=(*told, *build.arguments)))
        rules = installed(build.tree, build.source)
    return rules, layout


def _install(build: CMakeBuild, target: Path, destdir: Path, rules: tuple[Installed, ...]) -> None:
    install(build, target, destdir)
    gather(destdir, target, prefix=build.prefix, rules=rules)
    discard(destdir)


def _require_modules(build: CMakeBuild, target: Path, layout: Layout) -> None:
    """Refuse an install tree with nothing in site-packages."""
    site = target / layout.site
    if site.is_dir() and any(site.iterdir()):
        return
    raise CompileError(
        f'"{build.source / "CMakeLists.txt"}" installs nothing into site-packages',
        hint="add install(TARGETS … DESTINATION <package>), relative to site-packages, or below Python_SITEARCH",
    )


@contextmanager
def _failing(job: CompileJob, what: str) -> Iterator[None]:
    """Turn a tool's failure into one that names the cell and the step."""
    try:
        yield
    except ProcessError as error:
        log, output = compile_log(job.store, job.cell), compile_output(job)
        found = first_error(output)
        lack = None if error.timed_out else lacking(job.sources.folder, output, env=job.env)
        raise CompileError(
            f"{job.cell}: {what} failed: {error.summary}",
            details=[
                *([*found, f"whole log: {log}"] if found else error.details),
                *([lack.detail] if lack else []),
            ],
            hint=LONGER if error.timed_out else lack.hint if lack else _hint(what),
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
        arguments=(*_launchers(job, tree), *job.settings.cmake_args),
        flags=job.flags,
        env=tool_environment(job.env, prefix=job.environment.prefix, compiler=job.compiler.cxx, extra=extra),
        log=log,
        limit=seconds(job.settings.build_limit),
    )


def _launchers(job: CompileJob, tree: Path) -> Iterator[str]:
    if job.objects is not None:
        names = {tree: "/build", job.sources.folder: "/source", job.environment.prefix: "/host"}
        words = launcher(tree, objects=job.objects, names=names, compiler=job.compiler)
        yield from (f"-DCMAKE_{language}_COMPILER_LAUNCHER={words}" for language in ("C", "CXX"))


def _hint(what: str) -> str:
    return {
        "configure": "is everything that find_package asks for in tool.diptych.host?",
        "compile": "mend the source and run again; only what changed is compiled",
        "install": "check the install() rules",
    }[what]
