"""The central directory of a zip file, read strictly.

``zipfile`` is made to rescue what it can: it takes the last of two equal names, skips prepended data, cuts names at
NUL and reads the directory whole, whatever its size. Two tools then see two packages in one file (the "zip parser
differential" that PyPI refuses since 2025). Here a file means one thing or is refused.

Source: APPNOTE.TXT 6.3.10, sections 4.3 to 4.5.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Iterator
from typing import NamedTuple

from diptych.archives.limits import Guard
from diptych.archives.randomfile import RandomFile

LOCAL = struct.Struct("<4s5H3L2H")
UTF8_NAME = 1 << 11
DATA_DESCRIPTOR = 1 << 3
STORED, DEFLATED = 0, 8
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_EXTRA = struct.Struct("<2H")
_ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13
_PATCHED = 1 << 5
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
# Size, packed size, offset and disk: what says "look in the zip64 field", and how wide it is there.
_WIDE = ((FULL32, 8), (FULL32, 8), (FULL32, 8), (FULL16, 4))
_MAX_COMMENT = FULL16
_MAX_DIRECTORY = 64 << 20


class Entry(NamedTuple):
    """One line of the directory; a tuple, because a large wheel has tens of thousands.

    Attributes:
        name: as decoded; ends with a slash for a folder.
        raw: as stored, to hold against the local header.
        flags: general purpose bits.
        method: compression.
        crc: CRC-32 of the contents.
        packed: compressed bytes.
        size: inflated bytes.
        mode: st_mode, or 0 where the writer gave none.
        offset: of the local header.
    """

    name: str
    raw: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    mode: int
    offset: int

    @property
    def is_folder(self) -> bool:
        """Whether it stands for a folder."""
        return self.name.endswith("/")

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link, its contents the target (Info-ZIP's convention)."""
        return stat.S_ISLNK(self.mode)


class Place(NamedTuple):
    """Where the directory lies, and how many entries it claims."""

    offset: int
    size: int
    members: int


def entries(file: RandomFile, guard: Guard) -> tuple[Entry, ...]:
    """Read all entries in the order of their data.

    Raises:
        FormatError: not a zip file, cut off, in several parts, encrypted, compressed in an unknown way, two entries
            that share bytes, or more than the limits allow.
    """
    place = _locate(file, guard)
    guard.check_count(place.members)
    if place.size > _MAX_DIRECTORY:
        raise guard.refuse(f"its directory takes {place.size} bytes")
    found = sorted(_parsed(file.at(place.offset, place.size), guard), key=lambda entry: entry.offset)
    if len(found) != place.members:
        raise guard.refuse(f"its directory has {len(found)} entries, but announces {place.members}")
    _check_sizes(found, file.size, guard)
    _check_overlap(found, place.offset, guard)
    return tuple(found)


def _locate(file: RandomFile, guard: Guard) -> Place:
    tail_size = min(file.size, _END.size + _MAX_COMMENT)
    tail = file.at(file.size - tail_size, tail_size)
    start = tail.rfind(b"PK\5\6")
    if start < 0 or start + _END.size > len(tail):
        raise guard.refuse("not a zip file, or truncated: it has no end record")
    _, disk, first_disk, here, count, size, offset, comment = _END.unpack_from(tail, start)
    if start + _END.size + comment != len(tail):
        raise guard.refuse("truncated, or something follows the end record")
    end = file.size - tail_size + start
    place = Place(offset, size, count)
    if end >= _LOCATOR.size and file.at(end - _LOCATOR.size, 4) == b"PK\6\7":
        return _locate64(file, end, place, guard)
    if disk or first_disk or here != count:
        raise guard.refuse("it is one part of several")
    return _placed(place, end, guard)


def _locate64(file: RandomFile, end: int, narrow: Place, guard: Guard) -> Place:
    """Find the directory by the second, wider end record (zip64); both have to say the same."""
    locator_at = end - _LOCATOR.size
    _, disk, record_at, disks = _LOCATOR.unpack(file.at(locator_at, _LOCATOR.size))
    if disk or disks > 1:
        raise guard.refuse("zip64: it is one part of several")
    fields = _END64.unpack(file.at(record_at, _END64.size))
    signature, length, _, _, disk, first_disk, here, count, size, offset = fields
    if signature != b"PK\6\6" or disk or first_disk or here != count:
        raise guard.refuse("zip64: its end record is damaged or in another part")
    if record_at + 12 + length != locator_at:
        raise guard.refuse("zip64: its end record and its locator do not meet")
    place = Place(offset, size, count)
    for said, wide, full in zip(narrow, place, (FULL32, FULL32, FULL16), strict=True):
        if said not in (wide, full):
            raise guard.refuse("zip64: its two end records disagree")
    return _placed(place, record_at, guard)


