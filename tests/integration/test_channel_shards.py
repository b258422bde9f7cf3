"""Channels with a sharded index (CEP 16): what is sent is listed there too, as clients that find one read nothing else."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import rattler
from rattler.index import index_fs

from diptych.credentials import Credentials
from diptych.packages.channel_folder import SHARDS, index_folder
from diptych.release.folder_channel import FolderChannel
from diptych.release.model import Destination, Item, Kind
from diptych.release.s3_channel import S3Channel
from diptych.store import sha256_file
from helpers.conda_package import tiny_conda
from helpers.servers import bucket, object_store, web_server


def seen_by_a_client(url: str, cache: Path) -> set[str]:
    """The versions of ``pair`` that py-rattler sees over HTTP, where it takes shards if there are any."""

    async def ask() -> Any:  # noqa: ANN401 -- py-rattler's own list of lists
        return await rattler.Gateway(cache_dir=cache).query([url], ["linux-64"], ["pair"])

    return {str(record.version) for part in asyncio.run(ask()) for record in part}


def channel_of_another(folder: Path) -> Path:
    """A channel with version 1.0, as rattler-index leaves it."""
    (folder / "noarch").mkdir(parents=True)
    tiny_conda(folder / "linux-64", "pair", "1.0", "h0_0")
    asyncio.run(index_fs(folder, write_shards=True))
    assert (folder / "linux-64" / SHARDS).is_file()
    return folder


def send(there: Destination, tmp_path: Path) -> None:
    path = tiny_conda(tmp_path / "made", "pair", "1.1", "h0_0")
    item = Item(
        kind=Kind.CONDA, path=path, subdir="linux-64", sha256=sha256_file(path), size=path.stat().st_size
    )
    there.send(item)
    there.settle([item])


@contextmanager
def in_a_folder(forge: Path, tmp_path: Path) -> Iterator[str]:
    send(FolderChannel(folder=forge), tmp_path)
    with web_server(forge, tmp_path) as url:
        yield url


@contextmanager
def in_a_store(forge: Path, tmp_path: Path) -> Iterator[str]:
    with object_store(tmp_path) as url:
        made = bucket(url, "releases")
        for path in forge.rglob("*"):
            if path.is_file():
                made.upload_file(str(path), f"forge/{path.relative_to(forge).as_posix()}")
        keys = {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
        send(S3Channel(bucket="releases", prefix="forge", credentials=Credentials(values=keys)), tmp_path)
        copy = tmp_path / "copy"  # what a reader gets; the store itself asks for a signature
        for one in made.objects.all():
            (copy / one.key).parent.mkdir(parents=True, exist_ok=True)
            (copy / one.key).write_bytes(one.get()["Body"].read())
    with web_server(copy / "forge", tmp_path) as url:
        yield url


@pytest.mark.parametrize("place", [in_a_folder, in_a_store])
def test_shards_that_are_there_list_what_is_new(place: Callable[..., Any], tmp_path: Path) -> None:
    with place(channel_of_another(tmp_path / "forge"), tmp_path) as url:
        assert seen_by_a_client(url, tmp_path / "cache") == {"1.0", "1.1"}


def test_a_channel_without_them_is_read_all_the_same_and_gets_none(tmp_path: Path) -> None:
    folder = tmp_path / "channel"
    (folder / "noarch").mkdir(parents=True)
    tiny_conda(folder / "linux-64", "pair", "1.0", "h0_0")
    hashes = []
    for _ in range(2):
        index_folder(folder)
        assert not list(folder.rglob("*shards*"))
        hashes.append({path: hashlib.sha256(path.read_bytes()).digest() for path in folder.rglob("*.*")})
    assert hashes[0] == hashes[1]  # no time of its making is in an index
    with web_server(folder, tmp_path) as url:
        assert seen_by_a_client(url, tmp_path / "cache") == {"1.0"}
