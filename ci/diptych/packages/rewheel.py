"""A wheel written again: more files in its ``.dist-info``, a true RECORD, and one form of its bytes.

Members are sorted with ``.dist-info`` last (PEP 427, "recommended archiver features"), their time is SOURCE_DATE_EPOCH,
their modes are 0o755 or 0o644, and the compression level is fixed.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import stat
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from diptych.archives import Package, open_package
from diptych.errors import PackageError
from diptych.store import written

_LEVEL = 6


def rewrite(wheel: Path, *, extra: Mapping[str, bytes], epoch: int) -> None:
    """Replace a wheel by the same one with more metadata.

    Args:
        wheel: the file.
        extra: name below ``.dist-info`` → contents; they replace what is there.
        epoch: the time of every member, in seconds since 1970; at least 1980.

    Raises:
        FormatError: the wheel is damaged.
        PackageError: it holds a link, which a wheel cannot.
        StoreError: the disk is full.
    """
    with open_package(wheel) as package, written(wheel) as temporary:
        record = f"{package.metadata.dist_info}/RECORD"
        rows = []
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content, executable in _members(package, extra):
                archive.writestr(_entry(name, epoch, executable=executable), content, compresslevel=_LEVEL)
                rows.append((name, f"sha256={_digest(content)}", len(content)))
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows([*rows, (record, "", "")])
            archive.writestr(_entry(record, epoch, executable=False), text.getvalue(), compresslevel=_LEVEL)


def _members(package: Package, extra: Mapping[str, bytes]) -> Iterator[tuple[str, bytes, bool]]:
    """Yield name, contents and mode of everything but RECORD, in the order of the archive."""
    info = package.metadata.dist_info
    added = {f"{info}/{name}": content for name, content in extra.items()}
    there = {member.name: member for member in package.members}
    left_out = {f"{info}/{name}" for name in ("RECORD", "RECORD.jws", "RECORD.p7s")}
    for name in sorted(
        (there.keys() | added.keys()) - left_out, key=lambda one: (one.startswith(f"{info}/"), one)
    ):
        if name in added:
            yield name, added[name], False
            continue
        member = there[name]
        if member.link is not None:
            raise PackageError(f'"{package.path}": "{name}" is a link, which a wheel cannot hold')
        yield name, package.read(member), member.executable


def _entry(name: str, epoch: int, *, executable: bool) -> zipfile.ZipInfo:
    date = time.gmtime(epoch)
    # A zip counts in steps of two seconds; 1980 is where its clock starts.
    entry = zipfile.ZipInfo(
        name, (date.tm_year, date.tm_mon, date.tm_mday, date.tm_hour, date.tm_min, date.tm_sec // 2 * 2)
    )
    entry.create_system = 3  # Unix, on every machine
    entry.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
