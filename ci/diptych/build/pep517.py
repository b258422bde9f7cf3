"""The builder for any project: its own PEP 517 backend builds the wheel once, and the unpacked wheel is the stage.

The backend runs in an isolated environment of the cell's own Python (or in the host environment itself, ``build-isolation = false``),
on a copy of the sources that is kept, so that an edit compiles what it has to and no more. What it compiles against is the host
environment: compilers find headers and libraries there by CPATH's kind of variables, CMake by CMAKE_PREFIX_PATH, pkg-config by PKG_CONFIG_PATH.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from packaging.tags import Tag

from diptych.archives import Package, open_package
from diptych.archives.record import same_version
from diptych.archives.unpacking import unpack
from diptych.binaries import find_binaries, read_file
from diptych.build.announced import prefixes_of
from diptych.build.backend import Backend
from diptych.build.cargo import linking
from diptych.build.job import BuildEnvironment, CompileJob, compile_log, compile_output
from diptych.build.layout import SITE
from diptych.build.mirror import lend_git, mirror
from diptych.build.missing import lacking
from diptych.build.objects import launcher
from diptych.build.outside_files import check_links
from diptych.build.toolenv import tool_environment
from diptych.compilers import Compiler
from diptych.config.buildsystem import build_system_of
from diptych.config.forms import seconds
from diptych.errors import CompileError, PackageError
from diptych.inputs import inputs_of
from diptych.pythons import STABLE, abi_tag, interpreter_tag, numbers, stable_abi_tag
from diptych.store import sha256_file

INFO, EXTRA = "info", "extra"
# Where each backend keeps its build folder between runs, when it is told.
_BUILD_FOLDER = {"scikit_build_core": "build-dir", "mesonpy": "builddir"}
_CMAKE = (
    "-DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF",
    "-DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF",
    "-DCMAKE_FIND_USE_SYSTEM_PACKAGE_REGISTRY=OFF",
    # No run path in the stage: it is relinked twice, for wheel and conda.
    "-DCMAKE_SKIP_RPATH=ON",
)
_SHOWN = 8
# CMake's CMakeDetermineCompilerId.cmake; Meson's interpreter/compiler.py.
_IDENTIFIED = (
    re.compile(r"The (?:C|CXX) compiler identification is (?P<family>\w+) (?P<version>[\d.]+)"),
    re.compile(r"(?:C|C\+\+) compiler for the host machine: .*?\((?P<family>\w+) (?P<version>[\d.]+)"),
)
_SCHEMES = {"purelib": SITE, "platlib": SITE, "scripts": EXTRA, "headers": EXTRA, "data": EXTRA}


def make(job: CompileJob, tree: Path, empty: Path) -> dict[str, Path]:
    """Build the wheel and lay it out below ``empty``; return where each file of the stage came from, as far as it is source.

    Args:
        job: the inputs.
        tree: the cell's own folder for the copy of the sources and the backend's build folder.
        empty: gets ``site``, ``info`` with the ``.dist-info``, and ``extra`` with what goes elsewhere than site-packages.

    Raises:
        PackageError: the backend failed, with its last lines.
        CompileError: what it made is no wheel of this project with compiled code for this Python.
        LinkageError: something was linked from outside the cell.
    """
    compile_log(job.store, job.cell).unlink(missing_ok=True)
    built = empty / "built"
    built.mkdir()
    with _writes_nothing_into(job.environment.prefix, job):
        wheel = wheel_of(job, tree, built)
    with open_package(wheel) as package:
        _check_tags(package, job)
        unpack(package, empty / "wheel")
    lay_out(empty / "wheel", empty)
    shutil.rmtree(built)
    _check_compiled(empty / SITE, job)
    check_links(empty / SITE, environment=job.environment, sanitizer=job.compiler.sanitizer)
    return origins(empty / SITE, job.sources.files, job.sources.folder)


def wheel_of(job: CompileJob, tree: Path, built: Path) -> Path:
    """Let the backend leave its wheel in ``built``, an empty folder.

    Raises:
        PackageError: the backend failed, with its last lines.
        CompileError: it left something else.
    """
    with _lacking_told(job):
        within = job.within or environment_of(job, tree)
        return _only_wheel(_backend(job, tree).build("wheel", built, within), built, job)


def environment_of(job: CompileJob, tree: Path) -> BuildEnvironment:
    """Return what the project's backend builds the cell's wheel in; the backend is asked in the copy of the sources.

    Raises:
        PackageError: with the last lines of the backend, pip or uv.
    """
    with _lacking_told(job):
        return _backend(job, tree).environment("wheel", inputs_of("compile", job).values)


@contextmanager
def _lacking_told(job: CompileJob) -> Iterator[None]:
    """Name what the sources lack, when the build has failed."""
    try:
        yield
    except PackageError as error:
        output = "\n".join([compile_output(job), *error.details])
        found = lacking(job.sources.folder, output, env=job.env)
        if found is None:
            raise
        raise PackageError(error.summary, details=[*error.details, found.detail], hint=found.hint) from error


@contextmanager
def _writes_nothing_into(environment: Path, job: CompileJob) -> Iterator[None]:
    """Refuse a backend that changes the host environment: the next build would find what this one left.

    Raises:
        CompileError: naming the files.
    """
    before = _times(environment)
    yield
    after = _times(environment)
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if changed:
        more = [f"and {len(changed) - _SHOWN} more"] if len(changed) > _SHOWN else []
        raise CompileError(
            f"{job.cell}: the build backend wrote into the host environment, outside its own folder",
            details=[*changed[:_SHOWN], *more],
            hint=f'let it install into the wheel alone, and remove "{environment}": the next run makes it anew',
        )


def _times(folder: Path) -> dict[str, int]:
    """Return each file below a folder with the time of its last change, without what Python keeps for itself."""
    found = {}
    folders = [str(folder)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    found[entry.path] = entry.stat(follow_symlinks=False).st_mtime_ns
                elif entry.name not in {"__pycache__", "conda-meta"}:
                    folders.append(entry.path)
    return found


def _backend(job: CompileJob, tree: Path) -> Backend:
    """Return the project's backend as the cell runs it: in a copy of the sources."""
    settings, copy = job.settings, tree / "source"

    def bring() -> None:
        copy.mkdir(parents=True, exist_ok=True)
        mirror(job.sources.files, job.sources.folder, copy)
        lend_git(job.sources.folder, copy, env=job.env)

    return Backend(
        project=job.sources.folder,
        source=copy,
        python=job.environment.python,
        store=job.store,
        env=job.env,
        log=compile_log(job.store, job.cell),
        given=lambda home: _variables(job, tree, home),
        settings={**_kept_folder(job.sources.folder, tree), **settings.config_settings},
        isolated=settings.build_isolation,
        limit=seconds(settings.build_limit),
        bring=bring,
    )


