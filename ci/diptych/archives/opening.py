"""From a path to a package: which kind it is, and how it is called."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from diptych.archives.folder import FolderContainer
from diptych.archives.limits import Guard, Limits
from diptych.archives.member import Container
from diptych.archives.metadata import Metadata
from diptych.archives.package import Package, PackageKind

_WHEEL = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._]*[A-Za-z0-9])?)-(?P<version>[A-Za-z0-9._!+]+)(?:-(?P<build>\d[^-\s]*))?"
    r"-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+\.whl"
)
_DIST_INFO = ".dist-info"
_DEFAULT_LIMITS = Limits()


def open_package(path: Path, *, limits: Limits = _DEFAULT_LIMITS) -> Package:
    """Open a ``.whl``, ``.conda``, ``.tar.bz2`` or ``.tar.gz`` by its suffix, a conda environment, a folder, or any file.

    Args:
        path: the file or folder.
        limits: how much it may ask for.

    Returns:
        The package, to be used in a ``with`` block.

    Raises:
        FormatError: it is not there, damaged, hostile, or not what its suffix says.
    """
    guard = Guard(archive=str(path), limits=limits)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise guard.refuse(f"cannot be read: {error.strerror}") from error
    if stat.S_ISDIR(mode):
        return _folder(path, guard)
    if not stat.S_ISREG(mode):
        raise guard.refuse("neither a file nor a folder")
    for suffix, opener in ((".whl", _wheel), (".conda", _conda), (".tar.bz2", _conda), (".tar.gz", _sdist)):
        if path.name.endswith(suffix):
            return opener(path, guard)
    container = FolderContainer(path, guard)
    return Package(
        kind=PackageKind.FILE,
        path=path,
        name=path.name,
        metadata=Metadata(read=container.metadata, guard=guard),
        container=container,
        guard=guard,
    )


def _wheel(path: Path, guard: Guard) -> Package:
    """Open a wheel; its file name is ``name-version(-build)-python-abi-platform.whl`` (PEP 427)."""
    from diptych.archives.zipcontainer import ZipContainer  # noqa: PLC0415 -- per kind

    match = _WHEEL.fullmatch(path.name)
    if match is None:
        raise guard.refuse("not the file name of a wheel", path.name)
    container = ZipContainer(path, guard)
    dist_info = _dist_info([member.name for member in container.members()]) or ""
    if canonical(dist_info.removesuffix(_DIST_INFO).rpartition("-")[0]) != canonical(match["name"]):
        container.close()
        raise guard.refuse(f'no, or more than one, "{match["name"]}-….dist-info" folder')
    return Package(
        kind=PackageKind.WHEEL,
        path=path,
        name=canonical(match["name"]),
        version=match["version"],
        build=match["build"] or "",
        metadata=Metadata(dist_info=dist_info, read=container.metadata, guard=guard),
        container=container,
        guard=guard,
    )


def _conda(path: Path, guard: Guard) -> Package:
    from diptych.archives.inflate import unbzip2  # noqa: PLC0415 -- per kind
    from diptych.archives.tarcontainer import CondaContainer, TarContainer  # noqa: PLC0415 -- per kind

    old = path.name.endswith(".tar.bz2")
    container: Container = TarContainer(path, guard, unbzip2) if old else CondaContainer(path, guard)
    try:
        metadata = Metadata(read=container.metadata, guard=guard)
        name, version, build = (_index_text(metadata, key, guard) for key in ("name", "version", "build"))
    except BaseException:
        container.close()
        raise
    return Package(
        kind=PackageKind.CONDA,
        path=path,
        name=name,
        version=version,
        build=build,
        metadata=metadata,
        container=container,
        guard=guard,
    )


def _sdist(path: Path, guard: Guard) -> Package:
    """Open a source distribution; its file name is ``name-version.tar.gz`` (PEP 625), or it is some other tar."""
    from diptych.archives.inflate import ungzip  # noqa: PLC0415 -- per kind
    from diptych.archives.tarcontainer import TarContainer  # noqa: PLC0415 -- per kind

    container = TarContainer(path, guard, ungzip)
    name, _, version = path.name.removesuffix(".tar.gz").rpartition("-")
    return Package(
        kind=PackageKind.SDIST,
        path=path,
        name=canonical(name or version),
        version=version if name else "",
        metadata=Metadata(read=container.metadata, guard=guard),
        container=container,
        guard=guard,
    )


def _index_text(metadata: Metadata, key: str, guard: Guard) -> str:
    value = metadata.index.get(key)
    if not isinstance(value, str) or not value:
        raise guard.refuse(f"has no {key}", "info/index.json")
    return value


def _folder(path: Path, guard: Guard) -> Package:
    """Open a folder: an environment if it has conda-meta/, else plain, perhaps an unpacked package."""
    container = FolderContainer(path, guard)
    try:
        top = [entry.name for entry in path.iterdir()]
        records = sorted(entry.name for entry in (path / "conda-meta").glob("*.json"))
    except OSError as error:
        raise guard.refuse(f"cannot be read: {error.strerror}") from error
    environment = "conda-meta" in top
    metadata = Metadata(
        dist_info="" if environment else _dist_info([f"{name}/" for name in top]) or "",
        record_files=tuple(f"conda-meta/{name}" for name in records),
        read=container.metadata,
        guard=guard,
    )
    version = metadata.index.get("version", "")
    return Package(
        kind=PackageKind.ENVIRONMENT if environment else PackageKind.FOLDER,
        path=path,
        name=path.name,
        version=version if isinstance(version, str) else "",
        metadata=metadata,
        container=container,
        guard=guard,
    )


def _dist_info(names: list[str]) -> str | None:
    """Return the one ``.dist-info`` folder at the root, or None."""
    tops = {name.split("/", 1)[0] for name in names if f"{_DIST_INFO}/" in name}
    found = [top for top in tops if top.endswith(_DIST_INFO)]
    return found[0] if len(found) == 1 else None


def canonical(name: str) -> str:
    """Return a distribution name as packages are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
