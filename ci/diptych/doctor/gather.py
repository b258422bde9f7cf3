"""From a target to evidence: everything is read here, once, and nothing is judged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from diptych.archives import Member, Package, PackageKind, open_package
from diptych.binaries import Buffer, read
from diptych.doctor.beside import Beside
from diptych.doctor.binding import Binder
from diptych.doctor.container import Outside
from diptych.doctor.contents import binaries_of
from diptych.doctor.loader_contexts import World, packed_world, real_world, resolved
from diptych.doctor.optional import optional_modules
from diptych.doctor.overlinking import unused_of
from diptych.doctor.preloading import preloaded
from diptych.doctor.probes import Wanted, probe
from diptych.doctor.tables import Tables, outside_on_disk
from diptych.errors import FormatError
from diptych.policy import PlatformTag, manylinux, platform_tag
from diptych.rules import CondaFacts, Damage, Evidence, Item
from diptych.rules.evidence import Kind
from diptych.rules.places import final_place
from diptych.rules.platform_tags import promises

_KINDS: Mapping[PackageKind, Kind] = {
    PackageKind.WHEEL: "wheel",
    PackageKind.CONDA: "conda",
    PackageKind.FOLDER: "folder",
    PackageKind.ENVIRONMENT: "environment",
    PackageKind.FILE: "file",
    PackageKind.SDIST: "folder",
}
_MAX_NEEDS = 1_000_000
"""Of all binaries together; VTK's 376 have 140,000. Each costs about ten microseconds and a hundred bytes."""
_REQUIRES = re.compile(
    r"^Requires-Dist:[ \t]*([A-Za-z0-9][A-Za-z0-9._-]*)([^\r\n]*)", re.MULTILINE | re.IGNORECASE
)
_EXTRA = re.compile(r";.*\bextra\s*==")
_WINDOWS = (".dll", ".exe", ".pyd")
_PURELIB = re.compile(r"^Root-Is-Purelib:\s*(\w+)", re.MULTILINE | re.IGNORECASE)


@dataclass(kw_only=True)
class _Found:
    """What one pass over the members brings."""

    items: list[Item] = field(default_factory=list)
    misnamed: list[Damage] = field(default_factory=list)
    damaged: list[Damage] = field(default_factory=list)
    tables: Tables = field(default_factory=Tables)


def gather(
    path: Path,
    *,
    shown: str,
    host: str | None,
    wanted: Wanted | None = None,
    laid: Beside | None = None,
) -> Evidence:
    """Read everything that rules may ask of one target.

    Args:
        path: file, package, folder or environment; absolute.
        shown: how the person calls it.
        host: machine of this Linux system, whose own libraries count for files on disk; None elsewhere.
        wanted: the symbol versions whose users are to be named; None: those above the tag, or beyond all policies.
        laid: what is installed with it; None: nothing.

    Raises:
        FormatError: it is not there, or damaged as a whole.
    """
    with open_package(path) as package:
        tags = platforms(package)
        outside = Outside(package) if package.kind in {PackageKind.WHEEL, PackageKind.CONDA} else None
        found = _read_all(package, shown, wanted or _above(tags), outside)
        evidence = Evidence(
            target=shown,
            kind=_KINDS[package.kind],
            name=package.name,
            root=str(path if package.kind is not PackageKind.FILE else path.parent)
            if _on_disk(package)
            else "",
            items=tuple(found.items),
            members={member.name: member.size for member in package.members},
            links={member.name: member.link for member in package.members if member.link is not None},
            python_tags=_tag_parts(package, "interpreter"),
            abi_tags=_tag_parts(package, "abi"),
            platforms=tags,
            purelib=_purelib(package),
            conda=_conda(package.metadata.index) if package.kind is PackageKind.CONDA else None,
            installed=_installed(package),
            damaged=tuple(found.damaged),
            misnamed=tuple(found.misnamed),
            container=outside.facts() if outside else None,
            collisions=package.collisions if package.kind in {PackageKind.WHEEL, PackageKind.CONDA} else (),
            requires=_requires(package),
            unread=_unread(package, shown),
        )
        beside = laid if laid is not None and evidence.packed else Beside()
        evidence = replace(_with_owners(evidence), beside=tuple(beside.names))
        whole = _with_closures(evidence, path, host, found.tables, beside)
        if whole.packed:
            whole = replace(whole, optional=optional_modules(package, whole))
        # musl compares no SONAME: what was opened by its path meets no need.
        by_code = whole.packed and "musllinux" not in whole.families
        return replace(whole, preloaded=preloaded(package, whole)) if by_code else whole


def platforms(package: Package) -> tuple[PlatformTag, ...]:
    """Return a wheel's platform tags, taken apart."""
    return tuple(platform_tag(text) for text in _tag_parts(package, "platform"))


def _on_disk(package: Package) -> bool:
    return package.kind not in {PackageKind.WHEEL, PackageKind.CONDA, PackageKind.SDIST}


def _tag_parts(package: Package, part: Literal["interpreter", "abi", "platform"]) -> tuple[str, ...]:
    """Return one part of a wheel's compressed tags (PEP 425)."""
    if package.kind is not PackageKind.WHEEL:
        return ()
    compressed = package.path.name.removesuffix(".whl").lower().split("-")[-3:]
    return tuple(sorted(set(compressed[("interpreter", "abi", "platform").index(part)].split("."))))


def _above(tags: tuple[PlatformTag, ...]) -> Wanted:
    levels = [tag.level for tag in tags if tag.level and tag.level.family == "manylinux"]

    def wanted(machine: str, version: str) -> bool:
        if not manylinux().regulated(version, machine):
            return False
        if levels:
            return not promises(min(levels), version, machine)
        return manylinux().lowest(version, machine) is None

    return wanted


