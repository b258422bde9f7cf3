"""The outside of a package: its record held against its contents, its metadata, its build prefixes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import final

from diptych.archives import Member, Package, PackageKind, RecordCheck, metadata_against_name
from diptych.errors import FormatError
from diptych.rules.container import BuildPrefix, ContainerFacts

# conda-build writes _h_env_placehold_…, rattler-build host_env_placehold_…; both repeat the word up to 255 characters.
_SIGN = b"_placehold_placehold"
_PREFIX = re.compile(rb"/[\w./+-]*" + _SIGN + rb"\w*")
_MAGIC = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_FIELD = re.compile(r"^([A-Za-z-]+):[ \t]*(.*?)[ \t\r]*$", re.MULTILINE)
_OVERLAP = 1024
"""Bytes of one piece that are looked at with the next: a build prefix has 255 characters at most."""


@final
class Outside:
    """Collects what container rules ask, while somebody else streams the contents through :meth:`watched`."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._faults: dict[str, list[str]] = defaultdict(list)
        self._unreadable: list[str] = []
        self._prefixes: list[BuildPrefix] = []
        self._registered = _registered(package) if package.kind is PackageKind.CONDA else {}
        self._check: RecordCheck | None = None
        try:
            self._check = RecordCheck(package)
        except FormatError as error:
            self._unreadable.append(_words(error))

    def wants(self, member: Member) -> bool:
        """Tell whether the contents of a member matter here."""
        conda = self._package.kind is PackageKind.CONDA and self._package.is_payload(member)
        return conda or (self._check is not None and self._check.wants(member))

    def watched(self, member: Member, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Pass a member's pieces on and look at them."""
        if self._check is not None:
            pieces = self._check.watched(member, pieces)
        if self._package.kind is PackageKind.CONDA and self._package.is_payload(member):
            pieces = self._searched(member, pieces)
        return pieces

    def broken(self, member: Member, error: FormatError) -> None:
        """Take note of a member that cannot be inflated."""
        self._faults["damaged in the archive"].append(f"{member.name}: {error.summary}")

    def facts(self) -> ContainerFacts:
        """Return all that was seen."""
        package = self._package
        for fault in self._check.faults() if self._check else ():
            self._faults[fault.cause].append(str(fault))
        metadata = self._text(lambda: package.metadata.metadata)
        if metadata:
            for fault in metadata_against_name(package):
                self._faults[fault.cause].append(str(fault))
        return ContainerFacts(
            filename=package.path.name,
            dist_info=package.metadata.dist_info,
            metadata=_fields(metadata),
            wheel=_fields(self._text(lambda: package.metadata.wheel)),
            entry_points=self._text(lambda: package.metadata.entry_points),
            faults={cause: tuple(sorted(lines)) for cause, lines in sorted(self._faults.items())},
            unreadable=tuple(dict.fromkeys(self._unreadable)),
            prefixes=tuple(sorted(self._prefixes, key=lambda one: one.place)),
            index=dict(package.metadata.index) if package.kind is PackageKind.CONDA else {},
        )

    def _text(self, ask: Callable[[], str]) -> str:
        try:
            return ask()
        except FormatError as error:
            self._unreadable.append(_words(error))
            return ""

    def _searched(self, member: Member, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Look for build prefixes in what passes by."""
        prefix, mode = self._registered.get(member.name, ("", ""))
        sought = prefix.encode()
        start = window = b""
        seen, other = False, ""
        for piece in pieces:
            start = start or piece[:4]
            window = window[-_OVERLAP:] + piece
            seen = seen or bool(sought and sought in window)
            if not sought and not other and _SIGN in window and (match := _PREFIX.search(window)):
                other = match[0].decode("ascii", "replace")
            yield piece
        if prefix or other:
            self._prefixes.append(
                BuildPrefix(
                    place=member.name,
                    text=prefix or other,
                    mode=mode,
                    registered=bool(prefix),
                    present=seen or bool(other),
                    binary=start.startswith(_MAGIC),
                    shebang=start.startswith(b"#!"),
                )
            )


def _words(error: FormatError) -> str:
    return f"{error.summary} {'; '.join(error.details)}".strip()


def _fields(text: str) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    head = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
    for match in _FIELD.finditer(head):
        found[match[1].lower()].append(match[2])
    return {name: tuple(values) for name, values in found.items()}


def _registered(package: Package) -> Mapping[str, tuple[str, str]]:
    """Return the files for which paths.json registers a build prefix, with the prefix and the mode."""
    try:
        rows = package.metadata.paths.get("paths")
    except FormatError:  # RecordCheck tells of it
        return {}
    found: dict[str, tuple[str, str]] = {}
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        name, prefix, mode = row.get("_path"), row.get("prefix_placeholder"), row.get("file_mode")
        if isinstance(name, str) and isinstance(prefix, str) and prefix:
            found[name] = (prefix, mode if isinstance(mode, str) else "")
    return found
