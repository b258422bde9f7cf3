"""The channel of one compiler: what it holds already is kept, what a request needs besides is compiled."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from diptych.build.toolenv import steering
from diptych.channel import index
from diptych.channel.conda_file import CondaFile, write
from diptych.channel.package import Package
from diptych.channel.runtimes import with_needs
from diptych.config import LibrarySpec
from diptych.environments import Environment
from diptych.errors import HostEnvironmentError
from diptych.libraries import boost, project, source
from diptych.libraries.making import Build, Making, compiled
from diptych.libraries.plan import BOOST, DEVEL, HEADERS, PYTHON, Plan
from diptych.matrix import Platform
from diptych.packages.specs import name_of
from diptych.store import Store, copy_file, digest, read_json, write_json, write_text

_FORMAT = 1
"""Raised when what is written changes."""
_FOLDER, _FILE = "compiled", "file.json"


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """The channel of a compiler, holding what was asked for.

    Attributes:
        url: ``file://`` and the folder.
        packages: its packages that the request needs.
        made: how many of them this call has made.
    """

    url: str
    packages: tuple[CondaFile, ...]
    made: int


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a cell needs.

    Attributes:
        plan: which libraries, for which compiler.
        python: the cell's, such as ``3.11``.
        platform: conda's name of the cell's.
        compiler_env: variables of every call of the compiler.
        environment: makes the environment with Python and NumPy that Boost.Python compiles against, in an empty folder.
        root: the folder that relative paths of sources start from.
        store: keeps sources, and the channel.
        env: the process environment.
        logs: the folder for the output of CMake.
        say: told what is being done.
    """

    plan: Plan
    python: str
    platform: Platform
    compiler_env: Mapping[str, str]
    environment: Callable[[Path], Environment]
    root: Path
    store: Store
    env: Mapping[str, str]
    logs: Path
    say: Callable[[str], None]

    @property
    def channel(self) -> Path:
        """The folder of the compiler's channel."""
        return (self.store.root / _FOLDER / self.plan.folder).absolute()


def ensure(request: Request) -> Compiled:
    """Make the compiler's channel hold what is planned, unless it does.

    Raises:
        ChannelError: a source cannot be had or is not what it should be.
        CompileError: a library does not compile.
        HostEnvironmentError: a library is of another version than the cell asks for, or what it compiles against cannot be solved.
    """
    with (
        request.store.lock(f"compiled-{request.plan.folder}"),
        tempfile.TemporaryDirectory(prefix="diptych-library-") as scratch,
    ):
        found = [
            one for library in request.plan.libraries for one in _library(request, library, Path(scratch))
        ]
        index.refresh(request.channel, say=request.say)
    files = tuple(one.file for one in found)
    check_versions(request.plan, files)
    return Compiled(url=request.channel.as_uri(), packages=files, made=sum(one.made for one in found))


def is_compiled(url: str) -> bool:
    """Tell whether a package is from the channel of a compiler, of this checkout or another."""
    return url.startswith("file://") and f"/.diptych/{_FOLDER}/" in url


def names_in(channels: Iterable[str], *, store: Store) -> frozenset[str]:
    """Return the names of the packages in those channels that compilers have."""
    own = f"{(store.root / _FOLDER).absolute().as_uri()}/"
    folders = [Path(unquote(urlsplit(url).path)) for url in channels if url.startswith(own)]
    return frozenset(one.file.name for folder in folders for one in index.all_records(folder))


def record(root: Path, key: str, file: CondaFile, origin: Mapping[str, object]) -> None:
    """Record a package in the place of the one of that name, for that Python, from an earlier state of the source.

    Of two with one version a solver might take either.

    Args:
        root: the channel's folder, which has the package.
        key: the hash of all that went into it.
        file: the package.
        origin: where its contents came from.
    """
    index.forget(root, lambda other: other.name == file.name and _python_of(other) == _python_of(file))
    index.write_record(root, key, file, origin)


def _python_of(file: CondaFile) -> str:
    found = re.match(r"py\d+t?_", file.build)
    return found[0] if found else ""


def check_versions(plan: Plan, files: Sequence[CondaFile]) -> None:
    """Refuse a request for a version that the source is not.

    Raises:
        HostEnvironmentError: naming both.
    """
    import rattler  # noqa: PLC0415 -- 50 ms, and only where something is compiled

    versions = {file.name: file.version for file in files}
    wrong = [
        (spec, versions[name_of(spec)])
        for spec in plan.specs
        if (wanted := rattler.MatchSpec(spec).version)
        and not rattler.VersionSpec(wanted).matches(rattler.Version(versions[name_of(spec)]))
    ]
    if wrong:
        spec, version = wrong[0]
        raise HostEnvironmentError(
            f'the table asks for "{spec}", and the source that {plan.compiler.name} compiles is {version}',
            hint="change the version in host, or name another source in [tool.diptych.libraries]",
        )


def state(plan: Plan, root: Path) -> list[str]:
    """Return what tells the sources of a plan from earlier states of them, and how they are compiled.

    Args:
        plan: the plan.
        root: the folder that relative paths of sources start from.
    """
    return [
        digest(asdict(library), source.state(library, root, _select(library))) for library in plan.libraries
    ]


