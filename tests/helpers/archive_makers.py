"""Small real packages, written the way the real tools write them."""

from __future__ import annotations

import base64
import bz2
import hashlib
import io
import itertools
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from diptych.zstd import zstd

FILES = {
    "pair/__init__.py": b"from pair._core import answer\n",
    "pair/_core.so": b"\x7fELF" + bytes(range(256)) * 40,
    "pair/data/empty.txt": b"",
    "pair/data/größe.txt": "groß".encode(),
}
METADATA = "Metadata-Version: 2.4\nName: Pair\nVersion: 1.2\nRequires-Dist: numpy\n\nTwo leaves.\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: false\nTag: cp311-cp311-linux_x86_64\n"
WHEEL_NAME = "pair-1.2-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
INDEX = {"name": "pair", "version": "1.2", "build": "py311_0", "build_number": 0, "depends": ["numpy"]}


def record_row(name: str, data: bytes, *, algorithm: str = "sha256") -> str:
    digest = base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest()).rstrip(b"=").decode()
    return f"{name},{algorithm}={digest},{len(data)}\n"


def wheel_record(files: Mapping[str, bytes], info: str) -> bytes:
    """Return a RECORD that fits the files (PEP 427)."""
    rows = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f'"{name}",sha256={digest},{len(data)}\n')
    return ("".join(rows) + f"{info}/RECORD,,\n").encode()


def wheel_files(files: Mapping[str, bytes] = FILES, *, record: str | None = None) -> dict[str, bytes]:
    """Add .dist-info; ``record`` replaces RECORD."""
    info = "pair-1.2.dist-info"
    found = {**files, f"{info}/METADATA": METADATA.encode(), f"{info}/WHEEL": WHEEL.encode()}
    found[f"{info}/entry_points.txt"] = b"[console_scripts]\npair = pair:main\n"
    rows = "".join(record_row(name, data) for name, data in found.items())
    found[f"{info}/RECORD"] = (rows + f"{info}/RECORD,,\n" if record is None else record).encode()
    return found


def honest_wheel(folder: Path, files: Mapping[str, bytes], *, name: str) -> Path:
    """Write a wheel whose WHEEL has the tags of its file name and whose RECORD fits its files."""
    info = "-".join(name.split("-")[:2]) + ".dist-info"
    tags = "".join(f"Tag: {tag}\n" for tag in _tags(name))
    said = files.get(f"{info}/WHEEL", WHEEL.encode()).decode()
    head = "".join(line for line in said.splitlines(keepends=True) if not line.startswith("Tag:"))
    content = {f"{info}/METADATA": METADATA.encode(), **files, f"{info}/WHEEL": (head + tags).encode()}
    content.pop(f"{info}/RECORD", None)
    return make_wheel(folder, {**content, f"{info}/RECORD": wheel_record(content, info)}, name=name)


def _tags(name: str) -> list[str]:
    parts = [part.split(".") for part in name.removesuffix(".whl").split("-")[-3:]]
    return ["-".join(tag) for tag in itertools.product(*parts)]


def make_wheel(
    folder: Path, files: Mapping[str, bytes] | None = None, *, name: str = WHEEL_NAME, folders: bool = False
) -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        if folders:
            archive.writestr(zipfile.ZipInfo("pair/"), b"")
        for member, data in (wheel_files() if files is None else files).items():
            info = zipfile.ZipInfo(member)
            info.external_attr = (0o100755 if member.endswith(".so") else 0o100644) << 16
            info.compress_type = zipfile.ZIP_STORED if not data else zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return path


def paths_json(files: Mapping[str, bytes], links: Mapping[str, str]) -> bytes:
    rows = [
        {
            "_path": name,
            "path_type": "hardlink",
            "sha256": hashlib.sha256(data).hexdigest(),
            "size_in_bytes": len(data),
        }
        for name, data in sorted(files.items())
    ]
    rows += [{"_path": name, "path_type": "softlink"} for name in links]
    return json.dumps({"paths": rows, "paths_version": 1}).encode()


def conda_info(
    files: Mapping[str, bytes] = FILES, links: Mapping[str, str] | None = None
) -> dict[str, bytes]:
    return {
        "info/index.json": json.dumps(INDEX).encode(),
        "info/about.json": b'{"license": "MIT"}',
        "info/run_exports.json": b'{"weak": ["pair >=1.2"]}',
        "info/paths.json": paths_json(files, links or {}),
    }


def tar_bytes(
    files: Mapping[str, bytes], links: Mapping[str, str] | None = None, hard: Mapping[str, str] | None = None
) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            header = tarfile.TarInfo(name)
            header.size = len(data)
            header.mode = 0o755 if name.endswith(".so") else 0o664
            archive.addfile(header, io.BytesIO(data))
        for kind, table in ((tarfile.SYMTYPE, links or {}), (tarfile.LNKTYPE, hard or {})):
            for name, target in table.items():
                header = tarfile.TarInfo(name)
                header.type, header.linkname = kind, target
                archive.addfile(header)
    return buffer.getvalue()


def zip_conda(path: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return path


def conda_from_tars(folder: Path, info: bytes, payload: bytes) -> Path:
    """Pack two tars, hostile or not, as a .conda file (CEP 35)."""
    stem = "pair-1.2-py311_0"
    pack = zstd.compress
    members = {
        "metadata.json": b'{"conda_pkg_format_version": 2}',
        f"pkg-{stem}.tar.zst": pack(payload),
        f"info-{stem}.tar.zst": pack(info),
    }
    return zip_conda(folder / f"{stem}.conda", members)


def make_conda(
    folder: Path,
    files: Mapping[str, bytes] = FILES,
    *,
    links: Mapping[str, str] | None = None,
    hard: Mapping[str, str] | None = None,
    info: Mapping[str, bytes] | None = None,
) -> Path:
    twins = {name: files[target] for name, target in (hard or {}).items()}
    info = conda_info({**files, **twins}, links) if info is None else info
    return conda_from_tars(folder, tar_bytes(info), tar_bytes(files, links, hard))


def make_tar_bz2(
    folder: Path, files: Mapping[str, bytes] = FILES, *, links: Mapping[str, str] | None = None
) -> Path:
    path = folder / "pair-1.2-py311_0.tar.bz2"
    path.write_bytes(bz2.compress(tar_bytes({**conda_info(files, links), **files}, links)))
    return path


def make_folder(
    folder: Path, files: Mapping[str, bytes] = FILES, *, links: Mapping[str, str] | None = None
) -> Path:
    root = folder / "tree"
    root.mkdir()
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
        (root / name).chmod(0o755 if name.endswith(".so") else 0o644)
    for name, target in (links or {}).items():
        (root / name).symlink_to(target)
    return root


def make_environment(folder: Path) -> Path:
    root = make_folder(folder)
    (root / "conda-meta").mkdir()
    (root / "conda-meta" / "history").write_text("")
    (root / "conda-meta" / "pair-1.2-py311_0.json").write_text(json.dumps(INDEX))
    return root
