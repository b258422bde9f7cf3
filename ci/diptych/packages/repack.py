"""A ``.conda`` packed again, so that the same contents always give the same bytes.

Form: the conda package format v2 (CEP 35): a zip, not compressed again, of metadata.json and two tars under zstd.
Members are sorted, their time is SOURCE_DATE_EPOCH, they belong to nobody (uid and gid 0), and their modes are 0o755 or
0o644. What the packer noted of this machine is put in neutral words, see :mod:`diptych.packages.neutral`.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from diptych.archives import open_package, unpack
from diptych.errors import PackageError
from diptych.packages.bytecode import recompile
from diptych.packages.depends import RunNeeds, Settled, settle
from diptych.packages.finished import check_finished
from diptych.packages.neutral import Neutral
from diptych.packages.prefixes import with_placeholder
from diptych.packages.tarmember import add_member, files_below
from diptych.store import discard, written

REVISION = 7
"""Raised when the form of the bytes changes: part of the name of an entry in the store."""
_LEVEL = 19
_PLAIN = 0o644
_PLACEHOLDER = "/opt/diptych_placehold"


@dataclass(frozen=True, kw_only=True)
class RepackJob:
    """How to pack again.

    Attributes:
        neutral: words for this machine, and the time of every member.
        python: the interpreter that the package is for.
        tag: its cache tag, "cpython-311".
        env: the environment of that interpreter.
        log: where its output goes.
        found: what its binaries say of its dependencies.
        prefixes: environments that its files may name, and that stand for the user's own.
    """

    neutral: Neutral
    python: Path
    tag: str
    env: Mapping[str, str]
    log: Path
    found: RunNeeds = field(default_factory=RunNeeds)
    prefixes: tuple[Path, ...] = ()


def compression_versions() -> dict[str, str]:
    """Return the versions of the libraries that shape compressed bytes, for the name of an entry."""
    import zlib  # noqa: PLC0415 -- not needed by a listing

    from diptych import zstd  # noqa: PLC0415 -- as above

    return {"zlib": zlib.ZLIB_RUNTIME_VERSION, "zstd": zstd.zstd_version}


def repack(package: Path, job: RepackJob) -> Settled:
    """Replace a ``.conda`` by the same package in its one form, its run dependencies settled.

    Returns:
        The run dependencies, and where they come from.

    Raises:
        FormatError: the package is damaged.
        PackageError: its metadata cannot be read, its dependencies contradict each other, it is no such package as it says
            (:func:`check_finished`), or its Python files cannot be compiled.
        StoreError: the disk is full.
    """
    root = package.with_name(f"{package.name}.unpacked")
    with open_package(package) as opened:
        unpack(opened, root)
    try:
        try:
            recompile(root, python=job.python, tag=job.tag, env=job.env, log=job.log)
            settled = settle(root, job.found)
            check_finished(root)
            _neutral_info(root, job.neutral)
            _settle_paths(root, job.prefixes)
        except (ValueError, KeyError, AttributeError) as error:
            raise PackageError(f'"{package}": its metadata cannot be read: {error}') from error
        pack(root, package, epoch=job.neutral.epoch)
        return settled
    finally:
        discard(root)


def pack(root: Path, package: Path, *, epoch: int) -> None:
    """Write an unpacked conda package as ``.conda``; its name without suffix names the two tars in it.

    Args:
        root: the folder with ``info/`` and the files as below a prefix.
        package: the file to write, or to replace.
        epoch: the time of every member, in seconds since 1970.

    Raises:
        StoreError: the disk is full.
    """
    stem = package.name.removesuffix(".conda")
    names = files_below(root)
    info = [name for name in names if name.startswith("info/")]
    payload = [name for name in names if not name.startswith("info/")]
    parts = [(f"pkg-{stem}.tar.zst", payload), (f"info-{stem}.tar.zst", info)]
    date = time.gmtime(epoch)[:6]
    with written(package) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_zip_entry("metadata.json", date), b'{"conda_pkg_format_version":2}')
        for name, members in parts:
            tar = root.with_name(f"{root.name}.tar.zst")
            _write_tar(root, members, tar, epoch)
            try:
                entry = _zip_entry(name, date)
                entry.file_size = tar.stat().st_size
                with tar.open("rb") as source, archive.open(entry, "w") as target:
                    while chunk := source.read(1 << 20):
                        target.write(chunk)
            finally:
                tar.unlink()


def _write_tar(root: Path, names: list[str], target: Path, epoch: int) -> None:
    from diptych import zstd  # noqa: PLC0415 -- only when a package is made

    with (
        zstd.ZstdFile(target, "w", level=_LEVEL) as stream,
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT, bufsize=1 << 18) as tar,
    ):
        for name in names:
            add_member(tar, root / name, name, epoch=epoch)


def _zip_entry(name: str, date: tuple[int, ...]) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, (date[0], date[1], date[2], date[3], date[4], date[5]))
    entry.external_attr, entry.create_system = _PLAIN << 16, 3
    return entry


def _neutral_info(root: Path, neutral: Neutral) -> None:
    for path in sorted((root / "info").rglob("*")):
        if path.is_file() and not path.is_symlink():
            old = path.read_bytes()
            new = neutral.file(path.relative_to(root / "info").as_posix(), old)
            if new != old:
                path.write_bytes(new)


def _settle_paths(root: Path, prefixes: tuple[Path, ...]) -> None:
    """Give every placeholder its one text, and record hashes and sizes as they are now, sorted by path."""
    listing = root / "info" / "paths.json"
    recorded = json.loads(listing.read_text(encoding="utf-8"))
    paths = sorted(
        (_settled(root, one, prefixes) for one in recorded["paths"]), key=lambda one: str(one["_path"])
    )
    text = json.dumps({**recorded, "paths": paths}, indent=2, sort_keys=True, ensure_ascii=False)
    listing.write_text(text + "\n", encoding="utf-8")


def _settled(root: Path, entry: dict[str, Any], prefixes: tuple[Path, ...]) -> dict[str, Any]:
    path = root / entry["_path"]
    if path.is_symlink() or not path.is_file():
        return entry
    content = path.read_bytes()
    if old := entry.get("prefix_placeholder"):
        new = _placeholder(len(old.encode()), name=entry["_path"])
        entry, content = {**entry, "prefix_placeholder": new}, content.replace(old.encode(), new.encode())
        path.write_bytes(content)
    elif path.suffix != ".pyc" and prefixes:
        named = with_placeholder(content, prefixes, partial(_placeholder, name=entry["_path"]))
        if named:
            entry = {**entry, "prefix_placeholder": named.placeholder, "file_mode": named.mode}
            content = named.content
            path.write_bytes(content)
    return {**entry, "sha256": hashlib.sha256(content).hexdigest(), "size_in_bytes": len(content)}


def _placeholder(length: int, *, name: str) -> str:
    """Return the one placeholder of that length: a binary's text must not move."""
    if length <= len(_PLACEHOLDER):
        raise PackageError(f'"{name}": a prefix placeholder of {length} bytes is too short')
    return (_PLACEHOLDER + "_placehold" * (length // 10))[:length]