def _read_all(package: Package, shown: str, wanted: Wanted, outside: Outside | None) -> _Found:
    found = _Found()
    for member, data in binaries_of(package, outside):
        place = shown if package.kind is PackageKind.FILE else member.name
        if isinstance(data, Damage):
            (found.misnamed if data.other else found.damaged).append(data)
            continue
        try:
            found.items += _items(place, member, data, wanted, found)
        except FormatError as error:
            found.damaged.append(Damage(place=place, problem=_problem(error)))
    found.items.sort(key=lambda item: item.place)  # slices of one file stay in their order
    found.damaged.sort(key=lambda damage: damage.place)
    windows = shown.lower().endswith(_WINDOWS)
    if package.kind is PackageKind.FILE and not (found.items or found.damaged or windows):
        raise FormatError(f'"{shown}" is neither a package nor an ELF or Mach-O binary')
    return found


def _items(place: str, member: Member, data: Buffer, wanted: Wanted, found: _Found) -> Iterator[Item]:
    for binary in read(data, place):
        for flaw in binary.flaws:
            found.damaged.append(Damage(place=place, problem=flaw, partial=True, loaded=False))
        try:
            probed = probe(binary, data, wanted=wanted)
        except FormatError as error:  # the headers are good: all that asks for no symbols can still be said
            found.damaged.append(Damage(place=place, problem=_problem(error), partial=True))
            yield Item(place=place, size=member.size, binary=binary)
            continue
        found.tables.add(binary, probed.names)
        yield Item(place=place, size=member.size, binary=binary, module=probed.module, deep=probed.deep)


def _problem(error: FormatError) -> str:
    return f"{error.summary} {'; '.join(error.details)}".strip()


def _requires(package: Package) -> tuple[str, ...]:
    """Return the distributions that a wheel requires without being asked for an extra (core metadata, Requires-Dist)."""
    try:
        text = package.metadata.metadata
    except FormatError:  # METADATA is damaged: no reason not to look at the binaries
        return ()
    head = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
    found = (match for match in _REQUIRES.finditer(head) if not _EXTRA.search(match[2]))
    return tuple(dict.fromkeys(re.sub(r"[-_.]+", "-", match[1]).lower() for match in found))


def _unread(package: Package, shown: str) -> tuple[str, ...]:
    """Say what is there that no rule looks at."""
    names = [member.name for member in package.members if member.name.lower().endswith(_WINDOWS)]
    if package.kind is PackageKind.FILE:
        names = [shown] if shown.lower().endswith(_WINDOWS) else []
    if not names:
        return ()
    return (
        f"{len(names)} Windows {'binary' if len(names) == 1 else 'binaries'} (PE is not read): {names[0]}",
    )


def _purelib(package: Package) -> bool | None:
    match = _PURELIB.search(package.metadata.wheel)
    return match[1].lower() == "true" if match else None


def _conda(index: Mapping[str, Any]) -> CondaFacts:
    """Take what rules want out of index.json or a conda-meta record; whatever is of another type counts as missing."""

    def texts(key: str) -> tuple[str, ...]:
        value = index.get(key)
        return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()

    def text(key: str) -> str:
        value = index.get(key)
        return value if isinstance(value, str) else ""

    noarch = "python" if index.get("noarch") is True else text("noarch")
    return CondaFacts(
        name=text("name"),
        build=text("build"),
        subdir=text("subdir"),
        noarch=noarch,
        depends=texts("depends"),
        files=texts("files"),
    )


def _installed(package: Package) -> tuple[CondaFacts, ...]:
    return tuple(_conda(record) for record in package.metadata.records)


def _with_owners(evidence: Evidence) -> Evidence:
    if not evidence.installed:
        return evidence
    owners = {name: package.name for package in evidence.installed for name in package.files}
    items = tuple(replace(item, owner=owners.get(item.place, "")) for item in evidence.items)
    return replace(evidence, items=items)


def _with_closures(
    evidence: Evidence, path: Path, host: str | None, tables: Tables, laid: Beside
) -> Evidence:
    """Resolve what each binary needs from its final place, and see which needs are not used."""
    interpreter = _interpreter(evidence)
    outside = laid.outside if evidence.packed else outside_on_disk()
    world = packed_world(evidence, laid) if evidence.packed else real_world(host=host, executable=interpreter)
    items: list[Item] = []
    needs = 0
    for item in evidence.items:
        if needs > _MAX_NEEDS:
            items.append(item)
            continue
        one = resolved(item, _place(evidence, path, item), world)
        unused = unused_of(one, evidence, tables, outside)
        items.append(replace(one, deep=replace(one.deep, unused=unused)))
        needs += len(one.closure.loaded) if one.closure else 0
    endless = Damage(
        place=evidence.target, problem="its binaries need each other without measure: not all were resolved"
    )
    damaged = (*evidence.damaged, *([endless] if needs > _MAX_NEEDS else []))
    whole = replace(evidence, items=tuple(items), damaged=damaged)
    binder = Binder(evidence=whole, tables=tables, outside=outside, interpreter=interpreter)
    return replace(whole, items=binder.bind())


def _place(evidence: Evidence, path: Path, item: Item) -> str:
    if evidence.kind == "file":
        return str(path)
    return f"{path}/{item.place}" if evidence.root else final_place(evidence.kind, item.place)


def _interpreter(evidence: Evidence) -> str | None:
    if evidence.kind != "environment":
        return None
    programs = (f"bin/{name}" for name in ("python3", "python"))
    for program in programs:
        target = evidence.links.get(program, program.partition("/")[2])
        if any(item.place == f"bin/{target}" for item in evidence.items) or program in evidence.members:
            return f"{evidence.root}/{program}"
    return None


__all__ = ["World", "gather", "platforms"]
