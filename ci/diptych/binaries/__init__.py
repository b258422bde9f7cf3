"""Readers of ELF and Mach-O: untrusted bytes in, frozen facts out.

>>> from diptych.binaries import read_file
>>> (binary,) = read_file("/bin/true")  # doctest: +SKIP
>>> binary.needed  # doctest: +SKIP
('libc.so.6',)

Headers and dynamic sections are read at once; what costs more (symbols, hashes, signatures) are functions of the
binary and its bytes, which :func:`mapped` gives.
"""

from diptych.binaries.bytesview import Buffer
from diptych.binaries.macho_aligned import align_names, with_aligned_names
from diptych.binaries.model import (
    Binary,
    Endianness,
    Format,
    Hardening,
    Kind,
    Section,
    Segment,
    Signature,
    Symbol,
    VersionDefinition,
    VersionNeed,
)
from diptych.binaries.reading import (
    HEAD,
    code_hashes,
    dynamic_symbols,
    find_binaries,
    hardening,
    header_room,
    mapped,
    read,
    read_file,
    signature,
    sniff,
    static_symbols,
)

__all__ = [
    "HEAD",
    "Binary",
    "Buffer",
    "Endianness",
    "Format",
    "Hardening",
    "Kind",
    "Section",
    "Segment",
    "Signature",
    "Symbol",
    "VersionDefinition",
    "VersionNeed",
    "align_names",
    "code_hashes",
    "dynamic_symbols",
    "find_binaries",
    "hardening",
    "header_room",
    "mapped",
    "read",
    "read_file",
    "signature",
    "sniff",
    "static_symbols",
    "with_aligned_names",
]
