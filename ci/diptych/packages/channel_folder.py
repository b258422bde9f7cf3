"""Make a folder of conda packages a channel, the index that ``conda install -c FOLDER`` reads included."""

from __future__ import annotations

import contextlib
from pathlib import Path

from diptych.coroutines import run_to_end
from diptych.errors import PackageError
from diptych.store import read_json


def index_folder(folder: Path) -> None:
    """Write the index of every platform below ``folder``.

    Raises:
        PackageError: a package cannot be read.
    """
    from rattler.index import index_fs  # noqa: PLC0415 -- heavy, and not needed by a listing

    try:
        # No shards: clients keep those, and a folder is read whole in a millisecond. Forced: an index that a
        # killed run left half written would otherwise be read and trusted.
        run_to_end(index_fs(folder, write_zst=True, write_shards=False, force=True))
    except Exception as error:  # py-rattler raises a different class for each thing that can go wrong
        raise PackageError(f'cannot index the channel "{folder}": {error}') from error
    with contextlib.suppress(OSError):  # the indexer's own; it leaves it empty
        (folder / ".tmp").rmdir()


def lists(folder: Path, subdir: str, name: str, sha256: str) -> bool:
    """Tell whether the channel's index is whole and lists a package with those bytes."""
    index = read_json(folder / subdir / "repodata.json")
    names = [f"{one}/repodata.json{suffix}" for one in (subdir, "noarch") for suffix in ("", ".zst")]
    entry = index.get("packages.conda", {}).get(name, {})
    return entry.get("sha256") == sha256 and all((folder / one).is_file() for one in names)
