"""A channel of a conda server - prefix.dev, anaconda.org, Quetz - through rattler-build's own uploaders."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diptych import process
from diptych.credentials import Credentials
from diptych.errors import ChannelError, ProcessError, ReleaseError
from diptych.release.model import Item, Kind

_SECONDS = 60.0
_UPLOAD_SECONDS = 1800.0
_LISTED_SECONDS = 60.0
_PAUSE_SECONDS = 2.0
_OK, _NOT_FOUND = 200, 404


@dataclass(frozen=True, kw_only=True)
class Server:
    """A kind of server.

    Attributes:
        host: the public one; empty when each has a server of its own.
        variable: the one with its API key.
        read: the channel's URL for readers, with {url} and {channel}.
        header: the header that carries the key when a private channel is read.
    """

    host: str
    variable: str
    read: str
    header: str


SERVERS = {
    "prefix": Server(
        host="https://prefix.dev", variable="PREFIX_API_KEY", read="{url}/{channel}", header="Authorization"
    ),
    "anaconda": Server(
        host="https://api.anaconda.org",
        variable="ANACONDA_API_KEY",
        read="https://conda.anaconda.org/{channel}",
        header="Authorization",
    ),
    "quetz": Server(host="", variable="QUETZ_API_KEY", read="{url}/get/{channel}", header="X-API-Key"),
}


@dataclass(frozen=True, kw_only=True)
class ServerChannel:
    """A channel of a server.

    Attributes:
        kind: a key of :data:`SERVERS`.
        url: the server's.
        channel: the channel's name, or the owner at anaconda.org.
        credentials: what may be used; without a key the uploader asks rattler's keyring or auth file.
        env: the environment of the uploader, without secrets.
    """

    kind: str
    url: str
    channel: str
    credentials: Credentials
    env: Mapping[str, str]

    @property
    def name(self) -> str:
        """Kind, server and channel."""
        return f"{self.kind}+{self.url}/{self.channel}"

    @property
    def readers(self) -> str:
        """The URL that conda reads the channel at."""
        if self.kind == "anaconda" and self.url != SERVERS["anaconda"].host:
            return f"{self.url}/{self.channel}"
        return SERVERS[self.kind].read.format(url=self.url, channel=self.channel)

    def accepts(self, kind: Kind) -> bool:
        """Tell whether artefacts of that kind go there."""
        return kind is Kind.CONDA

    def check_access(self) -> None:
        """Read the channel. Whether the key may write shows with the first upload; these servers tell nobody before.

        Raises:
            ChannelError: it cannot be reached.
            ReleaseError: it does not let us read.
        """
        self._fetch("noarch/repodata.json")

    def look(self, items: Sequence[Item]) -> dict[str, str]:
        """Return the SHA-256 of those artefacts that are there, by their name.

        The index tells; one that it does not list (yet) is asked for by its URL.

        Raises:
            ChannelError: the server cannot be reached.
        """
        listed = self._indexes(items)
        found = {
            item.name: listed[item.subdir].get(item.path.name) or self._hash(item.name) for item in items
        }
        return {name: sha256 for name, sha256 in found.items() if sha256}

    def send(self, item: Item) -> None:
        """Upload one package.

        Raises:
            ReleaseError: the server refused it.
        """
        words = [self.kind, self.url, self.channel, SERVERS[self.kind].variable, str(item.path)]
        command = [sys.executable, "-m", "diptych.release.uploader", *words]
        env = {**self.env, **self.credentials.values}
        try:
            process.run(command, env=env, cwd=item.path.parent, timeout=_UPLOAD_SECONDS)
        except ProcessError as error:
            lines = [self.credentials.redacted(line) for line in error.details if line.strip()]
            raise ReleaseError(
                f"{self.name} did not take {item.name}",
                details=lines,
                hint=f"check {SERVERS[self.kind].variable} and the channel",
            ) from None

    def settle(self, items: Sequence[Item]) -> None:
        """Wait until the server lists what it has taken.

        Raises:
            ReleaseError: it does not within a minute.
        """
        deadline = time.monotonic() + _LISTED_SECONDS
        while missing := self._unlisted(items):
            if time.monotonic() > deadline:
                raise ReleaseError(
                    f"{self.name} has taken the packages, but does not list them after {_LISTED_SECONDS:.0f} s",
                    details=missing,
                    hint="its index may lag behind",
                )
            time.sleep(_PAUSE_SECONDS)

    def _key(self) -> str:
        return self.credentials.get(SERVERS[self.kind].variable)

    def _unlisted(self, items: Sequence[Item]) -> list[str]:
        listed = self._indexes(items)
        return [item.name for item in items if item.path.name not in listed[item.subdir]]

    def _indexes(self, items: Sequence[Item]) -> dict[str, Mapping[str, str]]:
        """Read the index of every platform once."""
        return {subdir: self._index(subdir) for subdir in {item.subdir for item in items}}

    def _index(self, subdir: str) -> Mapping[str, str]:
        content = self._fetch(f"{subdir}/repodata.json")
        try:
            index: dict[str, Any] = json.loads(content or b"{}")
            return {name: one["sha256"] for name, one in index.get("packages.conda", {}).items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ChannelError(f"{self.readers}/{subdir}/repodata.json cannot be read: {error!r}") from error

    def _hash(self, name: str) -> str:
        content = self._fetch(name)
        return hashlib.sha256(content).hexdigest() if content is not None else ""

    def _fetch(self, name: str) -> bytes | None:
        """Read a file of the channel; None when there is none of that name."""
        import requests  # noqa: PLC0415 -- an extra, and not needed by a listing

        header = SERVERS[self.kind].header
        key = f"Bearer {self._key()}" if header == "Authorization" else self._key()
        headers = {"Cache-Control": "no-cache", **({header: key} if self._key() else {})}
        try:
            answer = requests.get(f"{self.readers}/{name}", headers=headers, timeout=_SECONDS)
        except (requests.RequestException, ValueError) as error:
            raise ChannelError(
                f"{self.name} cannot be reached",
                details=[self.credentials.redacted(str(error))],
                hint="check the URL and that the server is up",
            ) from None
        if answer.status_code == _OK:
            return bytes(answer.content)
        if answer.status_code == _NOT_FOUND:
            return None
        raise ReleaseError(
            f"{self.readers}/{name}: the server answers {answer.status_code} {answer.reason}",
            hint=f"check {SERVERS[self.kind].variable} and the channel's name",
        )
