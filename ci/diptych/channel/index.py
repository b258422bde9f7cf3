"""The channel's folder: which packages are in it, whether they are whole, and the index that conda reads.

Every package has a record (``.records/KEY.json``: its name, size, hash and origin) that is written after it.
What has no record, or another size or hash than recorded, is removed and made again; the index is written
last, by rattler, and compared with the records each time, so that a killed run is repaired by the next.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from diptych.channel.conda_file import CondaFile
from diptych.errors import ChannelError, PackageError
from diptych.packages.channel_folder import index_folder
from diptych.store import read_json, sha256_file, write_json

_RECORDS = ".records"
# Raised when a maker changes what it writes: packages of other makers are removed and made again.
MAKERS = 7
ADDED = "added"
"""In a record's origin: a person put the package there."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One package of the channel, as it was made.

    Attributes:
        file: its name, size and hash.
        mtime_ns: of the file, so that an unchanged one need not be hashed again.
        origin: where its contents came from.
    """

    file: CondaFile
    mtime_ns: int
    origin: Mapping[str, Any]

    def path(self, root: Path) -> Path:
        """Return where the package is."""
        return root / self.file.subdir / self.file.filename

    def is_whole(self, root: Path) -> bool:
        """Tell whether the package is there, with the recorded contents."""
        try:
            state = self.path(root).stat()
        except OSError:
            return False
        if state.st_size != self.file.size:
            return False
        return state.st_mtime_ns == self.mtime_ns or sha256_file(self.path(root)) == self.file.sha256


def read_record(root: Path, key: str) -> Record | None:
    """Return the record of a key if its package is there and whole."""
    record = _load(root / _RECORDS / f"{key}.json")
    return record if record and record.is_whole(root) else None


def write_record(root: Path, key: str, file: CondaFile, origin: Mapping[str, object]) -> Record:
    """Record a package that was just written."""
    mtime = (root / file.subdir / file.filename).stat().st_mtime_ns
    record = Record(file=file, mtime_ns=mtime, origin=dict(origin))
    alias_record(root, key, record)
    return record


def alias_record(root: Path, key: str, record: Record) -> None:
    """Let another key mean the same package."""
    write_json(root / _RECORDS / f"{key}.json", {"makers": MAKERS, **asdict(record)})


def forget(root: Path, unwanted: Callable[[CondaFile], bool]) -> None:
    """Remove records; the packages themselves go when the index is next refreshed."""
    for path in (root / _RECORDS).glob("*.json"):
        if (record := _load(path)) and unwanted(record.file):
            path.unlink()


def all_records(root: Path) -> list[Record]:
    """Return the records of all packages, each once, by name and version, whole or not."""
    found = {}
    for path in sorted((root / _RECORDS).glob("*.json")):
        if record := _load(path):
            found[record.file.subdir, record.file.filename] = record
    return [found[key] for key in sorted(found, key=lambda key: (key[1], key[0]))]


def added(root: Path) -> dict[str, tuple[str, ...]]:
    """Return what a person has added: the name of each package that is whole, and its requirements as indexed."""
    found: dict[str, tuple[str, ...]] = {}
    for record in all_records(root):
        if record.origin.get(ADDED) and record.is_whole(root):
            entries = read_json(root / record.file.subdir / "repodata.json").get("packages.conda", {})
            depends = entries.get(record.file.filename, {}).get("depends", ())
            found[record.file.name] = (*found.get(record.file.name, ()), *map(str, depends))
    return found


def _load(path: Path) -> Record | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value["makers"] != MAKERS:
            return None
        return Record(file=CondaFile(**value["file"]), mtime_ns=value["mtime_ns"], origin=value["origin"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def refresh(root: Path, *, say: Callable[[str], None]) -> bool:
    """Remove what is damaged or unrecorded, and write the index if it does not say what is there.

    Args:
        root: the channel's folder.
        say: told of each package that is removed.

    Returns:
        Whether the index was written.

    Raises:
        ChannelError: rattler cannot index the packages.
    """
    (root / "noarch").mkdir(parents=True, exist_ok=True)
    for path in root.glob("*/.*.conda.*"):  # what store.written leaves when it is killed
        path.unlink(missing_ok=True)
    whole = {record.path(root): record for record in all_records(root) if record.is_whole(root)}
    for path in root.glob("*/*.conda"):
        if path not in whole:
            say(f"removing {path.name}: damaged, or left by a stopped run or an older Diptych")
            path.unlink()
    present = {record.file.filename: record.file.sha256 for record in whole.values()}
    if _indexed(root) == present:
        return False
    _index(root)
    return True


def _indexed(root: Path) -> dict[str, str] | None:
    """Return file names and hashes of the index as it stands; None when it cannot be read."""
    found: dict[str, str] = {}
    pattern = ("*/*.conda", "*/repodata.json", "noarch")
    subdirs = {path.relative_to(root).parts[0] for each in pattern for path in root.glob(each)}
    try:
        for subdir in subdirs:
            data = json.loads((root / subdir / "repodata.json").read_text(encoding="utf-8"))
            found |= {name: entry["sha256"] for name, entry in data["packages.conda"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return found


def _index(root: Path) -> None:
    try:
        index_folder(root)
    except PackageError as error:
        raise ChannelError(error.summary, hint="`invoke channel --rebuild` makes it anew") from error
