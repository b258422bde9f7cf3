"""One side: what a wheel, a conda package or a stage holds, in terms that fit all three."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from diptych.archives import Package, PackageKind, open_package
from diptych.binaries import HEAD, sniff
from diptych.compare.binary import SideBinary, read_binary
from diptych.compare.identity import Identity, identity_of
from diptych.compare.places import Place, is_prefix, moved_programs, place_of
from diptych.errors import FormatError
from diptych.pythons import indexed_for_every_machine


@dataclass(frozen=True, kw_only=True)
class SideFile:
    """A file of one side.

    Attributes:
        place: where it lands, see :mod:`diptych.compare.places`.
        member: its name in the archive.
        role: its kind.
        size: bytes.
        sha256: of its contents; empty for a link.
        body: likewise without a first line ``#!…``; the same as ``sha256`` where there is none.
        executable: whether its mode says so.
        link: where a symbolic link leads.
        placeholder: whether an installer writes the prefix into it.
    """

    place: str
    member: str
    role: str
    size: int
    sha256: str
    body: str
    executable: bool
    link: str | None = None
    placeholder: bool = False


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side of a comparison.

    Attributes:
        title: file name.
        kind: ``wheel``, ``conda`` or ``folder``.
        size: download size in bytes; 0 for a folder.
        files: payload and metadata files by place.
        binaries: the binaries among them, by place.
        identity: what the package says about itself.
        noarch: it claims to fit every platform.
    """

    title: str
    kind: str
    size: int
    files: Mapping[str, SideFile]
    binaries: Mapping[str, SideBinary]
    identity: Identity = field(default_factory=Identity)
    noarch: bool = False

    @property
    def installed(self) -> int:
        """Bytes when unpacked."""
        return sum(file.size for file in self.files.values())

    @property
    def private(self) -> int:
        """Bytes that are only there because this package brings its own copy of a library."""
        return sum(binary.size for binary in self.grafted)

    @property
    def depends(self) -> tuple[str, ...]:
        """Run dependencies as the package states them."""
        return self.identity.depends

    def joined(self, other: Side) -> Side:
        """Return what both packages bring together, under this one's name; that this one depends on the other is no matter then."""
        mine = [text for text in self.depends if text.split()[0] != other.identity.name]
        depends = tuple(dict.fromkeys((*mine, *other.depends)))
        return replace(
            self,
            size=self.size + other.size,
            files={**other.files, **self.files},
            binaries={**other.binaries, **self.binaries},
            identity=replace(self.identity, depends=depends),
        )

    @property
    def own(self) -> tuple[SideBinary, ...]:
        """The project's own binaries."""
        return tuple(binary for binary in self.binaries.values() if not binary.grafted)

    @property
    def grafted(self) -> tuple[SideBinary, ...]:
        """The libraries that a repair tool brought in."""
        return tuple(binary for binary in self.binaries.values() if binary.grafted)


def read_side(path: Path, *, placed: bool = True) -> Side:
    """Read a side from a wheel, a conda package or a folder laid out as site-packages.

    Args:
        path: which.
        placed: as for :func:`diptych.binaries.code_hashes`.

    Raises:
        FormatError: it is none of these, or the archive or one of its binaries is damaged.
    """
    with open_package(path) as package:
        if package.kind not in {PackageKind.WHEEL, PackageKind.CONDA, PackageKind.FOLDER}:
            raise FormatError(
                f'"{path}" is neither a wheel nor a conda package, nor a folder laid out as site-packages',
                hint="diptych compare --into looks at environments",
            )
        reader = _Reader(package=package, placed=placed)
        reader.read()
        return Side(
            title=path.name,
            kind=package.kind.value,
            size=package.size if path.is_file() else 0,
            files=dict(sorted(reader.files.items())),
            binaries=dict(sorted(reader.binaries.items())),
            identity=identity_of(
                package,
                inner_points=reader.entry_points,
            ),
            noarch=_noarch(package),
        )


@dataclass(kw_only=True)
class _Reader:
    """One pass over a package's members."""

    package: Package
    placed: bool
    files: dict[str, SideFile] = field(default_factory=dict)
    binaries: dict[str, SideBinary] = field(default_factory=dict)
    entry_points: str = ""

    def read(self) -> None:
        places = _places(self.package)
        placeholders = {
            str(row.get("_path"))
            for row in self.package.metadata.paths.get("paths", ())
            if isinstance(row, dict) and row.get("prefix_placeholder")
        }
        links = {member.name: member for member in self.package.members if member.link and not member.hard}
        for name, place in places.items():
            if name in links:
                self._add(
                    SideFile(
                        place=place.name,
                        member=name,
                        role=place.role,
                        size=0,
                        sha256="",
                        body="",
                        executable=False,
                        link=links[name].link,
                    )
                )
        for member, content in self.package.walk(lambda one: one.name in places and one.name not in links):
            self._take(
                member.name,
                places[member.name],
                content,
                executable=member.executable,
                placeholder=member.name in placeholders,
            )

        for member in self.package.members:
            if member.hard and member.name in places:
                self._again(str(member.link), member.name, places[member.name])

    def _again(self, first: str, name: str, place: Place) -> None:
        """Take a hard link: the same contents in another place."""
        source = next((file for file in self.files.values() if file.member == first), None)
        if source is not None:
            where = self._add(replace(source, place=place.name, member=name))
            if where and source.place in self.binaries:
                self.binaries[where] = replace(self.binaries[source.place], name=where)

    def _take(self, name: str, place: Place, content: bytes, *, executable: bool, placeholder: bool) -> None:
        digest = hashlib.sha256(content).hexdigest()
        body = digest
        if content.startswith(b"#!"):
            body = hashlib.sha256(content.partition(b"\n")[2]).hexdigest()
        role = place.role
        if binary := sniff(content[:HEAD]) is not None:
            role = "grafted" if place.role == "grafted" else "binary"
        if place.role == "metadata" and name.endswith("/entry_points.txt"):
            self.entry_points = content.decode(errors="replace")
        where = self._add(
            SideFile(
                place=place.name,
                member=name,
                role=role,
                size=len(content),
                sha256=digest,
                body=body,
                executable=executable,
                placeholder=placeholder,
            )
        )
        if binary and where:
            self.binaries[where] = read_binary(where, content, grafted=role == "grafted", placed=self.placed)

    def _add(self, file: SideFile) -> str:
        """Keep a file and return its place; a second one there is dropped when equal, numbered when not."""
        place, number = file.place, 1
        while (other := self.files.get(place)) is not None:
            if other.sha256 == file.sha256 and file.role == "licence":
                return ""
            number += 1
            place = f"{file.place} #{number}"
        self.files[place] = replace(file, place=place)
        return place


def _places(package: Package) -> dict[str, Place]:
    names = [member.name for member in package.members]
    prefix = package.kind is PackageKind.FOLDER and is_prefix(names)
    moved = moved_programs(names) if package.kind is PackageKind.WHEEL else frozenset()
    starters = tuple(f".data/scripts/{name}" for name in moved)
    return {
        name: place
        for name in names
        if not (starters and name.endswith(starters))
        and (place := place_of(name, package.kind, prefix=prefix))
    }


def _noarch(package: Package) -> bool:
    if package.kind is PackageKind.WHEEL:
        return all(tag.platform == "any" for tag in package.tags)
    index = package.metadata.index
    return package.kind is PackageKind.CONDA and indexed_for_every_machine(index)
