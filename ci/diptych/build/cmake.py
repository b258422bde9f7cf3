"""Drive CMake: configure, build and install one cell, out of source, with Ninja."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diptych import process
from diptych.build.announced import announced, prefixes_of
from diptych.build.fileapi import ask
from diptych.compilers import Compiler
from diptych.errors import CompileError, ProcessError
from diptych.store import discard


@dataclass(frozen=True, kw_only=True)
class CMakeBuild:
    """Everything one CMake run needs.

    Attributes:
        source: the folder with CMakeLists.txt.
        tree: the build tree; kept between runs, so that Ninja compiles only what changed.
        prefix: the host environment.
        compiler: the cell's compiler.
        build_type: CMAKE_BUILD_TYPE.
        arguments: extra arguments of the table.
        flags: extra compiler flags of the table.
        env: the tool environment.
        log: where all output goes.
        limit: seconds that one call of CMake may take.
    """

    source: Path
    tree: Path
    prefix: Path
    compiler: Compiler
    build_type: str
    arguments: Sequence[str]
    flags: Sequence[str]
    env: Mapping[str, str]
    log: Path
    limit: float


def configure(build: CMakeBuild) -> None:
    """Configure the build tree; a stale tree that will not configure is made afresh once.

    Raises:
        CompileError: CMake says no.
    """
    _require_cmakelists(build.source)
    known = (build.tree / "CMakeCache.txt").exists()
    try:
        _configure(build)
    except ProcessError:
        if not known:
            raise
        discard(build.tree)
        _configure(build)


def compile_all(build: CMakeBuild) -> None:
    """Compile and link everything that is out of date.

    Raises:
        CompileError: the compiler or the linker says no.
    """
    _run(build, "--build", build.tree)


def install(build: CMakeBuild, target: Path, destdir: Path) -> None:
    """Install into ``target``, below ``destdir``: absolute destinations must not reach this machine.

    Raises:
        CompileError: an install rule failed.
    """
    _run(build, "--install", build.tree, "--prefix", target, env={**build.env, "DESTDIR": str(destdir)})


def arguments(build: CMakeBuild) -> Iterator[str]:
    """Yield CMake's configure arguments in order."""
    python = build.prefix / "bin" / "python"
    yield from ("-S", str(build.source), "-B", str(build.tree), "-G", "Ninja", "--no-warn-unused-cli")
    yield f"-DCMAKE_BUILD_TYPE={build.build_type}"
    # By name, because the PATH is not searched (see below).
    yield f"-DCMAKE_MAKE_PROGRAM={process.which('ninja', build.env) or 'ninja'}"
    yield f"-DCMAKE_C_COMPILER={build.compiler.cc}"
    yield f"-DCMAKE_CXX_COMPILER={build.compiler.cxx}"
    yield f"-DCMAKE_PREFIX_PATH={_list(prefixes_of(build.prefix))}"
    if modules := announced(build.prefix, "cmake.module"):
        yield f"-DCMAKE_MODULE_PATH={_list(modules)}"
    # Against the host environment and nothing else: no /usr, no registry of earlier builds.
    yield "-DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF"
    yield "-DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF"
    yield "-DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF"
    yield "-DCMAKE_FIND_USE_SYSTEM_PACKAGE_REGISTRY=OFF"
    # Every spelling of "which Python": FindPython, FindPython3 and the one of pybind11.
    for module in ("Python", "Python3"):
        yield f"-D{module}_ROOT_DIR={build.prefix}"
        yield f"-D{module}_EXECUTABLE={python}"
        yield f"-D{module}_FIND_STRATEGY=LOCATION"
    yield f"-DPYTHON_EXECUTABLE={python}"
    # No run path in build tree or stage: one untouched stage is relinked twice, for wheel and conda.
    yield "-DCMAKE_SKIP_RPATH=ON"
    yield from build.arguments


def _list(paths: Sequence[Path]) -> str:
    return ";".join(map(str, paths))


def flag_variables(build: CMakeBuild) -> dict[str, str]:
    """Return CFLAGS and CXXFLAGS: those of the environment, the path maps, and for C++ the table's own flags.

    CMake reads them at the first configure (cmake-envvars(7)); CPPFLAGS it does not know, so both languages get them.
    """
    both = build.env.get("CPPFLAGS", "")
    return {
        "CFLAGS": " ".join(filter(None, [both, build.env.get("CFLAGS", ""), _path_maps(build)])),
        "CXXFLAGS": " ".join(
            filter(None, [both, build.env.get("CXXFLAGS", ""), _path_maps(build), *build.flags])
        ),
    }


def _path_maps(build: CMakeBuild) -> str:
    """Return the compiler flags that keep this machine's paths out of the code."""
    maps = [(build.tree, "/build"), (build.source, "/source"), (build.prefix, "/host")]
    return shlex.join(f"-ffile-prefix-map={path}={name}" for path, name in maps)


def _configure(build: CMakeBuild) -> None:
    build.tree.mkdir(parents=True, exist_ok=True)
    ask(build.tree)
    env = {**build.env, **flag_variables(build), "LDFLAGS": _linker_flags(build)}
    _run(build, *arguments(build), env=env)


def _run(build: CMakeBuild, *words: str | os.PathLike[str], env: Mapping[str, str] | None = None) -> None:
    process.run(["cmake", *words], env=env or build.env, cwd=build.source, log=build.log, timeout=build.limit)


def _linker_flags(build: CMakeBuild) -> str:
    """Let the linker see libraries of libraries without writing a run path (ld(1), -rpath-link)."""
    given = build.env.get("LDFLAGS", "")
    if build.compiler.family == "apple-clang" or build.env.get("MACOSX_DEPLOYMENT_TARGET"):
        return given
    return f"{given} {shlex.quote(f'-Wl,-rpath-link,{build.prefix}/lib')}".strip()


def _require_cmakelists(source: Path) -> None:
    if not os.access(source / "CMakeLists.txt", os.R_OK):
        raise CompileError(
            f'"{source / "CMakeLists.txt"}" is not there or not readable',
            hint="set tool.diptych.source to its folder",
        )


def project_version(tree: Path) -> str:
    """Return the version that CMake's ``project()`` was given, as its cache has it; empty when it was given none."""
    try:
        cache = (tree / "CMakeCache.txt").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = re.search(r"^CMAKE_PROJECT_VERSION:STATIC=(.*)$", cache, re.MULTILINE)
    return found[1].strip() if found else ""
