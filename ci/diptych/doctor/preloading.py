"""Libraries that a package's own Python code loads by name, before a module asks for them (``ctypes.CDLL`` in ``__init__``).

What the process has under a SONAME meets every later need of that name, wherever it was found (ld.so(8)).
"""

from __future__ import annotations

from collections.abc import Iterable

from diptych.archives import Package, PackageKind
from diptych.rules import Evidence
from diptych.rules.names import stem
from diptych.rules.reaching import needs

_LOADERS = (b"CDLL(", b"cdll.", b"LoadLibrary(", b"RTLD_GLOBAL", b"dlopen(")
_LARGEST = 1 << 20


def preloaded(package: Package, evidence: Evidence) -> dict[str, str]:
    """Return own library → the Python file that loads it, of those that some search in the package misses.

    Args:
        package: open.
        evidence: with closures.

    Raises:
        FormatError: a member cannot be inflated.
    """
    missed = {
        own.place: stem(own.place).encode()
        for need in needs(evidence)
        if need.entry.missing
        and need.root.binary.kind != "executable"
        and (own := evidence.own_library(need.entry.name)) is not None
    }
    if not missed or package.kind not in {PackageKind.WHEEL, PackageKind.CONDA}:
        return {}
    found: dict[str, str] = {}
    for member, pieces in package.container.stream(
        lambda member: member.name.endswith(".py") and member.size <= _LARGEST
    ):
        text = b"".join(pieces)
        if any(loader in text for loader in _LOADERS):
            found |= {place: member.name for place in _named(missed.items(), text) if place not in found}
    return found


def _named(missed: Iterable[tuple[str, bytes]], text: bytes) -> list[str]:
    return [place for place, name in missed if name in text or name.removeprefix(b"lib") + b"." in text]
