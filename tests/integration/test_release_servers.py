"""rattler-build's uploaders of prefix.dev and Quetz, against a server on loopback that takes what they send."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from diptych.credentials import Credentials
from diptych.errors import ChannelError, ReleaseError
from diptych.release.destinations import channel_of
from diptych.release.model import Destination, Item, Kind
from diptych.store import sha256_file
from helpers import conda_server, servers
from helpers.conda_package import tiny_conda

KEY = "key-of-the-channel-3c9"
VARIABLES = {"prefix": "PREFIX_API_KEY", "quetz": "QUETZ_API_KEY"}


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    root = tmp_path / "server"
    root.mkdir()
    program = Path(conda_server.__file__)
    with servers.running(
        lambda at: [sys.executable, program, str(at), root, KEY], tmp_path / "server.log"
    ) as found:
        yield found.rstrip("/")


@pytest.fixture
def item(tmp_path: Path) -> Item:
    return packed(tmp_path / "first", "one")


def packed(folder: Path, content: str) -> Item:
    path = tiny_conda(folder, "pair", "1.0", "h0_0", content=content)
    return Item(
        kind=Kind.CONDA, path=path, subdir="linux-64", sha256=sha256_file(path), size=path.stat().st_size
    )


def channel(word: str, tmp_path: Path, **keys: str) -> Destination:
    env = dict(os.environ)  # noqa: TID251 -- tests are a surface
    return channel_of(word, root=tmp_path, credentials=Credentials(values=keys), env=env)


@pytest.mark.parametrize("kind", sorted(VARIABLES))
def test_a_package_is_sent_listed_and_not_sent_twice(kind: str, url: str, item: Item, tmp_path: Path) -> None:
    there = channel(f"{kind}+{url}/us", tmp_path, **{VARIABLES[kind]: KEY})
    there.check_access()
    assert there.look([item]) == {}
    there.send(item)
    there.settle([item])
    assert there.look([item]) == {item.name: item.sha256}
    other = packed(tmp_path / "second", "two")
    assert other.path.name == item.path.name
    assert there.look([other]) == {item.name: item.sha256}
    with pytest.raises(ReleaseError, match="did not take"):
        there.send(other)
    assert there.look([other]) == {item.name: item.sha256}


@pytest.mark.parametrize("kind", sorted(VARIABLES))
def test_a_wrong_key_is_told_and_not_shown(kind: str, url: str, item: Item, tmp_path: Path) -> None:
    there = channel(f"{kind}+{url}/us", tmp_path, **{VARIABLES[kind]: "wrong-key-5e5e"})
    with pytest.raises(ReleaseError, match=VARIABLES[kind]) as caught:
        there.send(item)
    assert "wrong-key-5e5e" not in str(caught.value)
    assert there.look([item]) == {}


def test_a_server_that_is_down(item: Item, tmp_path: Path) -> None:
    with servers.refusing() as url:
        there = channel(f"quetz+{url}us", tmp_path)
        with pytest.raises(ChannelError, match="cannot be reached"):
            there.check_access()
        with pytest.raises(ReleaseError, match="did not take"):
            there.send(item)
