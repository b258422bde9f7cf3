"""What a package that ships a library of its own asks of those who compile against it: ``run_exports`` (CEP 12)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from diptych.binaries import read_file, sniff

_NUMBERS = re.compile(r"\.so\.(?P<elf>\d+(?:\.\d+)*)$|\.(?P<macho>\d+(?:\.\d+)*)\.dylib$")
_FEWEST = 3


def shared_names(root: Path) -> tuple[str, ...]:
    """Return the names by which others need the libraries of an install tree, sorted; nothing where it has no headers for them.

    Args:
        root: the tree, laid out as a prefix.
    """
    if not any((root / "include").rglob("*")):
        return ()
    return tuple(sorted(set(_names(root / "lib"))))


def upper_bound(version: str, names: Iterable[str]) -> str:
    """Return how many parts of the version must stay the same, in the words of ``pin_subpackage``: ``x.x``.

    A library's own name says it where the version begins with its numbers: ``libthing.so.3.1`` of thing 3.1.0 promises that 3.1.4
    fits. Where it says nothing of the kind, nothing is promised but the version itself.

    Args:
        version: of the package.
        names: SONAMEs or install names.
    """
    parts = re.findall(r"\d+", version.partition("+")[0])
    kept = max((_kept(parts, name) for name in names), default=0) or max(len(parts), _FEWEST)
    return ".".join("x" * kept)


def _kept(parts: list[str], name: str) -> int:
    found = _NUMBERS.search(name)
    numbers = (found["elf"] or found["macho"]).split(".") if found else []
    fits = numbers and parts[: len(numbers)] == numbers
    return len(numbers) if fits else max(len(parts), _FEWEST)


def _names(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        with path.open("rb") as file:
            if sniff(file.read(8)) is None:
                continue
        binary = read_file(path)[0]
        if binary.kind == "shared" and binary.soname:
            yield binary.soname.rpartition("/")[2]
