"""Write a :class:`Package` as a .conda file.

``rattler_build.assemble_package`` (0.73) is not used: it looks for prefixes only in its own temporary folder,
so that no placeholder is ever recorded; it takes neither run_exports nor entry points nor
``python_site_packages_path``; info/ files passed as contents land in info/paths.json, and so in the
prefix; and it first copies every file. Here contents stream from a wheel's zip into the archive.

Format: CEP 34 (contents and info/ files), CEP 35 (.conda: a zip of two zstd-compressed tars, not compressed
again), CEP 12 (run_exports.json), CEP 17 (python_site_packages_path).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from diptych.channel.package import PLACEHOLDER, Package, PackageFile
from diptych.errors import ChannelError
from diptych.packages.family import license_family
from diptych.store import sha256_file, written
from diptych.zstd import zstd

# Every time in a package is this one: same inputs, same bytes. 1980 is where zip's clock starts.
EPOCH = 315_532_800
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
# Local packages are read once or twice, on this machine: the fastest level that still halves headers.
_LEVEL = 1


@dataclass(frozen=True, kw_only=True)
class CondaFile:
    """A package as written.

    Attributes:
        subdir: its folder in the channel.
        filename: ``name-version-build.conda``.
        name: the conda name.
        version: the version.
        build: the build string, with the hash of the contents.
        sha256: of the file.
        size: of the file.
    """

    subdir: str
    filename: str
    name: str
    version: str
    build: str
    sha256: str
    size: int


def write(package: Package, root: Path) -> CondaFile:
    """Write a package into the channel at ``root``, atomically.

    The build string holds a hash of contents and metadata, so that two different packages never share a name.

    Raises:
        ChannelError: two files have the same path.
        StoreError: the disk is full.
    """
    folder = root / package.subdir
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as contents:
        paths = _write_contents(package, contents)
        info = _info(package, paths)
        build = package.build.format(hash=_hash(info))
        info["info/index.json"] = _json(_index(package, build))
        stem = f"{package.name}-{package.version}-{build}"
        path = folder / f"{stem}.conda"
        with written(path) as temporary:
            _write_zip(temporary, stem, contents, _pack(info))
    return CondaFile(
        subdir=package.subdir,
        filename=path.name,
        name=package.name,
        version=package.version,
        build=build,
        sha256=sha256_file(path),
        size=path.stat().st_size,
    )


def _write_contents(package: Package, target: IO[bytes]) -> list[dict[str, Any]]:
    paths: list[dict[str, Any]] = []
    seen: set[str] = set()
    with _tar(target) as tar:
        for file in sorted(package.files, key=lambda each: each.path):
            if file.path in seen:
                raise ChannelError(f'two files of package "{package.name}" go to "{file.path}"')
            seen.add(file.path)
            content = file.read()
            _add(tar, file.path, content, executable=file.executable, link=file.link)
            paths.append(_path_entry(file, content))
    return paths


def _path_entry(file: PackageFile, content: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "_path": file.path,
        "path_type": "softlink" if file.link else "hardlink",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_in_bytes": len(file.link) if file.link else len(content),
    }
    if file.has_placeholder and not file.link:
        entry |= {"file_mode": "text", "prefix_placeholder": PLACEHOLDER}
    return entry


def _info(package: Package, paths: list[dict[str, Any]]) -> dict[str, bytes]:
    """Return the info/ files, but for index.json, which needs their hash."""
    about = {"license": package.license, "summary": package.summary, "extra": {"diptych": package.origin}}
    info = {
        "info/about.json": _json({key: value for key, value in about.items() if value}),
        "info/diptych-origin.json": _json(package.origin),
        "info/paths.json": _json({"paths": paths, "paths_version": 1}),
        **{f"info/licenses/{name}": text for name, text in package.licenses.items()},
    }
    if package.run_exports:
        info["info/run_exports.json"] = _json(package.run_exports)
    if package.noarch == "python":
        link = {"noarch": {"type": "python", "entry_points": list(package.entry_points)}}
        info["info/link.json"] = _json({**link, "package_metadata_version": 1})
    # The index without the build string is part of what is hashed: other dependencies, other name.
    info["info/index.json"] = _json(_index(package, package.build))
    return info


def _index(package: Package, build: str) -> dict[str, Any]:
    system, _, arch = package.subdir.partition("-")
    values = {
        "name": package.name,
        "version": package.version,
        "build": build,
        "build_number": package.build_number,
        "subdir": package.subdir,
        "arch": {"64": "x86_64"}.get(arch, arch) or None,
        "platform": None if package.noarch else system,
        "noarch": package.noarch or None,
        "depends": list(package.depends),
        "constrains": list(package.constrains),
        "license": package.license or None,
        "license_family": license_family(package.license) if package.license else None,
        "timestamp": EPOCH * 1000,
        "python_site_packages_path": package.site_packages or None,
        "track_features": package.track_features or None,
    }
    return {key: value for key, value in values.items() if value is not None}


def _hash(info: Mapping[str, bytes]) -> str:
    hasher = hashlib.sha256()
    for name in sorted(info):
        hasher.update(name.encode() + b"\0" + info[name])
    return hasher.hexdigest()[:8]


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2, sort_keys=True).encode() + b"\n"


def _pack(info: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with _tar(buffer) as tar:
        for name in sorted(info):
            _add(tar, name, info[name])
    return buffer.getvalue()


@contextmanager
def _tar(target: IO[bytes]) -> Iterator[tarfile.TarFile]:
    with (
        zstd.ZstdFile(target, "w", level=_LEVEL) as stream,
        # "w|" writes in blocks of 10 KiB and never seeks.
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT, bufsize=1 << 18) as tar,
    ):
        yield tar


def _add(
    tar: tarfile.TarFile, path: str, content: bytes, *, executable: bool = False, link: str = ""
) -> None:
    entry = tarfile.TarInfo(path)
    entry.mtime = EPOCH
    entry.mode = 0o755 if executable else 0o644
    if link:
        entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, link, 0o777
        tar.addfile(entry)
    else:
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))


def _write_zip(path: Path, stem: str, contents: IO[bytes], info: bytes) -> None:
    contents.seek(0)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_zip_entry("metadata.json"), b'{"conda_pkg_format_version": 2}')
        size = os.fstat(contents.fileno()).st_size
        entry = _zip_entry(f"pkg-{stem}.tar.zst")
        entry.file_size = size
        with archive.open(entry, "w") as member:
            while chunk := contents.read(1 << 20):
                member.write(chunk)
        archive.writestr(_zip_entry(f"info-{stem}.tar.zst"), info)


def _zip_entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _ZIP_EPOCH)
    entry.external_attr = 0o644 << 16
    return entry
