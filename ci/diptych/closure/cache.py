"""Reader of ``/etc/ld.so.cache`` (glibc: ``sysdeps/generic/dl-cache.h`` describes the format).

The current format is ``glibc-ld.so.cache1.1``; up to glibc 2.31 it stood behind one in the old format
``ld.so-1.7.0``, which is skipped here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from diptych.binaries import Buffer
from diptych.binaries.bytesview import View

_OLD, _NEW = b"ld.so-1.7.0\0", b"glibc-ld.so.cache1.1"
_OLD_ENTRY = 12
# Behind the magic: entries, length of strings, flags (1 byte; 2 is little, 3 big-endian), extension offset.
_HEADER_SIZE = 48
_EXTENSION_MAGIC, _TAG_HWCAPS = 0xEAA42174, 1
_HWCAP_BY_NAME = 1 << 62
_MAX_ENTRIES = 1 << 20
_MAX_SECTIONS = 64
_ELF_LIBC6 = 3
# Values of the flags word: libc6 ELF (3) with the ABI in the second byte.
_FLAGS = {
    "i386": {_ELF_LIBC6},
    "x86_64": {0x0303},
    "x32": {0x0803},
    "aarch64": {0x0A03},
    "arm": {_ELF_LIBC6, 0x0903, 0x0B03},
    "ppc64": {0x0503},
    "ppc64le": {0x0503},
    "s390x": {0x0403},
    "riscv64": {0x1003},
    "loongarch64": {0x1203},
}


def read_cache(
    data: Buffer, *, machine: str, hwcaps: Sequence[str] = (), name: str = "/etc/ld.so.cache"
) -> dict[str, str]:
    """Return library name → path, as the loader of one machine would pick.

    Args:
        data: content of the file.
        machine: as in :attr:`diptych.binaries.Binary.machine`.
        hwcaps: subfolders that the CPU allows, best first, like ``glibc-hwcaps/x86-64-v3``.
        name: the file, for messages.

    Raises:
        FormatError: the file is damaged, or in no format known here.
    """
    whole = View(data=data, name=name, size=len(data))
    view = _new_format(whole)
    order = _byte_order(view)
    levels = [level.removeprefix("glibc-hwcaps/") for level in hwcaps]
    names = _hwcap_names(view, order)
    best: dict[str, tuple[int, str]] = {}
    for library, path, hwcap in _entries(view, order, _FLAGS.get(machine, {_ELF_LIBC6})):
        rank = _rank(hwcap, names, levels)
        if rank is not None and (library not in best or rank < best[library][0]):
            best[library] = (rank, path)
    return {library: path for library, (_, path) in best.items()}


def _new_format(view: View) -> View:
    if view.take(0, min(len(_OLD), view.size), "the magic") != _OLD:
        return view
    count = view.unpack(struct.Struct("=I"), len(_OLD), "the old header")[0]
    start = -(-(len(_OLD) + 4 + count * _OLD_ENTRY) // 8) * 8
    return view.part(start, view.size - start, "the part in the new format")


def _byte_order(view: View) -> str:
    if view.take(0, min(len(_NEW), view.size), "the magic") != _NEW:
        raise view.fail("is no ld.so.cache of a known format", 0)
    flag = view.take(28, 1, "the header")[0] & 3
    return {2: "<", 3: ">"}.get(flag, "=")


def _entries(view: View, order: str, wanted: set[int]) -> Iterator[tuple[str, str, int]]:
    count = view.unpack(struct.Struct(order + "I"), len(_NEW), "the header")[0]
    if count > _MAX_ENTRIES:
        raise view.fail(f"is hostile: it claims {count} entries", len(_NEW))
    record = struct.Struct(order + "iIIIQ")
    for flags, key, value, _, hwcap in view.rows(record, _HEADER_SIZE, count, "the entries"):
        if flags in wanted:
            yield view.text(key, view.size, "a name"), view.text(value, view.size, "a path"), hwcap


def _hwcap_names(view: View, order: str) -> list[str]:
    """Return the names of the extension section that entries refer to by index."""
    at = view.unpack(struct.Struct(order + "I"), 32, "the header")[0]
    if at == 0:
        return []
    pair = struct.Struct(order + "II")
    magic, count = view.unpack(pair, at, "the extension header")
    if magic != _EXTENSION_MAGIC or count > _MAX_SECTIONS:
        return []
    for tag, _, offset, size in view.rows(struct.Struct(order + "4I"), at + 8, count, "the extensions"):
        if tag == _TAG_HWCAPS:
            words = view.rows(struct.Struct(order + "I"), offset, min(size // 4, _MAX_SECTIONS), "hwcaps")
            return [view.text(row[0], view.size, "a hwcaps name") for row in words]
    return []


def _rank(hwcap: int, names: Sequence[str], levels: Sequence[str]) -> int | None:
    """Return how good an entry is (0 is best), or None when the CPU must not use it."""
    if hwcap == 0:
        return len(levels)
    index = hwcap & 0xFFFFFFFF
    if hwcap & _HWCAP_BY_NAME and index < len(names) and names[index] in levels:
        return levels.index(names[index])
    return None
