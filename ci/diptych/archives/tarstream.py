"""The members of a tar stream, one after the other, in bounded memory.

``tarfile`` reads extended headers whole and recurses through them, so that a small archive takes all memory or the
stack. Here only its parser of single header blocks is used.

Source: POSIX.1-2008 pax, and the GNU tar manual ("Extensions to the standard") for long names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from tarfile import (
    AREGTYPE,
    BLOCKSIZE,
    CONTTYPE,
    DIRTYPE,
    GNUTYPE_LONGLINK,
    GNUTYPE_LONGNAME,
    LNKTYPE,
    REGTYPE,
    SYMTYPE,
    XGLTYPE,
    XHDTYPE,
    HeaderError,
    TarInfo,
)

from diptych.archives.bytereader import ByteReader
from diptych.archives.limits import MIB, Guard
from diptych.archives.member import Member
from diptych.archives.names import check_name

_EMPTY = bytes(BLOCKSIZE)
_FILES = (REGTYPE, AREGTYPE, CONTTYPE)
_MAX_EXTENDED = MIB
_RECORD = re.compile(rb"(\d{1,7}) ([^=\n]+)=")
# What a pax header may change that matters here; the rest (times, owners, attributes) is passed over.
_TAKEN = ("path", "linkpath", "size")


def tar_members(
    chunks: Iterator[bytes], guard: Guard, digest: Callable[[str], str]
) -> Iterator[tuple[Member, Iterator[bytes]]]:
    """Yield every member with its contents, good until the next one is asked for.

    Args:
        chunks: the inflated tar.
        guard: limits and the archive's name.
        digest: goes into each member.

    Raises:
        FormatError: damaged, cut off, an unsafe name, a device, pipe or sparse file, one name twice.
    """
    reader = ByteReader(chunks, guard)
    known: set[str] = set()
    headers = names = 0
    while (header := _next_header(reader, guard)) is not None:
        headers += 1  # folders count: ten million of them would pack into nothing
        guard.check_count(headers)
        member = _member(header, guard, digest)
        if header.type == DIRTYPE:
            continue
        if member.name in known:
            raise guard.refuse("the name occurs more than once", member.name)
        known.add(member.name)
        names += len(member.name) + len(member.link or "")
        if names > guard.limits.max_names:
            raise guard.refuse(f"the names take more than {guard.limits.max_names} bytes")
        body = reader.body(header.size, member.name)
        yield member, body
        for _ in body:  # what the caller did not take
            pass
        reader.take(-header.size % BLOCKSIZE)
    reader.expect_zeros()


def _next_header(reader: ByteReader, guard: Guard) -> TarInfo | None:
    """Return the next member's header with its extensions applied; None at the end mark."""
    extended: dict[str, str] = {}
    seen: set[bytes] = set()
    while True:
        block = reader.take(BLOCKSIZE)
        if block == _EMPTY:
            if extended:
                raise guard.refuse("damaged: an extended header without a member")
            return None
        header = _parsed(block, guard)
        if header.type not in (XHDTYPE, XGLTYPE, GNUTYPE_LONGNAME, GNUTYPE_LONGLINK):
            return _extended(header, extended, guard)
        if header.type in seen or not 0 <= header.size <= _MAX_EXTENDED:
            raise guard.refuse("damaged: too many or too large extended headers", header.name)
        seen.add(header.type)
        data = reader.take(header.size)
        reader.take(-header.size % BLOCKSIZE)
        extended |= _extension(header.type, data, guard)


def _parsed(block: bytes, guard: Guard) -> TarInfo:
    try:
        return TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except HeaderError as error:
        raise guard.refuse(f"damaged: {error}") from error


def _extension(kind: bytes, data: bytes, guard: Guard) -> dict[str, str]:
    if kind == GNUTYPE_LONGNAME:
        return {"path": _text(data.split(b"\0")[0])}
    if kind == GNUTYPE_LONGLINK:
        return {"linkpath": _text(data.split(b"\0")[0])}
    records = dict(_pax_records(data, guard))
    if any(key.startswith("GNU.sparse") for key in records):
        raise guard.refuse("holds a sparse file")
    taken = {key: records[key] for key in _TAKEN if key in records}
    if kind == XGLTYPE and taken:
        raise guard.refuse(f"a global header sets {', '.join(taken)} of all members")
    return taken


def _pax_records(data: bytes, guard: Guard) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(data):
        match = _RECORD.match(data, position)
        end = position + int(match[1]) if match else 0
        if match is None or not match.end() < end <= len(data) or data[end - 1] != ord("\n"):
            raise guard.refuse("damaged: an extended header that cannot be read")
        yield _text(match[2]), _text(data[match.end() : end - 1])
        position = end


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _extended(header: TarInfo, extended: dict[str, str], guard: Guard) -> TarInfo:
    header.name = extended.get("path", header.name)
    header.linkname = extended.get("linkpath", header.linkname)
    if (size := extended.get("size")) is not None:
        if not (size.isascii() and size.isdigit() and len(size) < 20):  # noqa: PLR2004 -- 64 bits
            raise guard.refuse(f"damaged: its size is {size!r}", header.name)
        header.size = int(size)
    return header


def _member(header: TarInfo, guard: Guard, digest: Callable[[str], str]) -> Member:
    # `tar cf x .` and conda's oldest tools write "./name"; a folder's name may end with a slash.
    name = header.name.removeprefix("./")
    if header.type == DIRTYPE:
        name = name.rstrip("/")
    if header.type != DIRTYPE or name not in ("", "."):
        check_name(name, guard)
    if header.type not in (*_FILES, DIRTYPE, LNKTYPE, SYMTYPE):
        raise guard.refuse("a device, pipe, sparse file or something unknown", name)
    if header.size < 0 or (header.size and header.type not in _FILES):
        raise guard.refuse(f"{header.size} bytes are impossible for it", name)
    guard.check_member(name, header.size)
    linked = header.type in (LNKTYPE, SYMTYPE)
    hard = header.type == LNKTYPE
    target = header.linkname.removeprefix("./") if hard else header.linkname
    return Member(
        name=name,
        size=header.size,
        mode=header.mode & 0o7777,
        link=target if linked else None,
        hard=hard,
        digest=digest,
    )
