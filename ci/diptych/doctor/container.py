"""The outside of a package: its record held against its contents, its metadata, its build prefixes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from diptych.archives import Package, PackageKind, verify_record
from diptych.errors import FormatError
from diptych.rules.container import ContainerFacts, Placeholder

# conda-build writes _h_env_placehold_…, rattler-build host_env_placehold_…; both repeat the word up to 255 characters.
_PREFIX = re.compile(rb"/[\w./+-]*_placehold_placehold[\w]*")
_MAGIC = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_FIELD = re.compile(r"^([A-Za-z-]+):[ \t]*(.*?)[ \t\r]*$", re.MULTILINE)


def container_facts(package: Package) -> ContainerFacts | None:
    """Read what the container rules ask of a wheel or conda package; None for other things."""
    if package.kind is PackageKind.WHEEL:
        return ContainerFacts(
            filename=package.path.name,
            dist_info=package.metadata.dist_info,
            metadata=_fields(package.metadata.metadata),
            wheel=_fields(package.metadata.wheel),
            faults=_faults(package),
        )
    if package.kind is PackageKind.CONDA:
        placeholders, unregistered = _prefixes(package)
        return ContainerFacts(
            filename=package.path.name,
            faults=_faults(package),
            placeholders=placeholders,
            unregistered=unregistered,
        )
    return None


def _fields(text: str) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    head = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
    for match in _FIELD.finditer(head):
        found[match[1].lower()].append(match[2])
    return {name: tuple(values) for name, values in found.items()}


def _faults(package: Package) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    try:
        for fault in verify_record(package):
            found[fault.cause].append(str(fault))
    except FormatError as error:
        found["not readable to the end"].append(error.summary)
    return {cause: tuple(lines) for cause, lines in found.items()}


def _prefixes(package: Package) -> tuple[tuple[Placeholder, ...], tuple[tuple[str, str], ...]]:
    """Look for registered and other build prefixes in every file of a conda package."""
    rows = package.metadata.paths.get("paths")
    registered: dict[str, tuple[str, str]] = {}
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        name, prefix, mode = row.get("_path"), row.get("prefix_placeholder"), row.get("file_mode")
        if isinstance(name, str) and isinstance(prefix, str) and prefix:
            registered[name] = (prefix, mode if isinstance(mode, str) else "")
    placeholders: list[Placeholder] = []
    unregistered: list[tuple[str, str]] = []
    try:
        for member, data in package.walk(package.is_payload):
            if member.name in registered:
                prefix, mode = registered[member.name]
                placeholders.append(
                    Placeholder(
                        place=member.name,
                        prefix=prefix,
                        mode=mode,
                        elf=data.startswith(_MAGIC),
                        present=prefix.encode() in data,
                    )
                )
            elif match := _PREFIX.search(data) if b"_placehold_placehold" in data else None:
                unregistered.append((member.name, match[0].decode("ascii", "replace")))
    except FormatError:  # a damaged member is told of by the record and by DIP502
        pass
    return tuple(placeholders), tuple(unregistered)
