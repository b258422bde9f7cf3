"""Files that name the environment they were compiled in.

conda puts the path of the user's environment in place of a recorded text, the prefix placeholder (CEP 34): in a text at any length, in
a binary only if it is no longer than the placeholder, since nothing after it may move. An environment's own path is too short for
that, and a wheel's files are never rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from diptych.binaries import HEAD, Binary, Section, read, sniff
from diptych.errors import FormatError

_NOT_COMPILED_IN = frozenset({".pyc", ".a", ".o"})
"""Byte code is compiled again when its source has changed; archives and objects are no part of a running program."""
_PADDED = 200
_LONGEST = 255
_BINARY = b"\0"
_PROGBITS = 1


def naming(root: Path, prefixes: Iterable[Path]) -> Iterator[tuple[str, bool]]:
    """Yield each file that names one of the environments, with whether it is a binary, sorted.

    In a binary, paths of headers do not count: ``assert`` and its like put them there for messages alone. Neither does what is no
    program content: a run path that was taken out stays among the strings of the loader, and nothing reads it.

    Args:
        root: a folder.
        prefixes: of environments.
    """
    text, binary = _pattern(prefixes), _pattern(prefixes, but="include/")
    for path in sorted(root.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.suffix in _NOT_COMPILED_IN:
            continue
        content = path.read_bytes()
        is_binary = _BINARY in content
        found = any(map(binary.search, _compiled(content))) if is_binary else text.search(content)
        if found:
            yield path.relative_to(root).as_posix(), is_binary


def _compiled(content: bytes) -> Iterator[bytes]:
    """Yield the program content of an ELF or Mach-O file; all of any other."""
    try:
        binaries = read(content, "") if sniff(content[:HEAD]) else ()
    except FormatError:
        binaries = ()
    sections = [(one.offset + part.offset, part.size) for one in binaries for part in _parts(one)]
    yield from (content[begin : begin + size] for begin, size in sections)
    if not sections:
        yield content


def _parts(binary: Binary) -> list[Section]:
    kinds = {_PROGBITS} if binary.format == "elf" else {part.kind for part in binary.sections}
    return [part for part in binary.sections if part.stored and part.loaded and part.kind in kinds]


@dataclass(frozen=True, kw_only=True)
class Replaced:
    """A file with the placeholder in it.

    Attributes:
        content: of the file.
        placeholder: what stands for the environment now.
        mode: conda's word for the kind of file: ``text`` or ``binary``.
    """

    content: bytes
    placeholder: str
    mode: str


def with_placeholder(
    content: bytes, prefixes: Iterable[Path], placeholder: Callable[[int], str]
) -> Replaced | None:
    """Put a placeholder in place of every mention of an environment; None where there is none, or none that could be replaced later.

    Args:
        content: of a file.
        prefixes: of environments.
        placeholder: the text of a length in bytes.
    """
    pattern = _pattern(prefixes)
    found = pattern.search(content)
    is_binary = _BINARY in content
    if found is None or (is_binary and len(found[0]) < _PADDED):
        return None
    name = placeholder(len(found[0]) if is_binary else _LONGEST)
    same = _pattern([Path(found[0].decode())]) if is_binary else pattern
    return Replaced(
        content=same.sub(name.encode(), content), placeholder=name, mode="binary" if is_binary else "text"
    )


def _pattern(prefixes: Iterable[Path], but: str = "") -> re.Pattern[bytes]:
    """Match a prefix as a whole path or the start of one, and not ``PREFIX-2`` or ``PREFIX.old``."""
    names = {str(path) for one in prefixes for path in (one, one.resolve())}
    longest = sorted(names, key=lambda name: (-len(name), name))
    tail = rf"(?![\w-]|\.\w{f'|/{re.escape(but)}' if but else ''})"
    return re.compile(f"(?:{'|'.join(map(re.escape, longest))}){tail}".encode())
