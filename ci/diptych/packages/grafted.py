"""Where the libraries that a wheel brings come from: the conda package of each, found by undoing its hashed name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from diptych.environments import Environment, LockedPackage
from diptych.errors import HostEnvironmentError
from diptych.store import sha256_file

# auditwheel: libz.so.1 becomes libz-HASH.so.1, of the first digits of the file's SHA-256. delocate keeps the name.
_HASHED = re.compile(r"(?P<stem>[^.]+)-(?P<hash>[0-9a-f]{8,64})(?P<rest>(?:\..*)?)")
_TOKEN = re.compile(r"/t/[^/]+")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The conda package that brought a library.

    Attributes:
        package: its entry in the lock.
        licence: what its metadata says, or empty.
        folder: where it lies unpacked in the package cache, if it is still there.
        files: its files below the prefix.
    """

    package: LockedPackage
    licence: str
    folder: Path | None
    files: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Grafted:
    """A library in the wheel that is not the project's own.

    Attributes:
        member: its name in the wheel.
        sha256: of its bytes there, run paths and names edited.
        library: its name before.
        source_sha256: of the file before it was edited, or empty where it is unknown.
        origin: the package that brought it; None for a library of the system.
    """

    member: str
    sha256: str
    library: str
    source_sha256: str = ""
    origin: Origin | None = None


def original_name(name: str) -> str:
    """Undo auditwheel's hashed name of a library; any other name is returned as it is."""
    match = _HASHED.fullmatch(name)
    return match["stem"] + match["rest"] if match else name


def trace(members: Iterable[tuple[str, str]], environment: Environment) -> tuple[Grafted, ...]:
    """Find the origin of each grafted library.

    Args:
        members: name in the wheel and SHA-256 of each.
        environment: where they were taken from.

    Returns:
        One entry for each, sorted by name.

    Raises:
        HostEnvironmentError: the environment's record of a package is damaged.
    """
    owners = environment.owners
    found = []
    for member, sha256 in sorted(members):
        base = PurePosixPath(member).name
        # A library may be called libx-deadbeef.so by its own makers: then its whole name is owned.
        library = base if f"lib/{base}" in owners else original_name(base)
        name = f"lib/{library}"
        path = environment.prefix / name
        owner = environment.find(owners.get(name, ""))
        found.append(
            Grafted(
                member=member,
                sha256=sha256,
                library=library,
                source_sha256=sha256_file(path) if owner and path.is_file() else "",
                origin=_origin(environment, owner) if owner else None,
            )
        )
    return tuple(found)


def public_url(url: str) -> str:
    """Return where a package came from, for everybody's eyes: no token, no user, no folder of this machine."""
    parts = urlsplit(url)
    if parts.scheme in {"", "file"}:
        return "/".join(["local", *PurePosixPath(parts.path).parts[-2:]]) if url else ""
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{_TOKEN.sub('', parts.path, count=1)}"


def _origin(environment: Environment, package: LockedPackage) -> Origin:
    record = _record(environment.prefix, package)
    link = record.get("link") or {}
    folders = [Path(text) for text in (record.get("extracted_package_dir"), link.get("source")) if text]
    return Origin(
        package=package,
        licence=record.get("license") or "",
        folder=next((folder for folder in folders if (folder / "info").is_dir()), None),
        files=tuple(sorted(record.get("files", ()))),
    )


def _record(prefix: Path, package: LockedPackage) -> dict[str, Any]:
    path = prefix / "conda-meta" / f"{package.name}-{package.version}-{package.build}.json"
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HostEnvironmentError(
            f'"{path}" cannot be read: {error}', hint="remove the environment, run again"
        ) from error
    return value if isinstance(value, dict) else {}
