"""Libraries that a wheel takes from another distribution of PyPI instead of a copy of its own, so that both share one.

Boost.Python keeps one registry of converters a library: with unlike copies in two wheels, a type of the one is unknown to the other (Boost.Python
Reference, "boost/python/converter/registry.hpp"). Wheels of one environment lie side by side in site-packages, so a run path leads from one to the other.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from packaging.version import InvalidVersion, Version

from diptych import process
from diptych.archives import open_package
from diptych.binaries import Binary, read, read_file
from diptych.environments import Environment
from diptych.errors import PackageError, ProcessError, UnsupportedError
from diptych.interpreters import identity
from diptych.store import Store, digest

_KIND = "share"
_LIBRARY = re.compile(r"\.so[.\d]*$")
_SONAME = re.compile(r"\.so\.(\d+(?:\.\d+)*)$")
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Sibling:
    """A distribution that libraries are taken from.

    Attributes:
        project: its name on PyPI.
        requirement: the Requires-Dist line that the wheel gets (PEP 508).
        libraries: SONAME → the library's place below site-packages.
    """

    project: str
    requirement: str
    libraries: Mapping[str, PurePosixPath]


@dataclass(frozen=True, kw_only=True)
class SiblingJob:
    """What siblings are looked for with.

    Attributes:
        projects: ``share`` of the table.
        platform: conda's name of it.
        environment: the host environment, which the modules were linked against.
        binaries: the modules, by name.
        needed: what each of them needs, without what was dropped.
        store: where wheels of siblings are kept.
        env: the environment of pip.
        log: where its output goes.
    """

    projects: tuple[str, ...]
    platform: str
    environment: Environment
    binaries: Mapping[str, Binary]
    needed: Mapping[str, tuple[str, ...]]
    store: Store
    env: Mapping[str, str]
    log: Path


def find_siblings(job: SiblingJob) -> tuple[Sibling, ...]:
    """Find the libraries of each distribution that the modules need, and hold its symbols against what they use.

    Raises:
        UnsupportedError: the platform is not Linux.
        PackageError: a distribution has no wheel of the version that was linked, no library that is needed, or lacks symbols.
    """
    if job.projects and not job.platform.startswith("linux"):
        raise UnsupportedError(
            f"share is for Linux, and this is {job.platform}", hint="leave it out for this platform"
        )
    return tuple(_sibling(job, project) for project in job.projects)


def _sibling(job: SiblingJob, project: str) -> Sibling:
    linked = dict(_linked(job))
    wheel = _wheel(job, project, linked)
    with open_package(wheel) as package:
        members = {PurePosixPath(one.name).name: one for one in package.payload if _LIBRARY.search(one.name)}
        taken = {name: members[name] for name in linked if name in members}
        if not taken:
            raise PackageError(
                f'share: "{project}" has none of the libraries that the modules need',
                details=[
                    f"needed: {', '.join(sorted(linked)) or 'none of the host environment'}",
                    f"looked into: {wheel.name}",
                ],
                hint="name the distribution that has them, or leave it out of tool.diptych.share",
            )
        for name, member in taken.items():
            _require_symbols(job, project, name, read(package.read(member), name, symbols=True)[0])
        version = package.version
    bounds = sorted({bound_of(name, version) for name in taken})
    return Sibling(
        project=project,
        requirement=f"{project} {','.join(bounds)}",
        libraries={name: PurePosixPath(member.name) for name, member in taken.items()},
    )


def _linked(job: SiblingJob) -> Iterator[tuple[str, str]]:
    """Yield each needed library of the host environment with its package's version."""
    owners = job.environment.owners
    for name in sorted({name for needed in job.needed.values() for name in needed}):
        owner = job.environment.find(owners.get(f"lib/{name}", ""))
        if owner:
            yield name, owner.version


def _wheel(job: SiblingJob, project: str, linked: Mapping[str, str]) -> Path:
    """Return the sibling's wheel: of the version that a needed library's package has, which was linked."""
    word = project.rpartition("-")[2]
    likely = sorted(linked.items(), key=lambda item: word not in item[0])
    faults: list[str] = []
    for version in dict.fromkeys(version for _, version in likely):
        python = job.environment.python

        def fetch(empty: Path, version: str = version) -> None:
            command = [
                sys.executable,
                "-m",
                "pip",
                "--python",
                str(job.environment.python),
                "download",
                "--quiet",
            ]
            options = ["--no-deps", "--only-binary=:all:", "--dest", str(empty), f"{project}=={version}.*"]
            process.run([*command, *options], env=job.env, cwd=empty, log=job.log)

        try:
            folder, _ = job.store.entry(_KIND, digest(project, version, identity(python)), fetch)
        except ProcessError as error:
            faults += [line for line in error.details if "ERROR" in line] or [error.summary]
            continue
        return next(folder.glob("*.whl"))
    raise PackageError(
        f'share: PyPI has no wheel of "{project}" in the version that was linked',
        details=faults or ["the modules need no library of the host environment"],
        hint="pin the library in tool.diptych.host to a version that the distribution has",
    )


def bound_of(soname: str, version: str) -> str:
    """Return the versions of a distribution in which a library has this SONAME, as PEP 440 writes them.

    A SONAME changes with the ABI: the numbers in it are those of a release's version that may not change.

    Args:
        soname: such as ``libboost_python311.so.1.90.0``.
        version: of the distribution that has it.
    """
    found = _SONAME.search(soname)
    try:
        release = Version(version).release
    except InvalidVersion:
        return f"=={version}"
    numbers = tuple(map(int, found[1].split("."))) if found else ()
    if not numbers or release[: len(numbers)] != numbers:
        return f"=={version}"
    following = (*numbers[:-1], numbers[-1] + 1)
    return f">={version},<{'.'.join(map(str, following))}"


def _require_symbols(job: SiblingJob, project: str, name: str, theirs: Binary) -> None:
    """Refuse a library of the same name that lacks what the modules use of the one that was linked: another ABI."""
    ours = read_file(job.environment.prefix / "lib" / name, symbols=True)[0]
    used = {
        symbol.name
        for module, needed in job.needed.items()
        if name in needed
        for symbol in job.binaries[module].symbols or ()
        if not symbol.defined
    }
    lacking = sorted(used & _defined(ours) - _defined(theirs))
    if lacking:
        more = [f"and {len(lacking) - _SHOWN} more"] if len(lacking) > _SHOWN else []
        raise PackageError(
            f'share: {name} of "{project}" has another ABI than the one that was linked: it lacks symbols',
            details=[*lacking[:_SHOWN], *more],
            hint="link the distribution's own build of the library, or graft: leave it out of tool.diptych.share",
        )


def _defined(binary: Binary) -> set[str]:
    return {symbol.name for symbol in binary.symbols or () if symbol.defined}
