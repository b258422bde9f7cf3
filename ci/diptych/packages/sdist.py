"""The source distribution, as the project's own backend makes it, in one form of its bytes.

Members are sorted, their time is SOURCE_DATE_EPOCH, they belong to nobody, and their modes are 0o755 or 0o644; the gzip
header holds neither name nor time (reproducible-builds.org/docs/archives).
"""

from __future__ import annotations

import gzip
import posixpath
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from diptych.archives import Member, open_package, unpack
from diptych.build.backend import BackendJob, backend_job
from diptych.errors import PackageError
from diptych.inputs import inputs_of
from diptych.packages.tarmember import add_member, files_below
from diptych.store import Store, discard, sha256_file, written

REVISION = 1
"""Raised when the form of the bytes changes: part of the name of an entry in the store."""
_KIND = "sdist"
_LEVEL = 9
_NAME = re.compile(r"(?P<name>[A-Za-z0-9._]+)-(?P<version>[A-Za-z0-9._!+]+)\.tar\.gz")


@dataclass(frozen=True, kw_only=True)
class SdistJob(BackendJob):
    """The inputs of a source distribution.

    Attributes:
        epoch: the time of every member, in seconds since 1970.
        revision: the form of the bytes.
    """

    epoch: int
    revision: int


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
    dated = {**env, "SOURCE_DATE_EPOCH": str(epoch)}
    asked = backend_job("sdist", source, store=store, env=dated, log=store.root / "logs" / "sdist.log")
    job = SdistJob(**vars(asked), epoch=epoch, revision=REVISION)
    entry, fresh = store.entry(_KIND, inputs_of(_KIND, job).key, partial(_make, job))
    path = next(entry.glob("*.tar.gz"))
    return Sdist(path=path, version=version_of(path), sha256=sha256_file(path), kept=not fresh)


def _make(job: SdistJob, empty: Path) -> None:
    raw = empty / "raw"
    raw.mkdir()
    made = job.backend.build("sdist", raw, job.within)
    settle(made, empty / made.name, epoch=job.epoch)
    made.unlink()
    raw.rmdir()


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
        FormatError: it is damaged, or has members that no archive may have.
        PackageError: it has a member outside its one folder.
        StoreError: the disk is full.
    """
    top = target.name.removesuffix(".tar.gz")
    root = raw.with_name(f"{raw.name}.unpacked")
    with open_package(raw) as package:
        for member in package.members:
            if not all(name.startswith(f"{top}/") for name in (member.name, _led_to(member))):
                raise PackageError(
                    f'{raw.name}: the member "{member.name}" lies, or leads, outside the folder "{top}/"'
                )
        unpack(package, root)
    try:
        with (
            written(target) as temporary,
            temporary.open("wb") as file,
            gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=_LEVEL, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            for name in files_below(root):
                add_member(tar, root / name, name, epoch=epoch)
    finally:
        discard(root)


def _led_to(member: Member) -> str:
    """Return the name that a link leads to; of anything else its own."""
    if member.link is None or member.hard:
        return member.link or member.name
    return posixpath.normpath(posixpath.join(posixpath.dirname(member.name), member.link))
