"""Make a tiny, real ``.conda``."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path

import zstandard


def tiny_conda(folder: Path, name: str, version: str, build: str, *, content: str = "x") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name}-{version}-{build}"
    index = {
        "name": name,
        "version": version,
        "build": build,
        "build_number": 0,
        "depends": [],
        "subdir": "linux-64",
        "arch": "x86_64",
        "platform": "linux",
    }
    path = folder / f"{stem}.conda"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"conda_pkg_format_version": 2}))
        archive.writestr(
            f"info-{stem}.tar.zst", _tar({"info/index.json": json.dumps(index), "info/paths.json": "{}"})
        )
        archive.writestr(f"pkg-{stem}.tar.zst", _tar({"lib/x.txt": content}))
    return path


def _tar(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return zstandard.ZstdCompressor().compress(buffer.getvalue())
