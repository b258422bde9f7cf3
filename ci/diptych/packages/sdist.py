"""The source distribution, as the project's own backend makes it, in one form of its bytes.

Members are sorted, their time is SOURCE_DATE_EPOCH, they belong to nobody, and their modes are 0o755 or 0o644; the gzip
header holds neither name nor time (reproducible-builds.org/docs/archives).
"""

from __future__ import annotations

import gzip
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from diptych.build.sources import source_hash
from diptych.errors import PackageError, ProcessError
from diptych.packages.backend import backend_versions, open_backend, refused
from diptych.store import Store, digest, sha256_file, written

REVISION = 1
"""Raised when the form of the bytes changes: part of the name of an entry in the store."""
_LEVEL = 9
_NAME = re.compile(r"(?P<name>[A-Za-z0-9._]+)-(?P<version>[A-Za-z0-9._!+]+)\.tar\.gz")


@dataclass(frozen=True, kw_only=True)
class Sdist:
    """A source distribution.

    Attributes:
        path: the ``NAME-VERSION.tar.gz`` (PEP 625).
        version: as its file name has it.
        sha256: of its bytes.
        kept: whether an earlier run had made it.
    """

    path: Path
    version: str
    sha256: str
    kept: bool


def make_sdist(source: Path, *, store: Store, env: Mapping[str, str], epoch: int) -> Sdist:
    """Return the source distribution of the project, made unless the store has that of the same sources.

    Args:
        source: the project.
        store: where it is kept.
        env: the process environment.
        epoch: the time of every member, in seconds since 1970.

    Raises:
        PackageError: the backend made none, or one that pip would refuse.
    """
    from build import BuildException  # noqa: PLC0415 -- not needed by a listing

    def make(empty: Path) -> None:
        dated = {**env, "SOURCE_DATE_EPOCH": str(epoch)}
        backend = open_backend(source, store=store, env=dated, log=store.root / "logs" / "sdist.log")
        raw = empty / "raw"
        raw.mkdir()
        try:
            made = Path(backend.build("sdist", raw))
        except (BuildException, ProcessError) as error:
            raise refused(source, "made no source distribution", error) from error
        settle(made, empty / made.name, epoch=epoch)
        made.unlink()
        raw.rmdir()

    key = digest(source_hash(source, env=env), epoch, backend_versions(source, store=store), REVISION)
    entry, fresh = store.entry("sdist", key, make)
    path = next(entry.glob("*.tar.gz"))
    return Sdist(path=path, version=version_of(path), sha256=sha256_file(path), kept=not fresh)


def version_of(path: Path) -> str:
    """Return the version that the name of a source distribution states.

    Raises:
        PackageError: it is not ``NAME-VERSION.tar.gz``.
    """
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise PackageError(f'"{path.name}" is not named NAME-VERSION.tar.gz, so pip would not take it')
    return match["version"]


def settle(raw: Path, target: Path, *, epoch: int) -> None:
    """Write a source distribution again, so that the same contents always give the same bytes.

    Raises:
        PackageError: it has a member outside its one folder, twice of one name, or of a kind that pip refuses.
        StoreError: the disk is full.
    """
    top = target.name.removesuffix(".tar.gz")
    with tarfile.open(raw, "r:gz") as source, written(target) as temporary:
        members = sorted(_checked(source, top), key=lambda one: one.name)
        with (
            temporary.open("wb") as file,
            gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=_LEVEL, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            for member in members:
                tar.addfile(_plain(member, epoch), source.extractfile(member) if member.isfile() else None)


def _checked(source: tarfile.TarFile, top: str) -> Iterator[tarfile.TarInfo]:
    """Yield the files and links; folders are made by what is in them."""
    seen: set[str] = set()
    for member in source:
        path = PurePosixPath(member.name)
        fault = ""
        if path.is_absolute() or ".." in path.parts or path.parts[:1] != (top,):
            fault = f'lies outside the folder "{top}/"'
        elif path.as_posix() in seen:
            fault = "is there twice"
        elif not (member.isfile() or member.isdir() or member.issym()):
            fault = "is neither a file nor a link"
        elif member.issym() and _leads_out(path, member.linkname):
            fault = f'is a link to "{member.linkname}", outside of it'
        if fault:
            raise PackageError(f'{top}.tar.gz: the member "{member.name}" {fault}')
        seen.add(path.as_posix())
        if not member.isdir():
            yield member


def _leads_out(path: PurePosixPath, link: str) -> bool:
    """Tell whether a link leaves the one folder at the top."""
    depth = len(path.parts) - 2  # below the top, without the name itself
    for part in PurePosixPath(link).parts:
        depth += {"..": -1, ".": 0}.get(part, 1)
        if depth < 0:
            return True
    return PurePosixPath(link).is_absolute()


def _plain(member: tarfile.TarInfo, epoch: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(PurePosixPath(member.name).as_posix())
    entry.mtime, entry.type, entry.linkname = epoch, member.type, member.linkname
    entry.size = member.size
    entry.mode = 0o777 if member.issym() else 0o755 if member.mode & 0o111 else 0o644
    return entry
