"""Host environments: recorded as a lock, checked before they are trusted, made and rebuilt with py-rattler.

In a nox session nox's own backend makes the prefix (rattler by default; conda, mamba or micromamba when a
person forces one) from the specs that :class:`HostRequest` gives. Outside nox, and for the clean prefixes of
*verify*, :func:`create` does the same.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from diptych.condaclient import Failure, Order, carry_out
from diptych.errors import HostEnvironmentError
from diptych.pythons import is_free_threaded, match_spec, plain
from diptych.store import digest, write_json

STAMP = "conda-meta/diptych.json.stamp"


@dataclass(frozen=True, kw_only=True)
class HostRequest:
    """What an environment shall hold.

    Attributes:
        python: version, "3.11".
        specs: conda match specs beside Python.
        channels: channel names or URLs, highest priority first.
    """

    python: str
    specs: tuple[str, ...]
    channels: tuple[str, ...]

    @property
    def key(self) -> str:
        """Name the request: what a stamp is compared with."""
        return digest(asdict(self))

    def parameters(self) -> tuple[str, ...]:
        """Return the arguments of ``conda create`` and of nox's backends, without Python itself."""
        channels = (word for channel in self.channels for word in ("-c", channel))
        return (*channels, *self.specs)


@dataclass(frozen=True, kw_only=True)
class LockedPackage:
    """One package of an environment, exactly."""

    name: str
    version: str
    build: str
    subdir: str
    url: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A conda environment that can be trusted.

    Attributes:
        prefix: its folder.
        python: its interpreter.
        version: "3.11".
        lock: every package in it, sorted by name.
        channels: where they came from.
        fallback: why the local channel stands in, or an empty string.
    """

    prefix: Path
    python: Path
    version: str
    lock: tuple[LockedPackage, ...]
    channels: tuple[str, ...]
    fallback: str = ""

    @property
    def lock_hash(self) -> str:
        """Hash the packages' contents: equal for two prefixes that hold the same."""
        return digest(self.lock_hashes)

    @property
    def lock_hashes(self) -> dict[str, str]:
        """Return version, build and the start of the content's hash of each package, by its name."""
        return {one.name: f"{one.version} {one.build} {one.sha256[:16]}" for one in self.lock}

    def find(self, name: str) -> LockedPackage | None:
        """Return the package of that name, if it is there."""
        return next((package for package in self.lock if package.name == name), None)

    @cached_property
    def owners(self) -> dict[str, str]:
        """Each file (path relative to the prefix) → the name of the package that brought it."""
        return {name: record["name"] for record in self._installed for name in record.get("files", ())}

    @cached_property
    def depends(self) -> dict[str, tuple[str, ...]]:
        """Each package → the names of those that it depends on."""
        return {
            record["name"]: tuple(str(spec).split()[0] for spec in record.get("depends", ()))
            for record in self._installed
        }

    @cached_property
    def _installed(self) -> tuple[dict[str, Any], ...]:
        return tuple(record for _, record in _metadata(self.prefix))

    def lock_json(self) -> dict[str, Any]:
        """Return the lock as recorded in ``lock.json`` and in provenance."""
        return {
            "python": self.version,
            "channels": self.channels,
            "packages": [asdict(one) for one in self.lock],
        }


def read_lock(prefix: Path) -> tuple[LockedPackage, ...]:
    """Read the installed packages from ``conda-meta`` (written by conda, mamba and rattler alike).

    Raises:
        HostEnvironmentError: a record is damaged.
    """
    return tuple(sorted(_records(prefix), key=lambda package: package.name))


def is_python(found: LockedPackage | None, wanted: str) -> bool:
    """Tell whether a package is the Python wanted, ``3.14`` or ``3.14t``."""
    if found is None or not found.version.startswith(f"{plain(wanted)}."):
        return False
    return bool(re.search(r"_cp\d+t$", found.build)) == is_free_threaded(wanted)