def _kept_folder(project: Path, tree: Path) -> dict[str, str]:
    setting = _BUILD_FOLDER.get(build_system_of(project).backend.partition(".")[0])
    return {setting: str(tree / "backend")} if setting else {}


def _variables(job: CompileJob, tree: Path, home: Path) -> dict[str, str]:
    """Return the environment of the backend: the cell's compiler, and where the host environment has what it compiles against."""
    settings, prefix = job.settings, job.environment.prefix
    prefixes = prefixes_of(prefix)
    extra = {**settings.env, **job.compiler_env}
    env = tool_environment(job.env, prefix=prefix, compiler=job.compiler.cxx, extra=extra)
    rust = {}
    if job.cargo is not None:
        rust = linking(platform=job.platform, linker=job.compiler.cc)
        env["PATH"] = os.pathsep.join([env["PATH"], str(job.cargo.program.parent)])
    # Where two fit, compilers take the last (gcc(1), -ffile-prefix-map).
    maps = {tree: "/build", tree / "source": "/source", prefix: "/host", home: "/backend"}
    neutral = shlex.join(f"-ffile-prefix-map={path}={name}" for path, name in maps.items())
    kept = {}
    if job.objects is not None:
        words = launcher(tree, objects=job.objects, names=maps, compiler=job.compiler)
        kept = {f"CMAKE_{language}_COMPILER_LAUNCHER": words for language in ("C", "CXX")}
    links = shlex.quote(f"-Wl,-rpath-link,{prefix}/lib") if job.platform.startswith("linux") else ""
    cxx = " ".join(job.flags)
    return {
        **env,
        "CC": str(job.compiler.cc),
        "CXX": str(job.compiler.cxx),
        "CMAKE_PREFIX_PATH": os.pathsep.join(map(str, prefixes)),
        "CMAKE_ARGS": shlex.join(
            [*_CMAKE, f"-DCMAKE_BUILD_TYPE={settings.build_type}", *settings.cmake_args]
        ),
        "CMAKE_GENERATOR": "Ninja",
        **kept,
        **rust,
        "PKG_CONFIG_PATH": ":".join(
            f"{one}/{folder}/pkgconfig" for one in prefixes for folder in ("lib", "share")
        ),
        "PKG_CONFIG_LIBDIR": f"{prefix}/lib/pkgconfig",
        "GIT_OPTIONAL_LOCKS": "0",
        # cmeel calls the target `test` while it builds, which a project without CTest lacks; tests are run from the stage.
        "CMEEL_RUN_TESTS": "OFF",
        # What a backend puts into archives and generated files.
        "PYTHONHASHSEED": "0",
        **extra,
        # With those of the table and of the person, which are in `env`.
        "CFLAGS": _joined(env, "CFLAGS", neutral),
        "CXXFLAGS": _joined(env, "CXXFLAGS", f"{neutral} {cxx}"),
        "LDFLAGS": _joined(env, "LDFLAGS", links),
    }


