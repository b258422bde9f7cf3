"""Files from the web: streamed to disk, checked by hash, without a file left when either fails."""

from __future__ import annotations

import hashlib
import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from diptych.errors import ChannelError

if TYPE_CHECKING:
    from http.client import HTTPResponse

_TIMEOUT = 30.0
_CHUNK = 1 << 20
FAILURES = (OSError, ValueError, http.client.HTTPException)
"""What :func:`request` raises; HTTPError and URLError are OSErrors."""
# files.pythonhosted.org/packages/2/2/60 hexadecimal digits/FILE: the BLAKE2b-256 of the contents (warehouse, "file paths").
_PYPI = re.compile(r"/packages/([0-9a-f]{2})/([0-9a-f]{2})/([0-9a-f]{60})/[^/]+$")


@dataclass(frozen=True, kw_only=True)
class Hash:
    """What the contents have to hash to.

    Attributes:
        algorithm: ``sha256`` or ``blake2b``.
        value: in hexadecimal digits; empty: nothing is known.
    """

    algorithm: str
    value: str


def is_url(word: str) -> bool:
    """Tell whether a word of a command line is a URL that can be fetched."""
    return word.startswith(("http://", "https://", "file://"))


def hash_in(url: str) -> Hash:
    """Return the hash that a URL itself states: ``#sha256=…`` (PEP 503), or in the paths of PyPI's files.

    Raises:
        ChannelError: what stands there is no such hash; without it nothing would be checked.
    """
    parts = urlsplit(url)
    if found := re.search(r"(?:^|&)sha256=([^&]*)", parts.fragment):
        if not re.fullmatch(r"[0-9a-fA-F]{64}", found[1]):
            raise ChannelError(
                f'"{found[1]}" in "{url}" is no sha256',
                hint="it has 64 digits of the base 16; or leave it out",
            )
        return Hash(algorithm="sha256", value=found[1].lower())
    if (parts.hostname or "").endswith("pythonhosted.org") and (path := _PYPI.search(parts.path)):
        return Hash(algorithm="blake2b", value="".join(path.groups()))
    return Hash(algorithm="sha256", value="")


def file_name(url: str) -> str:
    """Return the last part of a URL's path.

    Raises:
        ChannelError: it has none.
    """
    name = unquote(urlsplit(url).path).rpartition("/")[2]
    if not name or name in {".", ".."} or "\\" in name or "\0" in name:
        raise ChannelError(f'the URL "{url}" names no file')
    return name


def fetch(url: str, folder: Path, *, env: Mapping[str, str], wanted: Hash | None = None) -> Path:
    """Fetch a file into a folder.

    Args:
        url: of ``http``, ``https`` or ``file``.
        folder: an existing folder; the file keeps its name.
        env: for the proxies.
        wanted: the hash of the contents; by default what the URL states.

    Raises:
        ChannelError: it cannot be had, or has another hash.
    """
    wanted = wanted or hash_in(url)
    target = folder / file_name(url)
    hasher = hashlib.blake2b(digest_size=32) if wanted.algorithm == "blake2b" else hashlib.sha256()
    try:
        with target.open("wb") as file:
            for chunk in _chunks(url, env):
                hasher.update(chunk)
                file.write(chunk)
        _check(url, wanted, hasher.hexdigest())
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target


def _check(url: str, wanted: Hash, got: str) -> None:
    if wanted.value and got != wanted.value:
        raise ChannelError(
            f'"{url}" is not what was announced: its hash differs',
            details=[f"wanted {wanted.algorithm} {wanted.value}", f"got {got}"],
            hint="a damaged download, a stale index, or another file in its place",
        )


def read(url: str, *, env: Mapping[str, str], accept: str = "") -> bytes:
    """Return the contents of a URL.

    Raises:
        ChannelError: it cannot be had.
    """
    return b"".join(_chunks(url, env, accept))


def proxies_for(url: str, env: Mapping[str, str]) -> dict[str, str]:
    """Return the proxy for a URL by curl's rules: lower case first, no_proxy by suffix."""
    scheme, host = urlsplit(url).scheme, urlsplit(url).hostname or ""

    def value(name: str) -> str:
        return env.get(name) or env.get(name.upper()) or ""

    exempt = [each.strip().lstrip(".") for each in value("no_proxy").split(",") if each.strip()]
    if any(each in {"*", host} or host.endswith(f".{each}") for each in exempt):
        return {}
    proxy = value(f"{scheme}_proxy") or value("all_proxy")
    return {scheme: proxy} if proxy else {}


def request(
    url: str,
    *,
    env: Mapping[str, str],
    timeout: float,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
) -> HTTPResponse:
    """Ask a server, through the proxy that the environment names; what goes wrong is one of :data:`FAILURES`."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies_for(url, env)))
    asked = urllib.request.Request(url, method=method, headers={"User-Agent": "diptych", **(headers or {})})  # noqa: S310 -- is_url
    answer: HTTPResponse = opener.open(asked, timeout=timeout)
    return answer


def reason_of(error: Exception) -> str:
    """Return why a server gave nothing: its status, or what the network said."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"{error.code} {error.reason}"
    return str(error.reason if isinstance(error, urllib.error.URLError) else error) or type(error).__name__


def _chunks(url: str, env: Mapping[str, str], accept: str = "") -> Iterator[bytes]:
    if url.startswith("file://"):
        yield from _from_disk(Path(unquote(urlsplit(url).path)), url)
        return
    headers = {"Accept": accept} if accept else {}
    try:
        with request(url.partition("#")[0], env=env, timeout=_TIMEOUT, headers=headers) as answer:
            yield from _body(answer, url)
    except FAILURES as error:
        raise ChannelError(
            f'"{url}" cannot be fetched: {reason_of(error)}', hint="check the URL and the network"
        ) from error


def _body(answer: HTTPResponse, url: str) -> Iterator[bytes]:
    """Yield the body; one that ends early is an error, also where nothing else would show it."""
    length, got = answer.headers.get("Content-Length"), 0
    while chunk := answer.read(_CHUNK):
        got += len(chunk)
        yield chunk
    if length and length.isdecimal() and got != int(length):
        raise ChannelError(f'"{url}" ended after {got} of {length} bytes', hint="try again")


def _from_disk(path: Path, url: str) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise ChannelError(f'"{url}" cannot be fetched: {error.strerror}') from error
