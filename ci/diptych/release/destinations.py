"""From the words of the table or the command line to the places that a release goes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from diptych.config.forms import INDEX, TARGET
from diptych.credentials import Credentials
from diptych.errors import ConfigError, MissingToolError
from diptych.release.folder_channel import FolderChannel
from diptych.release.model import Destination
from diptych.release.package_index import KNOWN, PackageIndex
from diptych.release.s3_channel import S3Channel
from diptych.release.server_channel import SERVERS, ServerChannel

_PUBLIC = {
    "prefix.dev": "prefix",
    "repo.prefix.dev": "prefix",
    "anaconda.org": "anaconda",
    "conda.anaconda.org": "anaconda",
}


def index_of(
    word: str,
    simple: str | None,
    *,
    project: str,
    credentials: Credentials,
    env: Mapping[str, str],
    tell: Callable[[str], None] | None = None,
    chatty: bool = False,
) -> PackageIndex:
    """Return the package index that a word means.

    Args:
        word: "pypi", "testpypi", or the URL that takes uploads.
        simple: the URL of its simple API; None for ``simple/`` beside the upload URL.
        project: the project's name.
        credentials: what may be used.
        env: the environment of twine.
        tell: is given what twine says.
        chatty: let it say more.

    Raises:
        ConfigError: it means none.
        MissingToolError: twine is not installed.
    """
    if not INDEX.accepts(word):
        raise ConfigError(f'--index "{word}": expected {INDEX.words}')
    _require("twine", "pypi_simple")
    upload, listing = KNOWN.get(word) or (word, f"{word.rstrip('/')}/simple/")
    return PackageIndex(
        project=project,
        name=word,
        upload=upload,
        simple=simple or listing,
        credentials=credentials,
        env=env,
        tell=tell,
        chatty=chatty,
    )


def channel_of(word: str, *, root: Path, credentials: Credentials, env: Mapping[str, str]) -> Destination:
    """Return the conda channel that a word means.

    Args:
        word: a folder, or a URL as ``tool.diptych.release.channel`` describes.
        root: what a relative folder is relative to.
        credentials: what may be used.
        env: the environment of an uploader.

    Raises:
        ConfigError: it means none.
        MissingToolError: a package that the channel needs is not installed.
    """
    if not TARGET.accepts(word):
        raise ConfigError(f'--channel "{word}": expected {TARGET.words}')
    parts = urlsplit(word)
    if parts.scheme in {"", "file"}:
        folder = Path(url2pathname(parts.path)) if parts.scheme else root / word
        return FolderChannel(folder=folder.resolve())
    if parts.scheme == "s3":
        _require("obstore")
        return S3Channel(bucket=parts.netloc, prefix=parts.path.strip("/"), credentials=credentials)
    _require("requests")
    kind, _, scheme = parts.scheme.rpartition("+")
    path, _, channel = parts.path.strip("/").rpartition("/")
    kind = kind or _PUBLIC.get(parts.netloc, "")
    if not kind or not channel:
        raise ConfigError(
            f'the channel "{word}" names no server and channel that Diptych knows',
            hint=f"expected {TARGET.words}",
        )
    own = f"{scheme}://{parts.netloc}/{path}".rstrip("/")
    url = SERVERS[kind].host if parts.netloc in _PUBLIC else own
    return ServerChannel(kind=kind, url=url, channel=channel, credentials=credentials, env=env)


def secrets_of(channel: str) -> tuple[str, ...]:
    """Return the variables that publishing to a channel takes its secrets from; none for a folder."""
    parts = urlsplit(channel)
    if parts.scheme == "s3":
        return ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    kind = parts.scheme.rpartition("+")[0] or _PUBLIC.get(parts.netloc, "")
    return (SERVERS[kind].variable,) if kind else ()


def _require(*modules: str) -> None:
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise MissingToolError(
            f"publishing needs {', '.join(missing).replace('_', '-')}, which this installation lacks",
            hint="pip install 'diptych[release]'",
        )
