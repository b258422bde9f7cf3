"""A distribution's source package, found through apt: its archive's address and hash, from lists whose signature apt has checked.

``apt-get source --print-uris`` (apt-get(8)) downloads nothing. For another suite than the machine's own, apt is given lists of its own
(apt.conf(5), ``Dir::State::Lists``) of the mirror that the
machine's lists are from (``apt-get indextargets``); a list that no key of the distribution has signed is refused by apt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from diptych import process
from diptych.errors import ChannelError, MissingToolError, ProcessError

_URI = re.compile(r"^'([^']+)' (\S+\.orig\.tar\.\w+) \d+ SHA256:([0-9a-f]{64})$", re.MULTILINE)
_TARGETS = "$(REPO_URI)|$(ORIGIN)|$(LABEL)"
# Where a distribution keeps its own keys (debian-archive-keyring, ubuntu-keyring); elsewhere those of trusted.gpg.d count.
_KEYS = {
    "Debian": "/usr/share/keyrings/debian-archive-keyring.gpg",
    "Ubuntu": "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
}
_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class Archive:
    """A source archive that apt has told of.

    Attributes:
        url: where it is.
        sha256: of its bytes.
    """

    url: str
    sha256: str


def find(words: str, *, folder: Path, env: Mapping[str, str]) -> Archive:
    """Return the archive of ``PACKAGE`` or ``PACKAGE/SUITE``.

    Args:
        words: the package, and the suite unless it is the machine's own.
        folder: where apt may keep lists.
        env: the process environment.

    Raises:
        ChannelError: there is no apt, or it has no such source package.
    """
    package, _, suite = words.partition("/")
    try:
        own = _lists(suite, folder / suite, env) if suite else {}
        found = _apt(["source", "--print-uris", package], {**env, **own}, folder)
    except MissingToolError as error:
        raise ChannelError(f'"apt:{words}" cannot be looked for: {error.summary}') from error
    except ProcessError as error:
        lines = [line for line in error.details if line.startswith(("E:", "W:"))]
        raise ChannelError(f'apt has no source package "{words}"', details=lines or error.details) from error
    archives = _URI.findall(found)
    if len(archives) != 1:
        raise ChannelError(f'apt knows {len(archives)} archives of the source package "{words}", not one')
    ((url, _, sha256),) = archives
    return Archive(url=url, sha256=sha256)


def _lists(suite: str, folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Fetch the lists of a suite into a folder, and return what makes apt read them and no others."""
    parts = folder / "parts"
    for each in (parts, folder / "lists" / "partial", folder / "cache" / "archives" / "partial"):
        each.mkdir(parents=True, exist_ok=True)
    mirror, key = _mirror(env, folder)
    signed = f"Signed-By: {key}\n" if key else ""
    text = f"Types: deb-src\nURIs: {mirror}\nSuites: {suite}\nComponents: main\n{signed}"
    (parts / "suite.sources").write_text(text, encoding="utf-8")
    settings = {
        "Dir::Etc::SourceList": "/dev/null",
        "Dir::Etc::SourceParts": parts,
        "Dir::State::Lists": folder / "lists",
        "Dir::Cache": folder / "cache",
    }
    (folder / "apt.conf").write_text(
        "".join(f'{name} "{value}";\n' for name, value in settings.items()), encoding="utf-8"
    )
    own = {"APT_CONFIG": str(folder / "apt.conf")}
    _apt(["update"], {**env, **own}, folder)
    return own


def _mirror(env: Mapping[str, str], folder: Path) -> tuple[str, str]:
    """Return the mirror and the key of the machine's own lists."""
    answer = _apt(["indextargets", "--format", _TARGETS, "Created-By: Packages"], env, folder)
    rows = [row for line in answer.splitlines() if len(row := line.split("|")) == len(_TARGETS.split("|"))]
    # A distribution's security updates, and strangers, have labels of their own.
    rows.sort(key=lambda row: row[1] != row[2] or row[1] not in _KEYS)
    if not rows:
        raise ChannelError("apt has no list of packages on this machine", hint="run `apt-get update`")
    mirror, origin, _ = rows[0]
    key = _KEYS.get(origin, "")
    return mirror, key if Path(key).is_file() else ""


def _apt(words: list[str], env: Mapping[str, str], folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    return process.run(["apt-get", *words], env={**env, "LC_ALL": "C"}, cwd=folder, timeout=_SECONDS).output
