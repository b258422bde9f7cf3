"""SHA256SUMS, in the form that ``sha256sum --check`` reads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from diptych.errors import FormatError, PackageError
from diptych.store import sha256_file, write_text

NAME = "SHA256SUMS"
_LINE = re.compile(r"(?P<sha256>[0-9a-f]{64}) [ *](?P<name>.+)")


def write_sums(folder: Path, paths: Iterable[Path]) -> Path:
    """Write ``SHA256SUMS`` for files below ``folder``, sorted by name.

    Raises:
        PackageError: a file is not below the folder, or its name cannot stand on one line.
        StoreError: the folder cannot be written.
    """
    lines = []
    for path in sorted(set(paths)):
        if not path.is_relative_to(folder) or set("\\\r\n") & set(path.name):
            raise PackageError(f'"{path}" cannot be named in "{folder / NAME}"')
        lines.append(f"{sha256_file(path)}  {path.relative_to(folder).as_posix()}\n")
    write_text(folder / NAME, "".join(lines))
    return folder / NAME


def check_sums(sums: Path) -> tuple[str, ...]:
    """Hold the files beside ``sums`` against it.

    Returns:
        What does not fit, a sentence each, in the order of the file; empty when all is well.

    Raises:
        FormatError: a line cannot be read, or names a file outside the folder.
    """
    faults = []
    for number, line in enumerate(sums.read_text(encoding="utf-8").splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None or Path(match["name"]).is_absolute() or ".." in Path(match["name"]).parts:
            raise FormatError(f'"{sums}", line {number}: not "SHA256  NAME": "{line}"')
        path = sums.parent / match["name"]
        if not path.is_file():
            faults.append(f"{match['name']}: missing")
        elif (found := sha256_file(path)) != match["sha256"]:
            faults.append(f"{match['name']}: {found[:12]}… instead of {match['sha256'][:12]}…")
    return tuple(faults)
