"""What a package says about itself: the texts of a wheel, the JSON of a conda package, an environment's records.

Source: core metadata specifications and PEP 427 (``.dist-info``), CEP 34 (``info/``), ``conda-meta`` of a prefix.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from diptych.archives.limits import Guard

_HEADER = re.compile(r"^(Metadata-Version|Name|Version):[ \t]*(.+?)[ \t\r]*$", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """The metadata of one package, read when asked for.

    Whatever the package does not have is an empty text or mapping; what is there but broken is a FormatError.

    Attributes:
        dist_info: the wheel's ``.dist-info`` folder, or "".
        record_files: names of an environment's ``conda-meta/*.json``.
        read: returns a small file of the package, or None.
        guard: names the package in errors.
    """

    dist_info: str = ""
    record_files: tuple[str, ...] = ()
    read: Callable[[str], bytes | None] = field(repr=False, compare=False)
    guard: Guard = field(repr=False)

    @cached_property
    def metadata(self) -> str:
        """METADATA of a wheel; it has Metadata-Version, Name and Version."""
        text = self._text("METADATA")
        missing = {"metadata-version", "name", "version"} - set(self.headers(text))
        if self.dist_info and missing:
            raise self.guard.refuse(f"has no {', '.join(sorted(missing))}", f"{self.dist_info}/METADATA")
        return text

    @cached_property
    def wheel(self) -> str:
        """WHEEL of a wheel."""
        return self._text("WHEEL")

    @cached_property
    def record(self) -> str:
        """RECORD of a wheel."""
        return self._text("RECORD")

    @cached_property
    def entry_points(self) -> str:
        """entry_points.txt of a wheel."""
        return self._text("entry_points.txt")

    @cached_property
    def index(self) -> Mapping[str, Any]:
        """info/index.json: name, version, build, depends, …."""
        return self._json("info/index.json")

    @cached_property
    def paths(self) -> Mapping[str, Any]:
        """info/paths.json: every file with size and SHA-256."""
        return self._json("info/paths.json")

    @cached_property
    def run_exports(self) -> Mapping[str, Any]:
        """info/run_exports.json (CEP 12)."""
        return self._json("info/run_exports.json")

    @cached_property
    def about(self) -> Mapping[str, Any]:
        """info/about.json."""
        return self._json("info/about.json")

    @cached_property
    def link(self) -> Mapping[str, Any]:
        """info/link.json: entry points of a noarch package."""
        return self._json("info/link.json")

    @cached_property
    def records(self) -> tuple[Mapping[str, Any], ...]:
        """The records of an environment's packages, sorted by file name."""
        return tuple(self._json(name) for name in self.record_files)

    @staticmethod
    def headers(text: str) -> dict[str, str]:
        """Return Metadata-Version, Name and Version of a METADATA text, by lower-case name."""
        head = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
        return {match[1].lower(): match[2] for match in _HEADER.finditer(head)}

    def _text(self, name: str) -> str:
        if not self.dist_info:
            return ""
        path = f"{self.dist_info}/{name}"
        found = self.read(path)
        if found is None:
            return ""
        try:
            return found.decode()
        except UnicodeDecodeError as error:
            raise self.guard.refuse(f"not UTF-8: {error.reason} at byte {error.start}", path) from error

    def _json(self, name: str) -> Mapping[str, Any]:
        found = self.read(name)
        if found is None:
            return {}
        try:
            value = json.loads(found)
        except RecursionError:
            raise self.guard.refuse("broken JSON: nested too deeply", name) from None
        except ValueError as error:  # JSONDecodeError, UnicodeDecodeError, absurdly long numbers
            raise self.guard.refuse(f"broken JSON: {error}", name) from error
        if not isinstance(value, dict):
            raise self.guard.refuse(f"a JSON object is expected, not {type(value).__name__}", name)
        return value
