"""The timestamp of all files of a package (reproducible-builds.org/specs/source-date-epoch).

A solver that has two builds of one version takes the newer one, by ``timestamp`` in the index: so the time has to grow with
the sources, and be the same wherever the same sources are built.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from diptych import process

EARLIEST = 315532800
"""1980-01-01: the first instant that a zip archive can hold."""
_LATEST = 4354819198
"""2107-12-31: the last one (APPNOTE.TXT, 4.4.6: seven bits for the year)."""


@dataclass(frozen=True, kw_only=True)
class TimeStamp:
    """A time and where it is from.

    Attributes:
        epoch: seconds since 1970.
        source: ``SOURCE_DATE_EPOCH``, ``the last commit``, ``the newest file of the sdist``, or why it is 1980.
    """

    epoch: int
    source: str


def time_stamp(root: Path, source: Path, *, env: Mapping[str, str]) -> TimeStamp:
    """Choose the time of a checkout.

    SOURCE_DATE_EPOCH wins; then the time of the last commit, also where files were changed since: a second build of them
    has to give the same bytes; then, in an unpacked sdist, the time of its newest file.

    Args:
        root: the folder of the table.
        source: the folder of the extension.
        env: the process environment.
    """
    given = env.get("SOURCE_DATE_EPOCH", "")
    if given.isdecimal():
        return _within(int(given), "SOURCE_DATE_EPOCH")
    if (committed := _committed(root, env)) is not None:
        return _within(committed, "the last commit")
    if (source / "PKG-INFO").is_file():
        return _within(max(_file_times(source)), "the newest file of the sdist")
    return TimeStamp(epoch=EARLIEST, source="neither a commit nor an sdist")


def _within(epoch: int, source: str) -> TimeStamp:
    return TimeStamp(epoch=min(max(epoch, EARLIEST), _LATEST), source=source)


def _committed(root: Path, env: Mapping[str, str]) -> int | None:
    """Return the committer's time of HEAD, unless this is no checkout: a copy may lie inside of a stranger's."""
    if process.which("git", env) is None:
        return None
    listed = process.run(["git", "ls-files", "--", "pyproject.toml"], env=env, cwd=root, check=False)
    if listed.returncode != 0 or not listed.output.strip():
        return None
    # No signature is shown, whatever the person's own settings are.
    command = ["git", "log", "-1", "--no-show-signature", "--format=%ct", "HEAD"]
    said = process.run(command, env=env, cwd=root, check=False)
    text = said.output.strip()
    return int(text) if said.returncode == 0 and text.isdecimal() else None


def _file_times(source: Path) -> Iterator[int]:
    """Yield the times of the files that an archive gave; folders get theirs when it is unpacked."""
    yield int((source / "PKG-INFO").stat().st_mtime)
    for name in ("pyproject.toml", "CMakeLists.txt", "setup.py", "meson.build"):
        if (source / name).is_file():
            yield int((source / name).stat().st_mtime)
