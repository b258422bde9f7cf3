"""Zip and tar files in which every field can lie."""

from __future__ import annotations

import struct
import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Zipped:
    """One zip member; None means the truth."""

    name: bytes
    data: bytes = b""
    mode: int = 0o100644
    flags: int = 1 << 11
    method: int = 8
    packed: bytes | None = None
    crc: int | None = None
    size: int | None = None
    packed_size: int | None = None
    offset: int | None = None
    disk: int = 0
    extra: bytes = b""
    local_name: bytes | None = None
    local_size: int | None = None
    local_signature: bytes = b"PK\3\4"


def deflated(data: bytes) -> bytes:
    codec = zlib.compressobj(9, zlib.DEFLATED, -15)
    return codec.compress(data) + codec.flush()


@dataclass(frozen=True, kw_only=True)
class End:
    """The end record; None means the truth."""

    disk: int = 0
    count: int | None = None
    size: int | None = None
    offset: int | None = None
    comment: bytes = b""
    announced_comment: int | None = None
    wide: bool = False
    wide_count: int | None = None
    after: bytes = b""


def raw_zip(members: Sequence[Zipped], end: End = End(), *, before: bytes = b"") -> bytes:
    body, directory = bytearray(before), bytearray()
    for member in members:
        offset = len(body) if member.offset is None else member.offset
        packed = member.packed
        if packed is None:
            packed = deflated(member.data) if member.method == 8 else member.data
        crc = zlib.crc32(member.data) if member.crc is None else member.crc
        size = len(member.data) if member.size is None else member.size
        packed_size = len(packed) if member.packed_size is None else member.packed_size
        local_size = size if member.local_size is None else member.local_size
        local_name = member.name if member.local_name is None else member.local_name
        sizes = (crc, packed_size, local_size, len(local_name), 0)
        fields = (20, member.flags, member.method, 0, 33)
        body += struct.pack("<4s5H3L2H", member.local_signature, *fields, *sizes) + local_name + packed
        lengths = (len(member.name), len(member.extra), 0, member.disk, 0)
        directory += struct.pack(
            "<4s6H3L5H2L",
            *(b"PK\1\2", 0x314, *fields, crc, packed_size, size, *lengths, member.mode << 16, offset),
        )
        directory += member.name + member.extra
    return bytes(body + directory) + _end(end, len(members), len(directory), len(body))


def _end(end: End, members: int, size: int, offset: int) -> bytes:
    found = b""
    count = members if end.count is None else end.count
    size_said = size if end.size is None else end.size
    offset_said = offset if end.offset is None else end.offset
    if end.wide:
        wide_count = members if end.wide_count is None else end.wide_count
        found += struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, wide_count, wide_count, size, offset)
        found += struct.pack("<4sLQL", b"PK\6\7", 0, offset + size, 1)
    comment = len(end.comment) if end.announced_comment is None else end.announced_comment
    found += struct.pack(
        "<4s4H2LH", b"PK\5\6", end.disk, end.disk, count, count, size_said, offset_said, comment
    )
    return found + end.comment + end.after


def header(
    name: str, *, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644
) -> bytes:
    """One tar header block, with a right checksum, whatever it says."""
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname, info.mode = size, kind, link, mode
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def tarred(name: str, data: bytes = b"", *, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    return header(name, size=len(data), kind=kind, link=link) + padded(data)


def pax(records: bytes, *, kind: bytes = tarfile.XHDTYPE) -> bytes:
    return header("pax", size=len(records), kind=kind) + padded(records)


def pax_record(key: str, value: str) -> bytes:
    rest = f" {key}={value}\n".encode()
    length = len(rest) + 1
    while len(str(length)) + len(rest) != length:
        length = len(str(length)) + len(rest)
    return str(length).encode() + rest


END = bytes(1024)
