"""A package index as a destination: twine sends wheels and sdists, the simple API tells what is there (PEP 503, 691)."""

from __future__ import annotations

import hashlib
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from diptych import process
from diptych.credentials import Credentials
from diptych.errors import ChannelError, ProcessError, ReleaseError
from diptych.release.model import Item, Kind

if TYPE_CHECKING:
    import requests
    from pypi_simple import DistributionPackage, PyPISimple

KNOWN = {
    "pypi": ("https://upload.pypi.org/legacy/", "https://pypi.org/simple/"),
    "testpypi": ("https://test.pypi.org/legacy/", "https://test.pypi.org/simple/"),
}
_SECONDS = 30.0
_UPLOAD_SECONDS = 600.0
_FORBIDDEN = (401, 403)


@dataclass(frozen=True, kw_only=True)
class PackageIndex:
    """An index that takes uploads as PyPI does.

    Attributes:
        project: the project's name.
        name: "pypi", "testpypi", or the upload URL.
        upload: the URL that takes uploads.
        simple: the URL of its simple API.
        credentials: what may be used.
        env: the environment of twine, without secrets.
        tell: is given what twine is called with and says; None keeps it to itself.
        chatty: let twine say more.
    """

    project: str
    name: str
    upload: str
    simple: str
    credentials: Credentials
    env: Mapping[str, str]
    tell: Callable[[str], None] | None = None
    chatty: bool = False

    def accepts(self, kind: Kind) -> bool:
        """Tell whether artefacts of that kind go there."""
        return kind in {Kind.WHEEL, Kind.SDIST}

    def check_access(self) -> None:
        """Send an upload form without a file: the answer tells whether the credentials are taken, and nothing is stored.

        Raises:
            ChannelError: the index cannot be reached.
            ReleaseError: it does not know us.
        """
        import requests  # noqa: PLC0415 -- an extra, and not needed by a listing

        login = self._login
        if login is None and self._trusted():
            return  # twine exchanges the run's identity for a token when it uploads
        with self._reached():
            answer = requests.post(
                self.upload,
                data={":action": "file_upload", "protocol_version": "1"},
                auth=login,
                timeout=_SECONDS,
            )
        if answer.status_code in _FORBIDDEN:
            said = f"it takes no upload without credentials ({answer.status_code})"
            if login:
                said = f'it does not take the credentials of "{login[0]}" ({answer.status_code})'
            raise ReleaseError(
                f"{self.name}: {said}",
                hint="set TWINE_PASSWORD to an API token (TWINE_USERNAME is __token__ by default), or store it with keyring",
            )

    def look(self, items: Sequence[Item]) -> dict[str, str]:
        """Return the SHA-256 of those artefacts that the index lists, by their name.

        Raises:
            ChannelError: it cannot be reached, or its answer cannot be read.
        """
        from pypi_simple import NoSuchProjectError, PyPISimple  # noqa: PLC0415 -- as above

        wanted = {item.path.name: item.name for item in items}
        with self._reached(), PyPISimple(self.simple, session=self._session()) as client:
            try:
                page = client.get_project_page(
                    self.project, timeout=_SECONDS, headers={"Cache-Control": "no-cache"}
                )
            except (NoSuchProjectError, _ElsewhereError):
                return {}
            return {
                wanted[one.filename]: one.digests.get("sha256") or _downloaded(client, one)
                for one in page.packages
                if one.filename in wanted
            }

    def send(self, item: Item) -> None:
        """Upload one file with twine.

        Raises:
            ReleaseError: twine could not, or the index refused.
        """
        words = ["upload", "--non-interactive", "--disable-progress-bar", "--repository-url", self.upload]
        verbose = ["--verbose"] if self.chatty else []
        command: list[str | Path] = [sys.executable, "-m", "twine", "--no-color", *words, *verbose, item.path]
        env = {**self.env, **self.credentials.values}
        if login := self._login:
            env |= {"TWINE_USERNAME": login[0], "TWINE_PASSWORD": login[1]}
        try:
            done = process.run(command, env=env, cwd=item.path.parent, timeout=_UPLOAD_SECONDS)
            self._tell(done)
        except ProcessError as error:
            lines = [self.credentials.redacted(line) for line in error.details if line.strip()]
            raise ReleaseError(
                f"{self.name} did not take {item.name}",
                details=lines,
            ) from None

    def _tell(self, done: process.Completed) -> None:
        if self.tell is not None:
            text = f"$ {shlex.join(done.argv)}\n{done.output.rstrip()}"
            for line in self.credentials.redacted(text).splitlines():
                self.tell(line)

    def settle(self, items: Sequence[Item]) -> None:
        """Nothing: an index lists what it has taken."""

    @cached_property
    def _login(self) -> tuple[str, str] | None:
        """User and password from the environment or the keyring, which is asked once: it may ask a person."""
        user = self.credentials.get("TWINE_USERNAME") or "__token__"
        password = self.credentials.get("TWINE_PASSWORD") or _from_keyring(self.upload, user)
        return (user, password) if password else None

    def _trusted(self) -> bool:
        return self.name in KNOWN and bool(self.credentials.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))

    def _session(self) -> requests.Session:
        import requests  # noqa: PLC0415 -- as above

        session = requests.Session()
        session.hooks["response"].append(_stay)
        if self.name not in KNOWN:  # an index of one's own may want to know who reads
            session.auth = self._login
        return session

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Turn an error of the network into one of ours, without the credentials that it may show."""
        import requests  # noqa: PLC0415 -- as above

        try:
            yield
        except (requests.RequestException, ValueError) as error:
            raise ChannelError(
                f"{self.name} cannot be reached, or gave no answer that can be read",
                details=[self.credentials.redacted(str(error))],
                hint="check the URL and that the server is up",
            ) from None


class _ElsewhereError(Exception):
    """The index sends us to another one."""


def _stay(answer: requests.Response, **_: object) -> None:
    """Refuse to be sent to another host: an index that falls back to PyPI says so for a project that it does not have."""
    target = answer.headers.get("Location", "")
    if answer.is_redirect and urlsplit(target).netloc not in {"", urlsplit(answer.url).netloc}:
        raise _ElsewhereError


def _from_keyring(url: str, user: str) -> str:
    """Ask the keyring as twine does; where there is none, twine asks nobody either."""
    try:
        import keyring  # noqa: PLC0415 -- brought by twine

        return keyring.get_password(url, user) or ""
    except Exception:  # noqa: BLE001 -- a backend of the desktop may fail in any way
        return ""


def _downloaded(client: PyPISimple, package: DistributionPackage) -> str:
    """Hash a file that its index gives no hash of."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        client.download_package(package, path, verify=False, timeout=_SECONDS)
        return hashlib.sha256(path.read_bytes()).hexdigest()