def _joined(env: Mapping[str, str], name: str, more: str) -> str:
    return f"{env.get(name, '')} {more}".strip()


def _only_wheel(wheel: Path, folder: Path, job: CompileJob) -> Path:
    """Return the wheel that a backend says it left in a folder.

    Raises:
        CompileError: there is something else.
    """
    found = sorted(path.name for path in folder.iterdir())
    if found != [wheel.name] or wheel.suffix != ".whl":
        raise CompileError(
            f"{job.cell}: the build backend should leave one wheel",
            details=[f"it left {', '.join(found) or 'nothing'}, and said {wheel.name}"],
            hint="what it does is in pyproject.toml, [build-system]",
        )
    return wheel


def _check_tags(package: Package, job: CompileJob) -> None:
    """Refuse a wheel of another version, another Python, or without platform."""
    said = job.version
    name = package.path.name
    if said is not None and not same_version(said, package.version):
        raise CompileError(
            f"{job.cell}: the build backend made version {package.version}; pyproject.toml says {said}",
            hint="one of the two is stale: is the version written in a second place?",
        )
    if all(tag.platform == "any" for tag in package.tags):
        raise CompileError(
            f'{job.cell}: "{name}" is a pure wheel: the build backend compiled nothing',
            hint="what turns its extension on? a variable goes into [tool.diptych.env], a setting into config-settings",
        )
    if not any(fits(tag, job.python) for tag in package.tags):
        raise CompileError(
            f'{job.cell}: "{name}" is for another Python than {job.python}',
            hint="does the build start an interpreter of its own instead of the one that runs it?",
        )


def fits(tag: Tag, python: str) -> bool:
    """Tell whether a Python may install a tag; one without the GIL has ABIs of its own (PEP 703, PEP 803), which abi3 is not."""
    if tag.abi in STABLE:
        floor = re.fullmatch(r"cp(\d)(\d+)", tag.interpreter)
        older = floor is not None and (int(floor[1]), int(floor[2])) <= numbers(python)
        return older and tag.abi == stable_abi_tag(python)
    own = interpreter_tag(python)
    return tag.interpreter in {own, "py3", f"py{own[2:]}"} and tag.abi in {abi_tag(python), "none"}


