"""What installing a package into an environment would duplicate or shadow, by SONAME and by file.

Nothing is installed. A library that the package brings is held against every library below the environment, whoever
brought it: two with one SONAME stem are two copies of its state in one process; two OpenMP runtimes are that under two names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from diptych.binaries import find_binaries, read_file
from diptych.compare.binary import base_name
from diptych.compare.providers import stem_of
from diptych.compare.side import Side, read_side
from diptych.errors import ConfigError, FormatError

if TYPE_CHECKING:
    from rich.table import Table

_FAMILIES: Mapping[str, str] = {
    "libgomp": "the OpenMP runtime",
    "libomp": "the OpenMP runtime",
    "libiomp5": "the OpenMP runtime",
    "libopenblas": "BLAS",
    "libscipy_openblas": "BLAS",
    "libscipy_openblas64_": "BLAS",
    "libmkl_rt": "BLAS",
    "libblas": "BLAS",
    "libstdc++": "the C++ runtime",
    "libc++": "the C++ runtime",
}


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Something of the package that the environment has already.

    Attributes:
        kind: ``duplicate`` (a library twice), ``rival`` (two libraries of one kind), ``shared`` (used, not brought) or
            ``shadow`` (a file that is there).
        name: SONAME, or the file's place.
        brings: what the package has: member, or the dependency that it names.
        there: the file in the environment.
        owner: the package that brought it.
        why: what follows.
    """

    kind: str
    name: str
    brings: str
    there: str
    owner: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What would happen.

    Attributes:
        package: file name.
        environment: the folder.
        clashes: everything that meets.
    """

    package: str
    environment: str
    clashes: tuple[Conflict, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"schema": 1, **asdict(self)}

    def table(self) -> Table:
        """Return the preview for a person."""
        from rich.table import Table  # noqa: PLC0415 -- only when something is shown
        from rich.text import Text  # noqa: PLC0415 -- as above

        title = f"{self.package} into {self.environment}"
        table = Table.grid(padding=(0, 1))
        table.title, table.title_justify = title, "left"
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        if not self.clashes:
            table.add_row("", "nothing is duplicated or shadowed")
        for one in self.clashes:
            owner = f" (from {one.owner})" if one.owner else ""
            told = f"{one.name}: {one.brings} | {one.there}{owner}\n{one.why}"
            table.add_row(Text(one.kind, "yellow" if one.kind != "shared" else "dim"), Text(told))
        return table


def preview(package: Path, environment: Path) -> Preview:
    """Hold a package against an environment.

    Args:
        package: a wheel or conda package.
        environment: a conda prefix or virtual environment.

    Raises:
        ConfigError: it is no environment.
        FormatError: the package is damaged.
    """
    site = _site_packages(environment)
    side = read_side(package)
    owners = _owners(environment, site)
    libraries = dict(_libraries(environment))
    clashes = [*_libraries_met(side, libraries, owners), *_files_met(side, environment, site, owners)]
    return Preview(package=package.name, environment=str(environment), clashes=tuple(clashes))


def _site_packages(environment: Path) -> Path:
    found = sorted(environment.glob("lib/python3.*/site-packages"))
    if not found:
        raise ConfigError(
            f'"{environment}" is no environment: it has no lib/python3.*/site-packages',
            hint="name the folder of a virtual environment or a conda prefix",
        )
    return found[0]


def _libraries(environment: Path) -> Iterator[tuple[str, str]]:
    """Yield (file relative to the environment, SONAME with the hash undone) of every shared library."""
    for path in find_binaries(environment):
        try:
            binary = read_file(path)[0]
        except FormatError:
            continue  # a stub or a test file of some package; it can shadow nothing
        if binary.kind == "shared" and (binary.soname or path.name.startswith("lib")):
            yield path.relative_to(environment).as_posix(), base_name(binary.soname or path.name)


def _libraries_met(side: Side, there: Mapping[str, str], owners: Mapping[str, str]) -> Iterator[Conflict]:
    brought = {
        base_name(one.soname or one.name): side.files[one.name].member
        for one in side.binaries.values()
        if one.soname or one.grafted
    }
    for file, soname in there.items():
        owner = owners.get(file, "")
        if _same_project(owner, side):
            continue  # an upgrade of itself
        for name, member in brought.items():
            yield from _met(name, member, file, soname, owner)
        if soname not in brought and side.kind == "conda" and _wants(side, soname) and file.count("/") == 1:
            yield Conflict(
                kind="shared",
                name=soname,
                brings="needs it",
                there=file,
                owner=owner,
                why="one copy serves both",
            )


def _met(name: str, member: str, file: str, soname: str, owner: str) -> Iterator[Conflict]:
    mine, other = stem_of(name), stem_of(soname)
    if mine == other:
        same = "the same version" if name == soname else f"{name} and {soname}"
        yield Conflict(
            kind="duplicate",
            name=name,
            brings=member,
            there=file,
            owner=owner,
            why=f"two copies in one process, {same}: state and registered types are not shared",
        )
    elif (family := _FAMILIES.get(mine)) and family == _FAMILIES.get(other):
        yield Conflict(
            kind="rival",
            name=name,
            brings=member,
            there=file,
            owner=owner,
            why=f"{family} twice, under two names: both keep threads and state of their own",
        )


def _wants(side: Side, soname: str) -> bool:
    return any(base_name(needed) == soname for one in side.binaries.values() for needed in one.needed)


def _files_met(side: Side, environment: Path, site: Path, owners: Mapping[str, str]) -> Iterator[Conflict]:
    for place, file in side.files.items():
        if file.role in {"grafted", "licence", "metadata", "bytecode"}:
            continue
        bare = place.removeprefix("$PREFIX/")
        target = environment / bare if bare != place else site / place
        if not target.exists():
            continue
        relative = target.relative_to(environment).as_posix()
        owner = owners.get(relative, "")
        if not _same_project(owner, side):
            yield Conflict(
                kind="shadow",
                name=place,
                brings=file.member,
                there=relative,
                owner=owner,
                why="the file that is there would be replaced",
            )


def _same_project(owner: str, side: Side) -> bool:
    return bool(owner) and canonicalize_name(owner.split(maxsplit=1)[0]) == canonicalize_name(
        side.identity.name
    )


def _owners(environment: Path, site: Path) -> dict[str, str]:
    """Return file → name and version of the package that brought it, from conda's and pip's records."""
    found: dict[str, str] = {}
    base = site.relative_to(environment).as_posix()
    for record in sorted(site.glob("*.dist-info/RECORD")):
        name, _, version = record.parent.name.removesuffix(".dist-info").partition("-")
        for row in record.read_text(encoding="utf-8", errors="replace").splitlines():
            found[f"{base}/{row.split(',')[0]}"] = f"{name} {version}"
    for path in sorted(environment.glob("conda-meta/*.json")):
        try:
            meta = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            continue
        for name in meta.get("files", ()):
            found[str(name)] = f"{meta.get('name')} {meta.get('version')}"
    return found
