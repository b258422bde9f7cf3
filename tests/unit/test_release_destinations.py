"""Words for places to publish to, and how a release stands to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from diptych.credentials import Credentials
from diptych.errors import ConfigError, ReleaseError
from diptych.output import Output
from diptych.release.destinations import channel_of, index_of
from diptych.release.folder_channel import FolderChannel
from diptych.release.model import Item, Kind, State
from diptych.release.s3_channel import S3Channel
from diptych.release.sending import check_places, send_all, statuses_of
from diptych.release.server_channel import ServerChannel

NONE = Credentials(values={})


@pytest.mark.parametrize(
    ("word", "kind", "url", "channel", "readers"),
    [
        ("https://prefix.dev/us", "prefix", "https://prefix.dev", "us", "https://prefix.dev/us"),
        (
            "https://anaconda.org/us",
            "anaconda",
            "https://api.anaconda.org",
            "us",
            "https://conda.anaconda.org/us",
        ),
        ("quetz+https://q.io/us", "quetz", "https://q.io", "us", "https://q.io/get/us"),
        ("quetz+http://q.io/sub/us", "quetz", "http://q.io/sub", "us", "http://q.io/sub/get/us"),
        ("prefix+http://127.0.0.1:80/us", "prefix", "http://127.0.0.1:80", "us", "http://127.0.0.1:80/us"),
        ("anaconda+https://a.io/us", "anaconda", "https://a.io", "us", "https://a.io/us"),
    ],
)
def test_channels_of_servers(word: str, kind: str, url: str, channel: str, readers: str) -> None:
    found = channel_of(word, root=Path("/here"), credentials=NONE, env={})
    assert isinstance(found, ServerChannel)
    assert (found.kind, found.url, found.channel, found.readers) == (kind, url, channel, readers)


def test_other_channels(tmp_path: Path) -> None:
    assert channel_of("out", root=tmp_path, credentials=NONE, env={}) == FolderChannel(
        folder=tmp_path / "out"
    )
    assert channel_of("file:///a/b%20c", root=tmp_path, credentials=NONE, env={}) == FolderChannel(
        folder=Path("/a/b c")
    )
    found = channel_of("s3://bucket/a/b/", root=tmp_path, credentials=NONE, env={})
    assert isinstance(found, S3Channel)
    assert (found.bucket, found.prefix, found.name) == ("bucket", "a/b", "s3://bucket/a/b")


@pytest.mark.parametrize(
    "word",
    [
        "https://example.com/us",
        "https://prefix.dev",
        "quetz+https://q.io/",
        "ftp://a/b",
        "https://a:b@prefix.dev/us",
    ],
)
def test_channels_that_mean_nothing(tmp_path: Path, word: str) -> None:
    with pytest.raises(ConfigError):
        channel_of(word, root=tmp_path, credentials=NONE, env={})


def test_indexes() -> None:
    pypi = index_of("pypi", None, project="pair", credentials=NONE, env={})
    assert (pypi.upload, pypi.simple) == ("https://upload.pypi.org/legacy/", "https://pypi.org/simple/")
    own = index_of("http://127.0.0.1:1/up", None, project="pair", credentials=NONE, env={})
    assert (own.upload, own.simple) == ("http://127.0.0.1:1/up", "http://127.0.0.1:1/up/simple/")
    told = index_of("http://h/up", "http://h/list/", project="pair", credentials=NONE, env={})
    assert told.simple == "http://h/list/"
    with pytest.raises(ConfigError, match="--index"):
        index_of("pipy", None, project="pair", credentials=NONE, env={})


@dataclass
class Shelf:
    """A destination in memory that forgets to list when told to."""

    held: dict[str, str] = field(default_factory=dict)
    forgetful: bool = False
    log: list[str] = field(default_factory=list)
    name: str = "shelf"

    def accepts(self, kind: Kind) -> bool:
        return kind is Kind.CONDA

    def check_access(self) -> None:
        self.log.append("access")

    def look(self, items: object) -> dict[str, str]:  # noqa: ARG002 -- of the protocol
        self.log.append("look")
        return dict(self.held)

    def send(self, item: Item) -> None:
        self.log.append(f"send {item.name}")
        if not self.forgetful:
            self.held[item.name] = item.sha256

    def settle(self, items: object) -> None:  # noqa: ARG002 -- of the protocol
        self.log.append("settle")


def items() -> list[Item]:
    wheel = Item(kind=Kind.WHEEL, path=Path("p.whl"), subdir="", sha256="00" * 32, size=1)
    packages = [
        Item(kind=Kind.CONDA, path=Path(f"{name}.conda"), subdir="noarch", sha256=name * 64, size=1)
        for name in "ab"
    ]
    return [wheel, *packages]


def test_only_what_is_absent_is_sent() -> None:
    shelf = Shelf(held={"noarch/a.conda": "a" * 64})
    standings = statuses_of(items(), [shelf])
    assert [one.state for one in standings] == [State.SAME, State.ABSENT]
    assert check_places(standings).detail == "1 file to send, 1 there already"
    done = send_all(standings, [shelf], Output(env={}))
    assert [one.state for one in done] == [State.SAME, State.SENT]
    assert shelf.log == ["access", "look", "send noarch/b.conda", "settle", "look"]


def test_other_bytes_are_a_fault() -> None:
    check = check_places(statuses_of(items(), [Shelf(held={"noarch/a.conda": "c" * 64})]))
    assert "noarch/a.conda" in check.fault
    assert "make a new version" in check.fault


def test_a_destination_that_does_not_give_back_is_told() -> None:
    shelf = Shelf(forgetful=True)
    with pytest.raises(ReleaseError, match="does not give them back") as caught:
        send_all(statuses_of(items(), [shelf]), [shelf], Output(env={}))
    assert caught.value.details == ("noarch/a.conda", "noarch/b.conda")
