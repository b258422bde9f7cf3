"""Make a tiny, real ``.conda``."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from diptych.zstd import zstd


def tiny_conda(
    folder: Path,
    name: str,
    version: str,
    build: str,
    *,
    content: str = "x",
    programs: Mapping[str, str] | None = None,
    depends: Sequence[str] = (),
) -> Path:
    """Write a package with ``lib/x.txt``, and with programs that can be run: path below the prefix → script."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name}-{version}-{build}"
    index = {
        "name": name,
        "version": version,
        "build": build,
        "build_number": 0,
        "depends": list(depends),
        "subdir": "linux-64",
        "arch": "x86_64",
        "platform": "linux",
    }
    payload = {"lib/x.txt": content} if programs is None else dict(programs)
    paths = [
        {
            "_path": path,
            "path_type": "hardlink",
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "size_in_bytes": len(text.encode()),
        }
        for path, text in payload.items()
    ]
    info = {
        "info/index.json": json.dumps(index),
        "info/paths.json": json.dumps({"paths_version": 1, "paths": paths}),
    }
    path = folder / f"{stem}.conda"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"conda_pkg_format_version": 2}))
        archive.writestr(f"info-{stem}.tar.zst", _tar(info, 0o644))
        archive.writestr(f"pkg-{stem}.tar.zst", _tar(payload, 0o644 if programs is None else 0o755))
    return path


def _tar(files: Mapping[str, str], mode: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(text.encode()), mode
            tar.addfile(info, io.BytesIO(text.encode()))
    return zstd.compress(buffer.getvalue())