def _placed(place: Place, end: int, guard: Guard) -> Place:
    # zipfile shifts everything in this case, for self-extracting programs; installers then differ.
    if place.offset + place.size != end:
        raise guard.refuse("its directory is not where the end record says")
    return place


def _parsed(data: bytes, guard: Guard) -> Iterator[Entry]:
    position = count = 0
    while position < len(data):
        if position + _ENTRY.size > len(data) or data[position : position + 4] != b"PK\1\2":
            raise guard.refuse("damaged: its directory is cut off or holds something else")
        fields = _ENTRY.unpack_from(data, position)
        _, _, _, flags, method, _, _, crc, packed, size, *lengths, disk, _, attributes, offset = fields
        position += _ENTRY.size
        end = position + sum(lengths)
        if end > len(data):
            raise guard.refuse("damaged: its directory is cut off")
        raw = data[position : position + lengths[0]]
        extra = data[position + lengths[0] : position + lengths[0] + lengths[1]]
        position, count = end, count + 1
        guard.check_count(count)
        name = _decoded(raw, flags, guard)
        size, packed, offset = _widened(extra, (size, packed, offset, disk), raw, name, guard)
        entry = Entry(name, raw, flags, method, crc, packed, size, attributes >> 16, offset)
        _check_entry(entry, guard)
        yield entry


def _decoded(raw: bytes, flags: int, guard: Guard) -> str:
    if not flags & UTF8_NAME:
        return raw.decode("cp437")  # APPNOTE appendix D; zipfile and pip see the same
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise guard.refuse("the name is not UTF-8, but says so", ascii(raw)) from None


def _widened(
    extra: bytes, narrow: tuple[int, int, int, int], raw: bytes, name: str, guard: Guard
) -> tuple[int, int, int]:
    """Return size, packed size and offset, from the zip64 field where the ordinary ones are full (4.5.3)."""
    values = list(narrow)
    fields = _extra_fields(extra, name, guard) if extra else {}
    if (second := fields.get(_UNICODE_PATH)) is not None and second[5:] != raw:
        raise guard.refuse("has a second, different name", name)
    data = fields.get(_ZIP64, b"")
    for index, (full, width) in enumerate(_WIDE):
        if values[index] == full:
            if len(data) < width:
                raise guard.refuse("zip64: its sizes are missing", name)
            values[index], data = int.from_bytes(data[:width], "little"), data[width:]
    size, packed, offset, disk = values
    if disk:
        raise guard.refuse("lies in another part", name)
    return size, packed, offset


def _extra_fields(extra: bytes, name: str, guard: Guard) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    position = 0
    while position + _EXTRA.size <= len(extra):  # up to three bytes of padding are common
        kind, length = _EXTRA.unpack_from(extra, position)
        position += _EXTRA.size
        if position + length > len(extra) or kind in found:
            raise guard.refuse("damaged: its extra fields do not fit", name)
        found[kind] = extra[position : position + length]
        position += length
    return found


def _check_entry(entry: Entry, guard: Guard) -> None:
    if entry.flags & _ENCRYPTED:
        raise guard.refuse("encrypted", entry.name)
    if entry.flags & _PATCHED or entry.method not in (STORED, DEFLATED):
        raise guard.refuse(f"compression method {entry.method} is unknown to wheels", entry.name)
    if entry.method == STORED and entry.packed != entry.size:
        raise guard.refuse(f"stored in {entry.packed} bytes, but announces {entry.size}", entry.name)
    kind = stat.S_IFMT(entry.mode)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        raise guard.refuse("a device, pipe or socket", entry.name)
    if entry.is_folder and (entry.size or kind not in (0, stat.S_IFDIR)):
        raise guard.refuse("a folder by its name, but not by its contents or mode", entry.name)
    if not entry.is_folder and kind == stat.S_IFDIR:
        raise guard.refuse("a folder by its mode, but not by its name", entry.name)
    guard.check_member(entry.name, entry.size)


def _check_sizes(found: list[Entry], packed: int, guard: Guard) -> None:
    """Refuse a bomb by what it announces; that it announces the truth is checked while inflating."""
    guard.check_total(packed, sum(entry.size for entry in found))


def _check_overlap(found: list[Entry], directory: int, guard: Guard) -> None:
    """Refuse entries that share bytes: how 46 MB become 4.5 PB without nesting (Fifield, WOOT 2019)."""
    # An archive without members has no first entry either: what follows each is one longer than what there is.
    following_offsets = [*(later.offset for later in found[1:]), directory]
    for entry, following in zip(found, following_offsets, strict=False):
        if entry.offset + LOCAL.size + len(entry.raw) + entry.packed > following:
            raise guard.refuse("overlaps the next member", entry.name)