def lay_out(wheel: Path, empty: Path) -> None:
    """Move the members of an unpacked wheel to where they will be (binary distribution format, "Installing a wheel").

    Args:
        wheel: the folder that it was unpacked into; it is removed.
        empty: gets ``site``, ``info`` with the ``.dist-info``, and ``extra``, unless there is nothing for it.
    """
    for part in (SITE, INFO):
        (empty / part).mkdir()
    for path in sorted(wheel.iterdir()):
        if path.name.endswith(".data") and path.is_dir():
            for scheme in sorted(path.iterdir()):
                into = empty / _SCHEMES.get(scheme.name, EXTRA)
                into = into if into.name == SITE else into / scheme.name
                shutil.copytree(scheme, into, dirs_exist_ok=True)
        else:
            into = empty / (INFO if path.name.endswith(".dist-info") else SITE)
            path.rename(into / path.name)
    shutil.rmtree(wheel)


def _check_compiled(site: Path, job: CompileJob) -> None:
    """Refuse a wheel without binaries, and binaries that no compiler of the cell's kind has made."""
    binaries = {path: read_file(path)[0] for path in find_binaries(site)}
    if not binaries:
        raise CompileError(
            f"{job.cell}: the wheel of the build backend holds no binary",
            hint="an optional extension that failed to compile? its messages are in "
            f'"{compile_log(job.store, job.cell)}"',
        )
    tools = [tool for binary in binaries.values() for tool in binary.build_tools]
    name = {"gcc": "GCC", "clang": "clang"}.get(job.compiler.family, "")
    others = other_compilers(compile_output(job), job.compiler)
    if others and job.compiler.name != "zig":
        raise CompileError(
            f"{job.cell}: the build backend says that it compiles with another compiler than {name} {job.compiler.version}",
            details=others,
            hint=f"the build ignores CC={job.compiler.cc} and CXX={job.compiler.cxx}: does it name a compiler of its own?",
        )
    if tools and name and not any(name in tool and job.compiler.version in tool for tool in tools):
        raise CompileError(
            f"{job.cell}: the binaries were not compiled by {job.compiler.family} {job.compiler.version}",
            details=sorted(set(tools)),
            hint=f"the build ignores CC={job.compiler.cc} and CXX={job.compiler.cxx}: does it name a compiler of its own?",
        )


def other_compilers(output: str, compiler: Compiler) -> list[str]:
    """Return the lines in which CMake or Meson name a compiler for C or C++ that is not the cell's.

    A stripped binary does not say what has compiled it; these two do, whenever they configure.

    Args:
        output: of the build backend.
        compiler: the cell's; nothing is told of a family that the two have no plain name for.
    """
    family = {"gcc": ("gnu", "gcc"), "clang": ("clang", "clang")}.get(compiler.family)
    if family is None:
        return []
    said = [found for pattern in _IDENTIFIED for found in pattern.finditer(output)]
    return [
        found[0].strip()
        for found in said
        if found["family"].lower() not in family or found["version"] != compiler.version
    ]


def origins(site: Path, files: list[Path], source: Path) -> dict[str, Path]:
    """Return the source file of each file of the stage that is byte for byte one: the one whose path ends most like it."""
    by_name: dict[str, list[Path]] = {}
    for file in files:
        by_name.setdefault(file.name, []).append(file)
    found = {}
    for path in sorted(site.rglob("*")):
        if path.is_file() and (same := list(_same_files(path, by_name.get(path.name, [])))):
            name = path.relative_to(site)
            found[name.as_posix()] = max(same, key=lambda file: _common_end(name, file.relative_to(source)))
    return found


def _same_files(path: Path, candidates: list[Path]) -> Iterator[Path]:
    size = path.stat().st_size
    hashed = ""
    for file in candidates:
        if file.is_file() and file.stat().st_size == size:
            hashed = hashed or sha256_file(path)
            if sha256_file(file) == hashed:
                yield file


def _common_end(one: Path, other: Path) -> int:
    count = 0
    for left, right in zip(reversed(one.parts), reversed(other.parts), strict=False):
        if left != right:
            break
        count += 1
    return count
