"""One panel: what a wheel, a conda package or a stage holds, in terms that fit all three."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from diptych.archives import Package, PackageKind, open_package
from diptych.binaries import HEAD, code_hashes, read, sniff

_SITE = re.compile(r"^lib/python\d+\.\d+t?/site-packages/|^site-packages/")
_GRAFTED = re.compile(r"(?:^|/)[^/]+\.libs/|(?:^|/)\.dylibs/")
# auditwheel writes libfoo-1a2b3c4d.so.1 for libfoo.so.1 (auditwheel's repair module).
_HASHED = re.compile(r"-[0-9a-f]{8}(?=\.)")


@dataclass(frozen=True, kw_only=True)
class PanelBinary:
    """A binary of one panel.

    Attributes:
        name: where it lies, as seen from site-packages.
        soname: SONAME or install name.
        needed: needed libraries in order, hashed names undone.
        rpath: run path entries, RPATH or RUNPATH.
        code: hash of each code section.
        size: bytes.
        grafted: whether a repair tool brought it in.
    """

    name: str
    soname: str | None
    needed: tuple[str, ...]
    rpath: tuple[str, ...]
    code: Mapping[str, str]
    size: int
    grafted: bool


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One side of a comparison.

    Attributes:
        title: file name.
        size: download size in bytes.
        installed: bytes when unpacked.
        files: payload files as seen from site-packages, and their sizes.
        binaries: the binaries among them, by name.
        depends: run dependencies as the package states them.
    """

    title: str
    size: int
    installed: int
    files: Mapping[str, int]
    binaries: Mapping[str, PanelBinary]
    depends: tuple[str, ...]

    @property
    def own(self) -> tuple[PanelBinary, ...]:
        """The project's own binaries."""
        return tuple(binary for binary in self.binaries.values() if not binary.grafted)

    @property
    def grafted(self) -> tuple[PanelBinary, ...]:
        """The libraries that a repair tool brought in."""
        return tuple(binary for binary in self.binaries.values() if binary.grafted)


def read_panel(path: Path) -> Panel:
    """Read a panel from a wheel, a ``.conda`` or a stage folder.

    Raises:
        FormatError: the archive or one of its binaries is damaged.
    """
    with open_package(path) as package:
        payload = {member.name: member for member in package.payload if member.link is None}
        found = {}
        for member, content in package.walk(lambda member: member.name in payload):
            if sniff(content[:HEAD]):
                found[site_name(member.name)] = _panel_binary(member.name, content)
        return Panel(
            title=path.name,
            size=package.size if path.is_file() else 0,
            installed=sum(member.size for member in payload.values()),
            files={site_name(name): member.size for name, member in sorted(payload.items())},
            binaries=dict(sorted(found.items())),
            depends=_depends(package),
        )


def site_name(name: str) -> str:
    """Return a file's place as seen from site-packages."""
    return _SITE.sub("", name)


def plain_name(needed: str) -> str:
    """Undo the hash that a repair tool put into a library's name."""
    return _HASHED.sub("", needed)


def _panel_binary(name: str, content: bytes) -> PanelBinary:
    first = read(content, name)[0]
    return PanelBinary(
        name=site_name(name),
        soname=first.soname,
        needed=tuple(map(plain_name, first.needed)),
        rpath=first.rpath or first.runpath,
        code=code_hashes(first, content),
        size=len(content),
        grafted=bool(_GRAFTED.search(name)),
    )


def _depends(package: Package) -> tuple[str, ...]:
    if package.kind is PackageKind.CONDA:
        return tuple(package.metadata.index.get("depends", ()))
    if package.kind is PackageKind.WHEEL:
        from packaging.metadata import parse_email  # noqa: PLC0415 -- only for wheels

        raw, _ = parse_email(package.metadata.metadata)
        return tuple(text for text in raw.get("requires_dist", []) if "extra ==" not in text)
    return ()