def _select(library: LibrarySpec) -> source.Select:
    return boost.select if library.name == BOOST else project.select


def _library(request: Request, library: LibrarySpec, scratch: Path) -> list[_Kept]:
    place = source.Place(root=request.root, store=request.store, env=request.env, say=request.say)
    found = source.find(library, place, _select(library))
    make = _boost if library.name == BOOST else _project
    return make(_Job(request=request, library=library, found=found, place=place, scratch=scratch))


@dataclass(frozen=True, kw_only=True)
class _Kept:
    file: CondaFile
    made: bool


@dataclass(frozen=True, kw_only=True)
class _Job:
    request: Request
    library: LibrarySpec
    found: source.Source
    place: source.Place
    scratch: Path

    def key(self, name: str, *, python: str = "") -> str:
        request = self.request
        chosen = (steering(request.env), dict(request.compiler_env), self.library.cmake_args)
        return digest(_FORMAT, name, self.found.sha256, request.plan.key, python, chosen)

    def kept(self, key: str) -> _Kept | None:
        known = index.read_record(self.request.channel, key)
        return _Kept(file=known.file, made=False) if known else None

    def put(self, key: str, package: Package) -> _Kept:
        file = write(with_needs(package), self.request.channel)
        record(self.request.channel, key, file, package.origin)
        return _Kept(file=file, made=True)

    def making(self, tree: Path, version: str, *, python: str = "") -> Making:
        compiler = self.request.plan.compiler
        facts = ("name", "family", "version", "target", "library", "library_version", "abi", "glibc")
        return Making(
            name=self.library.name,
            tree=tree,
            version=version,
            python=python,
            abi=self.request.plan.abi,
            subdir=self.request.platform,
            origin={
                "kind": "source",
                **self.found.origin,
                "compiler": {name: getattr(compiler, name) for name in facts},
                "flags": list(self.request.plan.flags),
            },
        )

    def build(self, tree: Path, cmake: Path, prefix: Path, *arguments: str) -> Build:
        request = self.request
        return Build(
            name=self.library.name,
            source=cmake,
            tree=tree,
            prefix=prefix,
            compiler=request.plan.compiler,
            flags=request.plan.flags,
            compiler_env=request.compiler_env,
            arguments=(*arguments, *self.library.cmake_args),
            env=request.env,
            log=request.logs / f"{self.library.name}.log",
        )


def _boost(job: _Job) -> list[_Kept]:
    request = job.request
    keys = {name: job.key(name, python=request.python) for name in (PYTHON, DEVEL)}
    known = [job.kept(job.key(HEADERS)), *map(job.kept, keys.values())]
    found = [one for one in known if one]
    if len(found) == len(known):
        return found
    tree = source.unpacked(job.found, job.place, boost.select)
    version = boost.version_of(tree)
    return [_headers(job, tree, version), *_boost_python(job, tree, version, keys)]


def _headers(job: _Job, tree: Path, version: str) -> _Kept:
    """Return the package of Boost's headers, which is written once for all compilers."""
    key = job.key(HEADERS)
    if kept := job.kept(key):
        return kept

    def make(folder: Path) -> None:
        making = replace(job.making(tree, version), origin={"kind": "source", **job.found.origin})
        job.request.say(f"packing the headers of Boost {version}")
        write_json(folder / _FILE, asdict(write(boost.headers(making), folder)))

    once = digest(_FORMAT, HEADERS, job.found.sha256, job.request.platform)
    folder, made = job.request.store.entry("sources", once, make)
    file = CondaFile(**read_json(folder / _FILE))
    channel = job.request.channel
    copy_file(folder / file.subdir / file.filename, channel / file.subdir / file.filename)
    record(channel, key, file, {"kind": "source", **job.found.origin})
    return _Kept(file=file, made=made)


def _boost_python(job: _Job, tree: Path, version: str, keys: Mapping[str, str]) -> Iterator[_Kept]:
    request, started = job.request, time.monotonic()
    request.say(f"compiling Boost.Python {version} with {request.plan.compiler.name}")
    environment = request.environment(job.scratch / "host")
    numpy = environment.find("numpy")
    cmake = job.scratch / "boost"
    write_text(cmake / "CMakeLists.txt", boost.cmakelists(version))
    build = job.build(tree, cmake, environment.prefix, f"-DBOOST_TREE={tree}")
    installed = compiled(build, job.scratch, numpy=numpy.version if numpy else "")
    making = job.making(tree, version, python=request.python)
    making = replace(making, origin={**making.origin, "python": request.python, "numpy": installed.numpy})
    for package in boost.packages(making, installed):
        yield job.put(keys[package.name], package)
    request.say(f"compiled Boost.Python {version} in {time.monotonic() - started:.1f} s")


def _project(job: _Job) -> list[_Kept]:
    key = job.key(job.library.name)
    if kept := job.kept(key):
        return [kept]
    tree = source.unpacked(job.found, job.place, project.select)
    job.request.say(f"compiling {job.library.name} with {job.request.plan.compiler.name}")
    scratch = job.scratch / job.library.name
    empty = scratch / "host"
    empty.mkdir(parents=True)
    installed = compiled(job.build(tree, tree, empty), scratch)
    return [job.put(key, project.package(job.making(tree, installed.version), installed))]
