"""Files and bytes → binaries: recognising, mapping, finding, and the facts that cost a second look."""

from __future__ import annotations

import contextlib
import dataclasses
import mmap
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from diptych.binaries.bytesview import Buffer, View
from diptych.binaries.elf import compiled_sections, elf_hardening, read_elf
from diptych.binaries.elf_headers import ELF_MAGIC, read_headers
from diptych.binaries.elf_placed import Placeless
from diptych.binaries.elf_symbols import dynamic_symbols as elf_dynamic_symbols
from diptych.binaries.elf_symbols import static_symbols as elf_static_symbols
from diptych.binaries.macho import macho_hardening, read_macho
from diptych.binaries.macho_commands import is_macho, read_commands
from diptych.binaries.macho_room import header_room as room_of
from diptych.binaries.macho_signature import signature_of
from diptych.binaries.macho_symbols import macho_symbols
from diptych.binaries.model import Binary, Format, Hardening, Section, Signature, Symbol
from diptych.errors import FormatError

HEAD = 8
"""How many first bytes of a file :func:`sniff` wants."""


def sniff(head: bytes) -> Format | None:
    """Return the format of a file that begins with ``head`` (8 bytes are enough), or None."""
    if head[:4] == ELF_MAGIC:
        return "elf"
    return "macho" if is_macho(head[:HEAD]) else None


def read(data: Buffer, name: str, *, symbols: bool = False) -> tuple[Binary, ...]:
    """Read the facts of a binary.

    Args:
        data: its bytes; a mapped file is touched only where headers stand.
        name: the file, for messages.
        symbols: fill :attr:`Binary.symbols` too.

    Returns:
        One binary for ELF and thin Mach-O, one for each slice of a universal file.

    Raises:
        FormatError: it is neither format, or it is damaged or hostile.
    """
    data = _flat(data)
    view = View(data=data, name=name, size=len(data))
    found = sniff(bytes(data[:HEAD]))
    if found is None:
        raise view.fail("is neither ELF nor Mach-O", 0)
    binaries = (read_elf(view),) if found == "elf" else read_macho(view)
    if not symbols:
        return binaries
    return tuple(dataclasses.replace(binary, symbols=dynamic_symbols(binary, data)) for binary in binaries)


def read_file(path: str | os.PathLike[str], *, symbols: bool = False) -> tuple[Binary, ...]:
    """Read the facts of a binary file, through a mapping.

    Args:
        path: the file.
        symbols: fill :attr:`Binary.symbols` too.

    Raises:
        FormatError: it cannot be read, is neither format, or is damaged or hostile.
    """
    with mapped(path) as data:
        return read(data, os.fspath(path), symbols=symbols)


@contextlib.contextmanager
def mapped(path: str | os.PathLike[str]) -> Iterator[Buffer]:
    """Yield the content of a file without reading it through.

    The file must not shrink meanwhile: the system then kills the process (mmap(2), SIGBUS).

    Raises:
        FormatError: it cannot be opened, or is no regular file.
    """
    try:
        with Path(path).open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise FormatError(f'"{os.fspath(path)}" is no regular file')
            # An empty file cannot be mapped.
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if status.st_size else b""
    except (OSError, ValueError) as error:
        raise FormatError(f'"{os.fspath(path)}" cannot be read: {_cause(error)}') from error
    try:
        yield data
    finally:
        if isinstance(data, mmap.mmap):
            data.close()


