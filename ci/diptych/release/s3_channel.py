"""A conda channel in an S3-compatible store: objects through obstore, the index through rattler's own indexer.

Where the store is and who we are comes from the variables that the AWS SDKs read (AWS_ENDPOINT_URL, AWS_REGION,
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from diptych.condaclient import Order, carry_out
from diptych.credentials import Credentials
from diptych.errors import ChannelError, ReleaseError
from diptych.packages.channel_folder import SHARDS
from diptych.release.model import Item, Kind

if TYPE_CHECKING:
    from obstore.store import S3Store

_REGION = "us-east-1"
_INDEXER_VARIABLES = (
    *("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"),
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
)
_MOST_LINES = 6


@dataclass(frozen=True, kw_only=True)
class S3Channel:
    """A channel below a prefix of a bucket.

    Attributes:
        bucket: the bucket's name.
        prefix: the channel's path in it, without slashes at its ends; may be empty.
        credentials: what may be used.
    """

    bucket: str
    prefix: str
    credentials: Credentials

    @property
    def name(self) -> str:
        """The channel's URL."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def accepts(self, kind: Kind) -> bool:
        """Tell whether artefacts of that kind go there."""
        return kind is Kind.CONDA

    def check_access(self) -> None:
        """List the channel: wrong keys and a bucket that is not there show.

        Raises:
            ReleaseError: the store does not let us.
            ChannelError: it cannot be reached.
        """
        import obstore  # noqa: PLC0415 -- an extra

        with self._plainly("cannot be listed"):
            for _ in obstore.list(self._store(), chunk_size=1):
                break

    def look(self, items: Sequence[Item]) -> dict[str, str]:
        """Return the SHA-256 of those artefacts that are there, by their name; each is read, since a store's tag is no hash.

        Raises:
            ChannelError: the store cannot be reached.
        """
        found = ((item.name, self._read(item.name)) for item in items)
        return {name: hashlib.sha256(content).hexdigest() for name, content in found if content is not None}

    def send(self, item: Item) -> None:
        """Put one object, only if there is none of that name (HTTP's ``If-None-Match: *``).

        Raises:
            ReleaseError: it is there, or the store refused it.
            ChannelError: it cannot be reached.
        """
        import obstore  # noqa: PLC0415 -- as above

        with self._plainly(f"did not take {item.name}"):
            obstore.put(self._store(), item.name, item.path.read_bytes(), mode="create", use_multipart=False)

    def settle(self, items: Sequence[Item]) -> None:
        """Index the channel unless its index has them all.

        Raises:
            ReleaseError: the index could not be written.
        """
        listed = {subdir: self._index(subdir) for subdir in {item.subdir for item in items}}
        if all(listed[item.subdir].get(item.path.name) == item.sha256 for item in items):
            return
        # A client that finds shards reads nothing else (CEP 16): those that are there have to list what is new.
        shards = any(self._read(f"{subdir}/{SHARDS}") is not None for subdir in {*listed, "noarch"})
        order = Order(do="index-s3", place=self.name, s3=self._indexer_place(), shards=shards)
        failure = carry_out(order, env=self._indexer_env())
        if failure is not None:
            raise ReleaseError(
                f"{self.name}: the packages were sent, but the index could not be written",
                details=self.credentials.redacted("\n".join(failure.lines)).splitlines(),
            )

    def _index(self, subdir: str) -> dict[str, str]:
        """Return what the index of a platform lists, name → hash; nothing when it is not there or damaged."""
        content = self._read(f"{subdir}/repodata.json")
        try:
            index: dict[str, Any] = json.loads(content or b"{}")
            return {name: one["sha256"] for name, one in index.get("packages.conda", {}).items()}
        except (ValueError, AttributeError, KeyError, TypeError):
            return {}

    def _read(self, name: str) -> bytes | None:
        import obstore  # noqa: PLC0415 -- as above
        from obstore.exceptions import NotFoundError  # noqa: PLC0415 -- as above

        with self._plainly(f"gave no {name}"):
            try:
                return bytes(obstore.get(self._store(), name).bytes())
            except (NotFoundError, FileNotFoundError):
                return None

    def _store(self) -> S3Store:
        from obstore.store import S3Store  # noqa: PLC0415 -- as above

        get = self.credentials.get
        given: dict[str, Any] = {
            "endpoint": get("AWS_ENDPOINT_URL"),
            "access_key_id": get("AWS_ACCESS_KEY_ID"),
            "secret_access_key": get("AWS_SECRET_ACCESS_KEY"),
            "session_token": get("AWS_SESSION_TOKEN"),
        }
        return S3Store(
            self.bucket,
            prefix=self.prefix or None,
            region=self._region(),
            client_options={"allow_http": get("AWS_ENDPOINT_URL").startswith("http://"), "timeout": "60s"},
            retry_config={"max_retries": 2},
            **{key: value for key, value in given.items() if value},
        )

    def _region(self) -> str:
        return self.credentials.get("AWS_REGION") or self.credentials.get("AWS_DEFAULT_REGION") or _REGION

    def _indexer_place(self) -> dict[str, str] | None:
        """Return what the indexer needs beside the environment, which it reads itself: a store that is not Amazon's."""
        url = self.credentials.get("AWS_ENDPOINT_URL")
        return {"endpoint_url": url, "region": self._region()} if url else None

    def _indexer_env(self) -> dict[str, str]:
        return {name: value for name in _INDEXER_VARIABLES if (value := self.credentials.get(name))}

    @contextmanager
    def _plainly(self, what: str) -> Iterator[None]:
        """Turn an error of the store into one of ours, without the credentials that it may show."""
        from obstore.exceptions import BaseError, GenericError  # noqa: PLC0415 -- as above

        try:
            yield
        except (BaseError, OSError) as error:
            lines = self.credentials.redacted(str(error)).splitlines()[:_MOST_LINES]
            if isinstance(error, GenericError | ConnectionError):
                raise ChannelError(
                    f"{self.name} cannot be reached",
                    details=lines,
                    hint="check AWS_ENDPOINT_URL and that the store is up",
                ) from None
            raise ReleaseError(
                f"{self.name} {what}",
                details=lines,
                hint="check the bucket, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            ) from None
