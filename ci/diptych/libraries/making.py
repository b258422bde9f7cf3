"""Compile a library with a cell's compiler: CMake configures, builds and installs it into an empty folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from diptych.build.cmake import CMakeBuild, compile_all, configure, install, project_version
from diptych.build.firsterror import first_error
from diptych.build.toolenv import tool_environment
from diptych.channel.package import PackageFile
from diptych.compilers import Compiler
from diptych.errors import CompileError, ProcessError

_PREFIX = Path("/opt/diptych")
_SECONDS = 6 * 3600.0


@dataclass(frozen=True, kw_only=True)
class Making:
    """What the packages of one library are made from.

    Attributes:
        name: the library.
        tree: its source, unpacked.
        version: its version.
        python: the Python that it is for; empty for a library that sees none.
        abi: the C++ ABI, in the letters of a build string.
        subdir: conda's name of the platform.
        origin: source, compiler and channels, for provenance.
    """

    name: str
    tree: Path
    version: str
    python: str
    abi: str
    subdir: str
    origin: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Build:
    """One run of CMake.

    Attributes:
        name: the library.
        source: the folder with CMakeLists.txt.
        tree: the source, unpacked, whose path is not to be in what is compiled.
        prefix: the environment that it compiles against; an empty folder where it needs none.
        compiler: the cell's.
        flags: its flags of the table.
        compiler_env: its variables of the table.
        arguments: of CMake's configure step.
        env: the process environment.
        log: gets all output.
    """

    name: str
    source: Path
    tree: Path
    prefix: Path
    compiler: Compiler
    flags: tuple[str, ...]
    compiler_env: Mapping[str, str]
    arguments: tuple[str, ...]
    env: Mapping[str, str]
    log: Path


@dataclass(frozen=True, kw_only=True)
class Installed:
    """What was installed.

    Attributes:
        files: the files, as below the prefix.
        version: the one that CMake's ``project()`` was given; empty for none.
        numpy: the NumPy that it was compiled against; empty for none.
    """

    files: list[PackageFile]
    version: str = ""
    numpy: str = ""


def compiled(build: Build, scratch: Path, *, numpy: str = "") -> Installed:
    """Compile and install a library.

    Raises:
        CompileError: it does not compile; the first error and the log are named.
    """
    run = CMakeBuild(
        source=build.source,
        tree=scratch / "tree",
        prefix=build.prefix,
        compiler=build.compiler,
        build_type="Release",
        arguments=(f"-DCMAKE_INSTALL_PREFIX={_PREFIX}", "-DCMAKE_INSTALL_LIBDIR=lib", *build.arguments),
        flags=(*build.flags, f"-ffile-prefix-map={build.tree}=/source"),
        env=tool_environment(
            build.env, prefix=build.prefix, compiler=build.compiler.cxx, extra=build.compiler_env
        ),
        log=build.log,
        limit=_SECONDS,
    )
    build.log.unlink(missing_ok=True)
    with _failing(build):
        configure(run)
        compile_all(run)
        install(run, _PREFIX, scratch / "installed")
    root = scratch / "installed" / _PREFIX.relative_to("/")
    files = files_below(root, ".")
    if not files:
        raise CompileError(
            f'CMake installs nothing of "{build.name}"', hint="its CMakeLists.txt needs install()"
        )
    return Installed(files=files, version=project_version(scratch / "tree"), numpy=numpy)


@contextmanager
def _failing(build: Build) -> Iterator[None]:
    try:
        yield
    except ProcessError as error:
        output = build.log.read_text(encoding="utf-8", errors="replace") if build.log.is_file() else ""
        found = first_error(output)
        raise CompileError(
            f'"{build.name}" does not compile with {build.compiler.name}: {error.summary}',
            details=[*(found or error.details), f"whole log: {build.log}"],
            hint=f"another source, or cmake-args, in [tool.diptych.libraries.{build.name}]",
        ) from error


def files_below(root: Path, folder: str) -> list[PackageFile]:
    """Return the files of a folder as files of a package."""
    paths = (path for path in sorted((root / folder).rglob("*")) if path.is_symlink() or path.is_file())
    return [_file(path, path.relative_to(root).as_posix()) for path in paths]


def text_file(path: str, text: str) -> PackageFile:
    """Return a file of a package with a text."""
    return PackageFile(path=path, read=text.encode)


def _file(path: Path, name: str) -> PackageFile:
    return PackageFile(
        path=name,
        read=path.read_bytes,
        executable=".so" in path.name or name.startswith("bin/"),
        link=str(path.readlink()) if path.is_symlink() else "",
    )
