"""Whether a binary has a C++ runtime inside: the symbols that only libstdc++, libc++ or an unwinder defines."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from importlib import resources

INSIDE = b"\0N10__cxxabiv117__class_type_infoE\0"
"""The name of a type that the C++ runtime itself defines (Itanium C++ ABI, 2.9.5): it stands in the constants of libstdc++ and libc++abi,
and of a binary that one of them was linked into, stripped or not. Who uses the shared one has it as part of a symbol's name alone."""
UNWINDS = frozenset({"dl_iterate_phdr", "_dl_find_object"})
"""What an unwinder that is linked statically asks the loader; without it there is no C++ runtime inside."""
_ENOUGH = 2
"""One alone is interposed by profilers and crash reporters (``__cxa_throw``); a linked archive brings several."""


def cxx_runtimes(defined: AbstractSet[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the C++ runtimes of which a binary exports out-of-line parts, each with the symbols that tell.

    Instantiations of ``std::`` templates, which every C++ file emits as weak symbols, do not count.

    Args:
        defined: the names that the binary defines for others, as C names (without Mach-O's underscore).
    """
    found = {name: tuple(sorted(markers & defined)) for name, markers in _markers().items()}
    return {name: markers for name, markers in found.items() if len(markers) >= _ENOUGH}


@functools.cache
def _markers() -> Mapping[str, frozenset[str]]:
    text = resources.files("diptych").joinpath("data/cxx_runtimes.json").read_text(encoding="utf-8")
    return {name: frozenset(symbols) for name, symbols in json.loads(text)["runtimes"].items()}
