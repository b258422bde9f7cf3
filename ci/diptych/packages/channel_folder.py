"""Make a folder of conda packages a channel, the index that ``conda install -c FOLDER`` reads included."""

from __future__ import annotations

import contextlib
from pathlib import Path

from diptych.condaclient import Order, carry_out
from diptych.errors import PackageError
from diptych.packages.channel_extras import CHANNELDATA, RUN_EXPORTS, write_extras
from diptych.store import read_json

SHARDS = "repodata_shards.msgpack.zst"
"""The list of a platform's shards: one small file a package name (CEP 16)."""


def index_folder(folder: Path) -> None:
    """Write the index of every platform below ``folder``; the sharded one (CEP 16) only where there is one already.

    A client that finds shards reads nothing else, so those that are there have to list what is new. Where there are none, a client
    takes ``repodata.json.zst`` after one answer "404". Shards spare it the download of an index of many megabytes; that of one project
    has a few kilobytes, and would carry the time of its making, so that two builds of one commit differed.

    Raises:
        PackageError: a package cannot be read.
    """
    shards = any(folder.glob(f"*/{SHARDS}"))
    # Nothing but the folder is looked at.
    failure = carry_out(Order(do="index", place=str(folder), shards=shards), env={})
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
