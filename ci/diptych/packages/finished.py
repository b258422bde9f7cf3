"""The last look at an unpacked conda package: what it says of itself against what is in it."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diptych.binaries import find_binaries
from diptych.errors import PackageError
from diptych.pythons import indexed_for_every_machine

_SHOWN = 5


def check_finished(root: Path) -> None:
    """Refuse a package for any machine with binaries inside, and a ``.dist-info`` that tells of something else.

    pip, importlib.metadata and ``pip check`` read the ``.dist-info``: INSTALLER has to name conda, so that pip leaves the
    package alone (PEP 376, PEP 627), its version has to be the package's, and what a RECORD lists has to be there as listed.

    Args:
        root: the unpacked package.

    Raises:
        PackageError: naming what contradicts what.
    """
    index = json.loads((root / "info" / "index.json").read_text(encoding="utf-8"))
    _check_noarch(root, index)
    folders = sorted(
        path for path in root.rglob("*.dist-info") if path.is_dir() and root / "info" not in path.parents
    )
    faults = [fault for folder in folders for fault in _faults(folder, root, index)]
    faults += _twice(folders)
    if faults:
        raise PackageError(
            f"{index['name']} {index['version']}: its .dist-info is stale",
            details=faults,
            hint="remove what an earlier build left in the install tree; relinking and patching come before RECORD is written",
        )


def _check_noarch(root: Path, index: dict[str, Any]) -> None:
    binaries = (
        sorted(path.relative_to(root).as_posix() for path in find_binaries(root))
        if indexed_for_every_machine(index)
        else []
    )
    if binaries:
        more = [f"and {len(binaries) - _SHOWN} more"] if len(binaries) > _SHOWN else []
        raise PackageError(
            f"{index['name']} is noarch, and has {len(binaries)} binaries inside",
            details=[*binaries[:_SHOWN], *more],
            hint='take "noarch" out of the build section of the recipe',
        )


def _faults(folder: Path, root: Path, index: dict[str, Any]) -> Iterator[str]:
    from packaging.metadata import parse_email  # noqa: PLC0415 -- only when a package is made
    from packaging.utils import canonicalize_name, canonicalize_version  # noqa: PLC0415 -- as above

    place = folder.relative_to(root).as_posix()
    metadata = folder / "METADATA"
    if not metadata.is_file():
        yield f"{place} has no METADATA"
        return
    raw, _ = parse_email(metadata.read_bytes())
    name, version = raw.get("name", ""), raw.get("version", "")
    same = canonicalize_name(name) == canonicalize_name(index["name"])
    if same and canonicalize_version(version) != canonicalize_version(index["version"]):
        yield f"{place} says version {version}, the package {index['version']}"
    installer = folder / "INSTALLER"
    said = (
        installer.read_text(encoding="utf-8", errors="replace").strip() if installer.is_file() else "nobody"
    )
    if said != "conda":
        yield f"{place}/INSTALLER says {said}, not conda"
    yield from (f"{place}/RECORD: {fault}" for fault in _record_faults(folder))


def _twice(folders: list[Path]) -> Iterator[str]:
    seen: dict[str, Path] = {}
    for folder in folders:
        name = folder.name.partition("-")[0].lower()
        if name in seen:
            yield f"{seen[name].name} and {folder.name} are of one project"
        seen[name] = folder


def _record_faults(folder: Path) -> Iterator[str]:
    """Yield what a RECORD says that is not so (binary distribution format, "Recording installed projects")."""
    record = folder / "RECORD"
    if not record.is_file():
        return
    for row in csv.reader(record.read_text(encoding="utf-8").splitlines()):
        path = folder.parent / row[0] if row else record
        if not path.is_file():
            yield f"{row[0]} is not there"
        elif len(row) > 1 and row[1].startswith("sha256="):
            digest = hashlib.sha256(path.read_bytes()).digest()
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != row[1].removeprefix("sha256="):
                yield f"{row[0]} is not as listed"
