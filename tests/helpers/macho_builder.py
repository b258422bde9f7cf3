"""Tiny Mach-O files, assembled by hand."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

CPU_X86_64, CPU_ARM64 = 0x01000007, 0x0100000C
MH_EXECUTE, MH_DYLIB, MH_BUNDLE = 2, 6, 8
LC_LOAD, LC_WEAK, LC_ID, LC_RPATH, LC_REEXPORT = 0xC, 0x80000018, 0xD, 0x8000001C, 0x8000001F


def _text_command(kind: int, fields: bytes, text: str) -> bytes:
    offset = 8 + 4 + len(fields)
    raw = text.encode() + b"\0"
    raw += b"\0" * (-(offset + len(raw)) % 8)
    return struct.pack("<III", kind, offset + len(raw), offset) + fields + raw


def macho(  # noqa: PLR0913
    *,
    cpu: int = CPU_ARM64,
    kind: int = MH_DYLIB,
    install_name: str | None = None,
    needed: Sequence[str] = (),
    weak: Sequence[str] = (),
    rpath: Sequence[str] = (),
    minos: tuple[int, int] = (11, 0),
    symbols: Sequence[tuple[str, int]] = (),
    weakly: Sequence[str] = (),
    text: bytes = b"\xc0\x03\x5f\xd6" * 4,
    signed: bool = False,
) -> bytes:
    """Return a 64-bit little-endian file. A symbol is (name, library ordinal), ordinal 0 for a defined one; those
    in ``weakly`` may stay undefined."""
    commands: list[bytes] = []
    if install_name is not None:
        commands.append(_text_command(LC_ID, struct.pack("<III", 2, 0x10000, 0x10000), install_name))
    for name in needed:
        kind_of = LC_WEAK if name in weak else LC_LOAD
        commands.append(_text_command(kind_of, struct.pack("<III", 2, 0x10000, 0x10000), name))
    commands += [_text_command(LC_RPATH, b"", entry) for entry in rpath]
    version = minos[0] << 16 | minos[1] << 8
    commands.append(
        struct.pack("<IIIIII", 0x32, 32, 1, version, 14 << 16, 1) + struct.pack("<II", 3, 1115 << 16)
    )
    commands.append(struct.pack("<II16s", 0x1B, 24, bytes(range(16))))

    strings = b"\0" + b"".join(name.encode() + b"\0" for name, _ in symbols)
    total = 32 + sum(map(len, commands)) + 152 + 24 + (16 if signed else 0)
    symbols_at = -(-(total + len(text)) // 8) * 8
    table = b""
    at = 1
    for name, ordinal in symbols:
        table += struct.pack(
            "<IBBHQ",
            at,
            0x01 if ordinal else 0x0F,
            0 if ordinal else 1,
            ordinal << 8 | 0x40 * (name in weakly),
            0,
        )
        at += len(name) + 1
    end = -(-(symbols_at + len(table) + len(strings)) // 16) * 16
    pages = -(-end // 4096)
    blob_size = 20 + 44 + 4 + 32 * pages
    size = end + (blob_size if signed else 0)

    section = struct.pack(
        "<16s16sQQIIIIIIII", b"__text", b"__TEXT", total, len(text), total, 2, 0, 0, 0x80000400, 0, 0, 0
    )
    segment = struct.pack("<II16sQQQQIIII", 0x19, 152, b"__TEXT", 0, 0x4000, 0, size, 5, 5, 1, 0) + section
    commands += [
        segment,
        struct.pack("<IIIIII", 2, 24, symbols_at, len(symbols), symbols_at + len(table), len(strings)),
    ]
    if signed:
        commands.append(struct.pack("<IIII", 0x1D, 16, end, blob_size))
    header = struct.pack(
        "<IiiIIIII", 0xFEEDFACF, cpu, 0, kind, len(commands), sum(map(len, commands)), 0x200085, 0
    )
    body = (header + b"".join(commands) + text).ljust(symbols_at, b"\0") + table + strings
    body = body.ljust(end, b"\0")
    return body + _signature(body) if signed else body


def _signature(code: bytes) -> bytes:
    hashes = b"".join(hashlib.sha256(code[at : at + 4096]).digest() for at in range(0, len(code), 4096))
    slots = len(hashes) // 32
    directory = struct.pack(
        ">9I4BI", 0xFADE0C02, 48 + len(hashes), 0x20000, 2, 48, 44, 0, slots, len(code), 32, 2, 0, 12, 0
    )
    directory += b"x\0\0\0" + hashes
    return struct.pack(">IIIII", 0xFADE0CC0, 20 + len(directory), 1, 0, 20) + directory


def universal(*parts: tuple[int, bytes], wide: bool = False) -> bytes:
    """Return a universal file of (cpu, slice) pairs; ``wide`` for the 64-bit header."""
    entry = ">IIQQII" if wide else ">IIIII"
    at = 8 + len(parts) * struct.calcsize(entry)
    header, body = struct.pack(">II", 0xCAFEBABF if wide else 0xCAFEBABE, len(parts)), b""
    for cpu, data in parts:
        fields = (cpu, 0, at + len(body), len(data), 0)
        header += struct.pack(entry, *fields, 0) if wide else struct.pack(entry, *fields)
        body += data
    return header + body
