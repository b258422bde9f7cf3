"""The worth of a Mach-O code signature: every page hash is recomputed.

Source: Apple's ``cs_blobs.h`` (xnu) and Technical Note TN3126. All numbers are big-endian whatever the slice is.
Hashes of the requirements and entitlements (the special slots) are not recomputed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from diptych.binaries.bytesview import View
from diptych.binaries.macho_commands import LC_CODE_SIGNATURE, MachFile
from diptych.binaries.model import Signature
from diptych.errors import FormatError

_SUPER_BLOB, _CODE_DIRECTORY, _CMS = 0xFADE0CC0, 0xFADE0C02, 0xFADE0B01
_ALGORITHMS = {1: ("sha1", 20), 2: ("sha256", 32), 3: ("sha256", 20), 4: ("sha384", 48)}
_MAX_BLOBS = 64
_EMPTY_CMS = 8  # a wrapper without content: signed ad hoc
_LIMIT64_VERSION = 0x20300
_PAIR = struct.Struct(">II")
# magic, length, version, flags, hash offset, identifier offset, special slots, code slots, code limit,
# hash size, hash type, platform, page size (log 2), spare
_DIRECTORY = struct.Struct(">9I4BI")
_LIMIT64_AT = 56
_MIN_PAGE, _MAX_PAGE = 9, 20


@dataclass(frozen=True, kw_only=True)
class PageHash:
    """One page hash of a code directory.

    Attributes:
        algorithm: as :mod:`hashlib` calls it.
        begin: where the page begins in the slice.
        size: bytes of it that are signed.
        at: where its hash stands in the slice.
        length: bytes of the hash.
    """

    algorithm: str
    begin: int
    size: int
    at: int
    length: int


def signature_of(mach: MachFile) -> Signature:
    """Return what the signature of one slice is worth.

    Raises:
        FormatError: LC_CODE_SIGNATURE points outside the slice. A signature that is there but damaged is
            ``STALE``, as the kernel treats it.
    """
    command = mach.first(LC_CODE_SIGNATURE)
    if command is None:
        return Signature.ABSENT
    offset, size = mach.words(command, "II", "LC_CODE_SIGNATURE")
    blob = mach.view.part(offset, size, "the code signature")
    try:
        return _judge(mach.view, blob, offset)
    except FormatError:
        return Signature.STALE


def page_hashes(mach: MachFile) -> Iterator[PageHash]:
    """Yield every page hash of a slice that is signed.

    Raises:
        FormatError: the signature is damaged.
    """
    command = mach.first(LC_CODE_SIGNATURE)
    if command is not None:
        offset, size = mach.words(command, "II", "LC_CODE_SIGNATURE")
        for directory in _directories(mach.view.part(offset, size, "the code signature"))[0]:
            yield from _hashes(directory, directory.start - mach.view.start)


def _directories(blob: View) -> tuple[list[View], bool]:
    """Return the code directories, and whether somebody's certificate stands beside them."""
    magic, _, count = blob.unpack(struct.Struct(">III"), 0, "the code signature")
    directories: list[View] = []
    identity = False
    if magic != _SUPER_BLOB or count > _MAX_BLOBS:
        return [], True
    for _, at in blob.rows(_PAIR, 12, count, "the code signature's index"):
        magic, length = blob.unpack(_PAIR, at, "a blob of the code signature")
        if magic == _CODE_DIRECTORY:
            directories.append(blob.part(at, length, "a code directory"))
        identity = identity or (magic == _CMS and length > _EMPTY_CMS)
    return directories, identity


def _judge(code: View, blob: View, code_end: int) -> Signature:
    directories, identity = _directories(blob)
    states = {_pages(code, directory, code_end) for directory in directories}
    if Signature.STALE in states:
        return Signature.STALE
    return Signature.ADHOC if states == {Signature.ADHOC} and not identity else Signature.OTHER


def _pages(code: View, directory: View, code_end: int) -> Signature:
    """Compare every page hash of one code directory."""
    try:
        found = list(_hashes(directory, 0))
    except _UnknownForm:
        return Signature.OTHER
    except _WrongCount:
        return Signature.STALE
    if found and found[-1].begin + found[-1].size > code_end:
        return Signature.STALE
    for one in found:
        recorded = directory.take(one.at, one.length, "a page hash")
        if code.digest(one.algorithm, one.begin, one.size, "a signed page")[: one.length] != recorded:
            return Signature.STALE
    return Signature.ADHOC


class _UnknownForm(Exception):  # noqa: N818 -- no error: nothing can be said
    """A code directory of a kind that is not known here."""


class _WrongCount(Exception):  # noqa: N818 -- as above
    """A code directory whose hashes are not those of its pages."""


def _hashes(directory: View, start: int) -> Iterator[PageHash]:
    fields = directory.unpack(_DIRECTORY, 0, "a code directory")
    _, _, version, _, hashes_at, _, _, slots, limit, hash_size, hash_type, _, page_bits, _ = fields
    if version >= _LIMIT64_VERSION:
        limit = directory.unpack(struct.Struct(">Q"), _LIMIT64_AT, "a code directory")[0] or limit
    algorithm, expected_size = _ALGORITHMS.get(hash_type, ("", -1))
    if hash_size != expected_size or not _MIN_PAGE <= page_bits <= _MAX_PAGE:
        raise _UnknownForm
    page = 1 << page_bits
    if slots != -(-limit // page):
        raise _WrongCount
    for slot in range(slots):
        begin = slot * page
        at = start + hashes_at + slot * hash_size
        yield PageHash(
            algorithm=algorithm, begin=begin, size=min(page, limit - begin), at=at, length=hash_size
        )
