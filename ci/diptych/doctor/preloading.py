"""Libraries that a package's own Python code loads by name, before a module asks for them (``ctypes.CDLL`` in ``__init__``).

What the process has under a SONAME meets every later need of that name, wherever it was found (ld.so(8)).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
    loaders: dict[str, list[str]] = {}
    starts: dict[str, bytes] = {}
    for member, pieces in package.container.stream(
        lambda member: member.name.endswith(".py") and member.size <= _LARGEST
    ):
        text = b"".join(pieces)
        if member.name.endswith("/__init__.py"):
            starts[member.name] = text
        if any(loader in text for loader in _LOADERS) and (named := _named(missed.items(), text)):
            loaders[member.name] = named
    run = {name: places for name, places in loaders.items() if _on_import(name, starts)}
    return {place: name for name in sorted(run, reverse=True) for place in run[name]}


def _named(missed: Iterable[tuple[str, bytes]], text: bytes) -> list[str]:
    quoted = (b'"%s"', b"'%s'")
    return [
        place
        for place, name in missed
        if name in text or any(form % name.removeprefix(b"lib") in text for form in quoted)
    ]


def _on_import(name: str, starts: Mapping[str, bytes]) -> bool:
    """Tell whether a file runs when its package is imported: it is an ``__init__``, or one of a folder above names it."""
    folder, _, file = name.rpartition("/")
    if file == "__init__.py":
        return True
    module = file.removesuffix(".py").encode()
    above = (start for start in starts if f"{folder}/".startswith(f"{start.rpartition('/')[0]}/"))
    return any(module in starts[start] for start in above)
