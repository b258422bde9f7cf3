"""Check the records of the processes of a test run: interpreter, modules and libraries must be those of the cell."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from diptych.errors import LinkageError

FOLDER = Path(__file__).parent / "recorder"
_LIBPYTHON = re.compile(r"libpython\d(\.\d+)?[a-z]*\.(so|dylib)|Python\.framework/Versions/[^/]+/Python$")
_SYSTEM_ROOTS = (Path("/lib"), Path("/lib64"), Path("/usr/lib"), Path("/usr/lib64"), Path("/System"))


@dataclass(frozen=True, kw_only=True)
class ProcessRecord:
    """One Python process of a test run.

    Attributes:
        executable: its interpreter.
        version: "3.11".
        imported: whether it imported the package under test.
        modules: the package's modules and their files.
        libraries: every shared library that was mapped at its end.
    """

    executable: Path
    version: str
    imported: bool
    modules: dict[str, Path]
    libraries: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What has to be true of every process that imported the package.

    Attributes:
        package: import name.
        python: "3.11".
        homes: folders that libraries may come from: prefix, build tree, stage, source, overlay.
        modules: the folder that the package's modules must come from, and how to call it.
        own: SONAMEs that the environment itself provides; a system library of that name is a stranger.
    """

    package: str
    python: str
    homes: tuple[Path, ...]
    modules: Path
    own: frozenset[str]


def read_process_records(folder: Path) -> tuple[ProcessRecord, ...]:
    """Read the records that :mod:`diptych.testing.recorder` left, in the order of process ids."""
    return tuple(_read(path) for path in sorted(folder.glob("*.json"), key=lambda path: int(path.stem)))


def judge(records: Sequence[ProcessRecord], promise: Promise) -> tuple[Path, ...]:
    """Hold the records against the promise.

    Returns:
        The libraries of the processes that imported the package, sorted.

    Raises:
        LinkageError: no process imported the package; it came from elsewhere; a second libpython, a library from
            outside the cell or another Python took part.
    """
    users = [record for record in records if record.imported]
    if not users:
        raise LinkageError(
            f'the tests passed, but no process imported "{promise.package}"',
            hint="check tool.diptych.package and the test command",
        )
    faults = list(dict.fromkeys(fault for record in users for fault in _faults(record, promise)))
    if faults:
        raise LinkageError(
            "the tests passed, but not with this cell's files alone", details=faults, hint=_hint(faults)
        )
    return tuple(sorted({library for record in users for library in record.libraries}))


def _faults(record: ProcessRecord, promise: Promise) -> Iterator[str]:
    if record.version != promise.python:
        yield f"wrong Python: {record.executable} is {record.version}, the cell is {promise.python}"
    for name, path in record.modules.items():
        if not _under(path, (promise.modules,)):
            yield f"{name} was imported from {path}, not from {promise.modules}"
    libpythons = Counter(path.resolve() for path in record.libraries if _LIBPYTHON.search(str(path)))
    if len(libpythons) > 1:
        yield "a second libpython was loaded: " + ", ".join(map(str, sorted(libpythons)))
    for library in record.libraries:
        if _under(library, promise.homes):
            continue
        if not _under(library, _SYSTEM_ROOTS):
            yield f"loaded from outside the cell: {library}"
        elif library.name in promise.own or _LIBPYTHON.search(library.name):
            yield f"loaded from the system instead of the cell: {library}"


def _hint(faults: Sequence[str]) -> str:
    if any(" was imported from " in fault for fault in faults):
        return "the tests change sys.path, or an installed copy shadows the built one: import the package plainly"
    return "`diptych doctor` on that library tells who asks for it"


def _under(path: Path, homes: Sequence[Path]) -> bool:
    """Tell whether a path lies in one of the folders, either as written or with links followed."""
    candidates = (path, path.resolve())
    return any(one.is_relative_to(home) for home in homes for one in candidates)


def _read(path: Path) -> ProcessRecord:
    record = json.loads(path.read_text(encoding="utf-8"))
    return ProcessRecord(
        executable=Path(record["executable"]),
        version=record["version"],
        imported=record["imported"],
        modules={name: Path(file) for name, file in record["modules"].items()},
        libraries=tuple(map(Path, record["libraries"])),
    )
