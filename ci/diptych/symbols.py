"""Overlinking: needed libraries of which a binary uses no symbol.

The rule is the loader's (ld.so(8); gABI chapter 5, "Shared Object Dependencies"): each undefined symbol is bound
to the first object of the scope, breadth first, that defines it with the right version. A library to which
nothing is bound can be dropped without changing any binding. That is what ``ldd -u`` tests and what
``ld --as-needed`` would have left out at link time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from diptych.binaries import Binary, Symbol

_C_LIBRARY = re.compile(r"(libc\.so|libc\.musl|ld-linux|ld64\.so|ld-musl|libSystem)")

_Definitions = Mapping[str, tuple[Symbol, ...]]


def unused_needed(binary: Binary, providers: Mapping[str, Binary]) -> tuple[str, ...]:
    """Return the needed libraries to which the binary binds no symbol, in the order of its NEEDED entries.

    It rather keeps too much than drops what is used:

    - a library that is not among the providers, or whose symbols were not read, is kept;
    - so is one whose versions are referred to in ``.gnu.version_r``: without it ld.so refuses to start;
    - weak references count as uses (as for ``ldd -u``; ``ld --as-needed`` does not count them), and so does data of
      a library that an executable has a copy of (copy relocations);
    - a definition whose version is only perhaps the right one keeps its library, and the search goes on;
    - re-exported Mach-O libraries are kept;
    - the C library and the dynamic linker are never reported when not a single symbol could be resolved.

    Symbols that no provider defines (such as ``Py*``, which the interpreter brings) keep no library.
    A library can be wanted for its initialisers alone: that cannot be seen here.

    Args:
        binary: read with its symbols.
        providers: needed name → library with its symbols, in scope order; libraries needed indirectly may follow.

    Returns:
        The names that can be dropped; nothing when the binary's symbols were not read.
    """
    if binary.symbols is None:
        return ()
    tables = {
        name: _defined(library.symbols) for name, library in providers.items() if library.symbols is not None
    }
    used = _kept(binary, tables)
    bound: set[str] = set()
    for symbol in _references(binary):
        bound |= _bound(symbol, tables, binary)
    unused = (name for name in dict.fromkeys(binary.needed) if name not in used | bound)
    return tuple(name for name in unused if bound or not _C_LIBRARY.match(name.rpartition("/")[2]))


def _kept(binary: Binary, tables: Mapping[str, _Definitions]) -> set[str]:
    """Return the needed names that stay whatever the symbols say."""
    unknown = {name for name in binary.needed if name not in tables}
    return unknown | {need.library for need in binary.version_needs} | set(binary.reexported)


def _references(binary: Binary) -> Iterable[Symbol]:
    """Yield the symbols that the loader looks up in libraries."""
    copies = binary.kind == "executable" and binary.format == "elf"
    for symbol in binary.symbols or ():
        if not symbol.defined or (copies and symbol.kind == "object"):
            yield symbol


def _defined(symbols: Iterable[Symbol]) -> _Definitions:
    found: dict[str, tuple[Symbol, ...]] = {}
    for symbol in symbols:
        if symbol.defined and symbol.binding != "local":
            found[symbol.name] = (*found.get(symbol.name, ()), symbol)
    return found


def _bound(wanted: Symbol, tables: Mapping[str, _Definitions], binary: Binary) -> set[str]:
    """Return the libraries that the symbol is bound to: one, or several where it is not certain which."""
    if binary.format == "macho" and wanted.library is not None:  # two-level namespace: the linker has decided
        return {wanted.library}
    found: set[str] = set()
    for name, table in tables.items():
        fit = _fit(wanted, table.get(wanted.name, ()))
        if fit is not None:
            found.add(name)
        if fit:
            break
    return found


def _fit(wanted: Symbol, definitions: tuple[Symbol, ...]) -> bool | None:
    """Tell whether one of the definitions is what ld.so takes: True, False for perhaps, None for no.

    A reference with a version takes that version, or a definition without any; one without a version takes
    the base version or the default one (glibc ``elf/dl-lookup.c``, ``check_match``).
    """
    if not definitions:
        return None
    if wanted.version is None:
        return any(found.version is None or found.default_version for found in definitions)
    if any(found.version in {None, wanted.version} for found in definitions):
        return True
    return None
