"""One wheel, opened: its metadata and where each of its files belongs (PEP 427, PEP 491)."""

from __future__ import annotations

import importlib.metadata
import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from packaging.utils import canonicalize_name, parse_wheel_filename

from diptych.errors import ChannelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file of a wheel.

    Attributes:
        scheme: ``site`` for modules, or ``scripts``, ``data``, ``headers`` (PEP 427's .data folders).
        path: relative to that scheme's folder.
        read: returns its bytes.
        executable: its x bit in the zip.
        crc: its checksum, as the zip's directory has it.
    """

    scheme: str
    path: str
    read: Callable[[], bytes]
    executable: bool
    crc: int


class Wheel:
    """A wheel file, opened for reading; to be closed, or used in a ``with`` block.

    Raises:
        ChannelError: it is no wheel.
    """

    def __init__(self, path: Path) -> None:
        """Open the wheel at ``path``."""
        self.path = path
        try:
            _, self.version, _, self.tags = parse_wheel_filename(path.name)
            self._zip = zipfile.ZipFile(path)
            self.dist_info = self._find_dist_info()
        except (ValueError, OSError, zipfile.BadZipFile) as error:
            raise ChannelError(
                f'cannot read wheel "{path}": {error}', hint="invoke channel --rebuild fetches it again"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def _find_dist_info(self) -> str:
        folders = {name.split("/", 1)[0] for name in self._zip.namelist() if ".dist-info/" in name}
        found = [folder for folder in folders if folder.endswith(".dist-info")]
        if len(found) != 1:
            raise ValueError(f"{len(found)} .dist-info folders")
        return found[0]

    @cached_property
    def distribution(self) -> importlib.metadata.Distribution:
        """The standard library's view of METADATA, entry_points.txt and RECORD."""
        return importlib.metadata.PathDistribution(zipfile.Path(self._zip, f"{self.dist_info}/"))

    @property
    def metadata(self) -> Message:
        """The fields of METADATA."""
        return cast("Message", self.distribution.metadata)

    @property
    def name(self) -> str:
        """The canonical project name."""
        return canonicalize_name(str(self.metadata["Name"]))

    @property
    def is_pure(self) -> bool:
        """Whether one copy serves every Python and platform."""
        return all(tag.platform == "any" and tag.abi == "none" for tag in self.tags)

    def members(self) -> Iterator[Member]:
        """Yield its files.

        Raises:
            ChannelError: a path leads out of the wheel.
        """
        data = f"{self.dist_info.removesuffix('.dist-info')}.data/"
        for info in self._zip.infolist():
            if info.is_dir():
                continue
            name = info.filename
            if name.startswith("/") or ".." in name.split("/") or posixpath.normpath(name) != name:
                raise ChannelError(f'wheel "{self.path.name}" has a file outside its folder: "{name}"')
            scheme, path = "site", name
            if name.startswith(data):
                scheme, _, path = name.removeprefix(data).partition("/")
                scheme = "site" if scheme in ("purelib", "platlib") else scheme
            yield Member(
                scheme=scheme,
                path=path,
                read=partial(self._zip.read, info),
                executable=bool((info.external_attr >> 16) & 0o111),
                crc=info.CRC,
            )

    def text(self, path: str) -> str:
        """Return a member as text; empty when it is not there."""
        try:
            return self._zip.read(path).decode(errors="replace")
        except KeyError:
            return ""


def license_of(metadata: Message) -> str:
    """Return the license as METADATA names it: the SPDX expression, the short field or the classifiers."""
    if expression := metadata.get("License-Expression"):
        return str(expression)
    classifiers = [str(value) for value in metadata.get_all("Classifier", [])]
    named = [value.rpartition(" :: ")[2] for value in classifiers if value.startswith("License :: ")]
    field = str(metadata.get("License") or "").strip()
    return field if field and "\n" not in field else " AND ".join(named)