def usable(prefix: Path, request: HostRequest) -> bool:
    """Tell whether ``prefix`` was finished for exactly this request and still holds every file."""
    try:
        stamp = json.loads((prefix / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return (
        stamp.get("key") == request.key
        and all(map(Path.exists, _interpreter_files(prefix)))
        and _complete(prefix)
    )


def adopt(prefix: Path, request: HostRequest, *, fallback: str = "") -> Environment:
    """Check a finished prefix, stamp it as whole, and return it with its lock.

    Raises:
        HostEnvironmentError: it does not hold the Python that was asked for, or files are missing.
    """
    lock = read_lock(prefix)
    environment = Environment(
        prefix=prefix,
        python=prefix / "bin" / "python",
        version=request.python,
        lock=lock,
        channels=request.channels,
        fallback=fallback,
    )
    python = environment.find("python")
    if not is_python(python, request.python):
        found = f"{python.version} {python.build}" if python else "none"
        raise HostEnvironmentError(f'"{prefix}" should hold Python {request.python}; found: {found}')
    if not _complete(prefix):
        raise HostEnvironmentError(
            f'the environment "{prefix}" lacks files that its packages should hold',
            hint="remove that folder and run again",
        )
    write_json(prefix / STAMP, {"key": request.key, **environment.lock_json()})
    return environment


def create(request: HostRequest, prefix: Path, *, env: Mapping[str, str], fallback: str = "") -> Environment:
    """Solve the request and link it into ``prefix``, replacing what is there.

    Raises:
        HostEnvironmentError: no solution, or a package is corrupt or cannot be fetched.
    """
    specs = (match_spec(request.python), *request.specs)
    order = Order(do="create", place=str(prefix), channels=request.channels, specs=specs)
    failure = carry_out(order, env=env)
    if failure is not None and failure.step == "solve":
        raise _unsolved(failure.lines, request)
    _require_linked(failure, prefix)
    return adopt(prefix, request, fallback=fallback)


def rebuild(packages: Sequence[LockedPackage], prefix: Path, *, env: Mapping[str, str]) -> None:
    """Make ``prefix`` again from a lock: the same packages by URL and hash, without solving.

    Raises:
        HostEnvironmentError: a package is gone or its hash differs.
    """
    order = Order(do="link", place=str(prefix), packages=tuple(map(asdict, packages)))
    _require_linked(carry_out(order, env=env), prefix)


def _require_linked(failure: Failure | None, prefix: Path) -> None:
    if failure is None:
        return
    shutil.rmtree(prefix, ignore_errors=True)
    raise HostEnvironmentError(
        f'the environment "{prefix}" cannot be made: {failure.lines[0]}',
        details=failure.lines[1:],
        hint=_link_hint("\n".join(failure.lines)),
    )


def _link_hint(text: str) -> str:
    if "checksum" in text.lower():
        return (
            "the channel's file is not what its index says: index the channel again, or fetch the file anew"
        )
    if "No space left" in text:
        return "free some space on that disk, then run again: finished stages are kept"
    return "nothing is left of it; run again"


def _unsolved(lines: Sequence[str], request: HostRequest) -> HostEnvironmentError:
    wanted = ", ".join((match_spec(request.python), *request.specs))
    return HostEnvironmentError(
        f"no host environment for Python {request.python}: {lines[0]}",
        details=[*lines[1:20], f"wanted: {wanted}", f"channels: {', '.join(request.channels)}"],
        hint="change tool.diptych.host or tool.diptych.channels so that the channels can satisfy it",
    )


def _records(prefix: Path) -> Iterator[LockedPackage]:
    for path, record in _metadata(prefix):
        try:
            yield LockedPackage(
                name=record["name"],
                version=record["version"],
                build=record["build"],
                subdir=record.get("subdir") or "noarch",
                url=record.get("url") or "",
                sha256=record.get("sha256") or "",
            )
        except KeyError as error:
            raise HostEnvironmentError(
                f'"{path}" lacks {error}', hint="remove the environment, run again"
            ) from error


def _metadata(prefix: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted((prefix / "conda-meta").glob("*.json")):
        try:
            yield path, json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise HostEnvironmentError(
                f'"{path}" is damaged: {error}', hint="remove the environment and run again"
            ) from error


def _interpreter_files(prefix: Path) -> tuple[Path, ...]:
    return (prefix / "bin" / "python", prefix / "conda-meta")


def _complete(prefix: Path) -> bool:
    """Compare the files that the packages list with those that are there, folder by folder: no stat each."""
    wanted: dict[str, set[str]] = {}
    try:
        for _, record in _metadata(prefix):
            for name in record.get("files", ()):
                folder, _, base = name.rpartition("/")
                wanted.setdefault(folder, set()).add(base)
    except HostEnvironmentError:
        return False
    return all(names <= _names(prefix / folder) for folder, names in wanted.items())


def _names(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))  # noqa: PTH208 -- names are enough for 20,000 files
    except OSError:
        return set()