def find_binaries(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield the ELF and Mach-O files below a folder, by their first bytes, sorted by path.

    Symbolic links are not followed, neither to files nor to folders; what cannot be opened is passed over.
    """
    for name in sorted(_regular_files(os.fspath(folder))):
        try:
            # Not Path.open: this runs over whole environments of 50,000 files.
            handle = os.open(name, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0))
        except OSError:
            continue
        try:
            head = os.read(handle, HEAD)
        except OSError:
            continue
        finally:
            os.close(handle)
        if sniff(head):
            yield Path(name)


def dynamic_symbols(binary: Binary, data: Buffer) -> tuple[Symbol, ...]:
    """Return the symbols that the loader sees: ELF's dynamic symbols, Mach-O's external ones.

    Args:
        binary: as read from ``data``.
        data: the whole file.

    Raises:
        FormatError: a table is damaged or hostile.
    """
    view = _slice(binary, data)
    if binary.format == "elf":
        return elf_dynamic_symbols(read_headers(view))
    return macho_symbols(read_commands(view))


def static_symbols(binary: Binary, data: Buffer) -> tuple[Symbol, ...]:
    """Return all symbols of ``.symtab`` (ELF) or LC_SYMTAB, local ones too; nothing when stripped.

    Raises:
        FormatError: a table is damaged or hostile.
    """
    view = _slice(binary, data)
    if binary.format == "elf":
        return elf_static_symbols(read_headers(view))
    return macho_symbols(read_commands(view), local=True)


def code_hashes(binary: Binary, data: Buffer, *, placed: bool = True) -> dict[str, str]:
    """Return the SHA-256 of everything that relinking must not change, by section.

    ELF: all allocated sections of program content, arrays of initialisers and relocations (``.text``,
    ``.rodata``, ``.data``, ``.eh_frame``, ``.rela.dyn``, …) but not ``.interp``, ``.got*``, notes, symbol,
    string, hash, version and dynamic tables. Without section headers: the executable PT_LOAD segments, as
    ``LOAD:r-x``. Mach-O: all sections that have bytes; load commands and ``__LINKEDIT`` hold the rest.
    A name that occurs again gets ``#2``, ``#3``, ….

    Args:
        binary: as read from ``data``.
        data: the whole file.
        placed: by bytes; else, for ELF of the usual 64-bit processors, without the addresses where things lie, which another
            link of the same objects may give (:mod:`diptych.binaries.elf_placed`).

    Raises:
        FormatError: a section lies outside the file, or sections overlap without measure.
    """
    view = _slice(binary, data)
    digest = view.sha256
    if not placed and binary.format == "elf" and (nowhere := Placeless(elf=read_headers(view))).known:
        digest = nowhere.sha256
    hashes: dict[str, str] = {}
    total = 0
    for name, offset, size in _code_ranges(binary):
        total += size
        if total > 2 * view.size:
            raise view.fail("is hostile: its sections overlap without measure", offset)
        key, number = name, 1
        while key in hashes:
            number += 1
            key = f"{name}#{number}"
        hashes[key] = digest(offset, size, f"section {name}")
    return hashes


def hardening(binary: Binary, data: Buffer) -> Hardening:
    """Return what compiler and linker did against exploits.

    Raises:
        FormatError: the symbol tables are damaged or hostile.
    """
    symbols = binary.symbols if binary.symbols is not None else dynamic_symbols(binary, data)
    return elf_hardening(binary, symbols) if binary.format == "elf" else macho_hardening(binary, symbols)


def signature(binary: Binary, data: Buffer) -> Signature:
    """Return what a Mach-O code signature is worth, with all page hashes recomputed; ABSENT for ELF.

    Raises:
        FormatError: the load command points outside the file.
    """
    if binary.format == "elf":
        return Signature.ABSENT
    return signature_of(read_commands(_slice(binary, data)))


def header_room(binary: Binary, data: Buffer) -> int:
    """Return by how many bytes the load commands of a Mach-O slice may grow; 0 for ELF.

    Raises:
        FormatError: a load command is damaged.
    """
    if binary.format == "elf":
        return 0
    return room_of(read_commands(_slice(binary, data)), binary.sections)


def _code_ranges(binary: Binary) -> Iterator[tuple[str, int, int]]:
    if not binary.sections:
        for segment in binary.segments:
            if segment.loaded and "x" in segment.flags:
                yield f"{segment.name}:{segment.flags}", segment.offset, segment.filesz
        return
    chosen: tuple[Section, ...] = binary.sections if binary.format == "macho" else compiled_sections(binary)
    for section in chosen:
        if section.stored:
            yield section.name, section.offset, section.size


def _slice(binary: Binary, data: Buffer) -> View:
    data = _flat(data)
    whole = View(data=data, name=binary.name, size=len(data))
    return whole.part(binary.offset, binary.size, "the slice") if binary.offset else whole


def _flat(data: Buffer) -> Buffer:
    """Return a memoryview as one of single bytes."""
    if isinstance(data, memoryview) and (data.ndim != 1 or data.itemsize != 1 or not data.contiguous):
        return data.cast("B") if data.c_contiguous else data.tobytes()
    return data


def _cause(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _regular_files(folder: str) -> Iterator[str]:
    pending = [folder]
    while pending:
        try:
            entries = os.scandir(pending.pop())
        except OSError:
            continue
        with entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    yield entry.path
