"""Make a folder of conda packages a channel, the index that ``conda install -c FOLDER`` reads included."""

from __future__ import annotations

import contextlib
from pathlib import Path

from diptych.condaclient import Order, carry_out
from diptych.errors import PackageError
from diptych.packages.channel_extras import CHANNELDATA, RUN_EXPORTS, write_extras
from diptych.store import read_json


def index_folder(folder: Path) -> None:
    """Write the index of every platform below ``folder``.

    Raises:
        PackageError: a package cannot be read.
    """
    failure = carry_out(Order(do="index", place=str(folder)), env={})  # nothing but the folder is looked at
    if failure is not None:
        raise PackageError(
            f'cannot index the channel "{folder}": {failure.lines[0]}', details=failure.lines[1:]
        )
    write_extras(folder)
    with contextlib.suppress(OSError):  # the indexer's own; it leaves it empty
        (folder / ".tmp").rmdir()


def lists(folder: Path, subdir: str, name: str, sha256: str) -> bool:
    """Tell whether the channel's index is whole and lists a package with those bytes."""
    index = read_json(folder / subdir / "repodata.json")
    kinds = [f"{file}{suffix}" for file in ("repodata.json", RUN_EXPORTS) for suffix in ("", ".zst")]
    names = [CHANNELDATA, *(f"{one}/{kind}" for one in (subdir, "noarch") for kind in kinds)]
    entry = index.get("packages.conda", {}).get(name, {})
    return entry.get("sha256") == sha256 and all((folder / one).is_file() for one in names)
