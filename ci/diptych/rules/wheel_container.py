"""DIP8xx: the container of a wheel, held against its own file name, metadata and RECORD."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import product

from diptych.rules import premises
from diptych.rules.container import ContainerFacts
from diptych.rules.evidence import Evidence
from diptych.rules.model import Finding, Severity, rule

_SHOWN = 5
_LICENSE_FILES_SINCE = (2, 4)
_NAMES = ("another name", "another version")
_COMMON = {"test", "tests", "doc", "docs", "examples", "benchmarks"}
_SITE = re.compile(r"(?:lib/python[\d.]+/)?site-packages/")


@rule("DIP801", "RECORD does not fit the contents", Severity.ERROR, premises.wheel)
def record(evidence: Evidence) -> Iterator[Finding]:
    """A file of the wheel is missing in RECORD, or has another hash or size than is recorded.

    Why: pypa/installer refuses the wheel, auditwheel stops at the missing name, and pip leaves the unrecorded file behind when
    it uninstalls. A stale hash says that the file was changed after it was packed. Not seen: whether what was recorded is
    what the author meant; signatures (RECORD.jws, RECORD.p7s).

    Mend: change wheels with `wheel unpack` and `wheel pack`, which write RECORD again; never with `zip`.

    Source: PEP 376; PEP 427, "The .dist-info directory".
    """
    facts = evidence.container
    for cause, lines in facts.faults.items() if facts else ():
        if cause in _NAMES:
            continue
        mild = cause in {"recorded, but not there", "recorded twice"}
        yield Finding(
            given=Severity.DRIFT if mild else Severity.ERROR,
            place=lines[0].partition(": ")[0],
            message=f"RECORD: {len(lines)} {'file' if len(lines) == 1 else 'files'} {cause}",
            evidence=lines[:_SHOWN],
        )


@rule("DIP802", "metadata and file name disagree", Severity.ERROR, premises.wheel)
def names(evidence: Evidence) -> Iterator[Finding]:
    """The .dist-info folder, METADATA or WHEEL says another name, version or tag than the file name.

    Why: pip refuses a wheel whose METADATA has another name or version than its file name. A folder whose name is not
    escaped, or other tags in WHEEL, break tools that take these apart. Not seen: names that differ only in case or in dots.

    Mend: build again in a clean folder; change the name with `wheel tags` or `wheel pack`, never by renaming the file.

    Source: PEP 427, "File name convention" and "Escaping and Unicode"; PEP 625; PEP 503.
    """
    facts = evidence.container
    if facts is None:
        return
    for cause in _NAMES:
        for line in facts.faults.get(cause, ()):
            yield Finding(place=f"{facts.dist_info}/METADATA", message=line, evidence=(facts.filename,))
    folder = facts.dist_info.removesuffix(".dist-info")
    if folder.count("-") != 1:
        yield Finding(
            given=Severity.DRIFT,
            place=facts.dist_info,
            message=f'the folder "{facts.dist_info}" is not in the escaped form of {facts.filename}',
        )
    yield from _tags(facts)


def _tags(facts: ContainerFacts) -> Iterator[Finding]:
    named = _expanded("-".join(facts.filename.removesuffix(".whl").split("-")[-3:]))
    inside = {tag for text in facts.wheel.get("tag", ()) for tag in _expanded(text)}
    if inside and inside != named:
        yield Finding(
            given=Severity.DRIFT,
            place=f"{facts.dist_info}/WHEEL",
            message=f"WHEEL has other tags than the file name {facts.filename}",
            evidence=(
                *(f"only in WHEEL: {tag}" for tag in sorted(inside - named)[:_SHOWN]),
                *(f"only in the file name: {tag}" for tag in sorted(named - inside)[:_SHOWN]),
            ),
        )


def _expanded(text: str) -> set[str]:
    return {"-".join(one) for one in product(*(part.split(".") for part in text.lower().split("-")))}


@rule("DIP803", "licence files against the metadata", Severity.DRIFT, premises.wheel)
def licence_files(evidence: Evidence) -> Iterator[Finding]:
    """METADATA names a License-File that its version does not know, or that is not in the wheel.

    Why: indexes that check metadata strictly refuse the upload; it installs all the same. Not seen: whether the text is the
    licence that License-Expression names.

    Mend: a newer build backend (setuptools from 77 on), or `license-files = []`; put the file where the metadata says.

    Source: PEP 639; core metadata specifications, License-File.
    """
    facts = evidence.container
    if facts is None or not facts.metadata.get("license-file"):
        return
    given = facts.metadata.get("metadata-version", ("",))[0]
    version = tuple(int(part) for part in given.split(".") if part.isascii() and part.isdigit())
    if version < _LICENSE_FILES_SINCE:
        yield Finding(
            place=f"{facts.dist_info}/METADATA",
            message=f"License-File came with metadata 2.4, and this is {given}",
        )
    for name in facts.metadata["license-file"]:
        homes = (f"{facts.dist_info}/licenses/{name}", f"{facts.dist_info}/{name}")
        if version >= _LICENSE_FILES_SINCE and not any(home in evidence.members for home in homes):
            yield Finding(
                place=f"{facts.dist_info}/METADATA",
                message=f'License-File "{name}" is not in the wheel',
                evidence=(f"looked for {homes[0]}",),
            )


@rule("DIP804", "copies that were links", Severity.DRIFT, premises.wheel, premises.elf)
def copies(evidence: Evidence) -> Iterator[Finding]:
    """One library lies in a folder under several names, as copies.

    Why: a wheel cannot hold symbolic links, so each version link became a whole file. Two of them in one process are two
    libraries with a state each. Not seen: copies in different folders, or of different size.

    Mend: install the one name that is needed (the SONAME), and leave the others out.

    Source: PEP 427; pypa/wheel#203; ld.so(8).
    """
    groups: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    for item in evidence.elf:
        if item.binary.soname:
            groups[posixpath.dirname(item.place), item.binary.soname, item.size].append(item.place)
    for (_, soname, _), places in groups.items():
        if len(places) > 1:
            yield Finding(
                place=places[0],
                message=f"{soname} is there {len(places)} times, as copies",
                evidence=tuple(places[:_SHOWN]),
            )


@rule("DIP805", "symbolic link in a wheel", Severity.ERROR, premises.wheel)
def links(evidence: Evidence) -> Iterator[Finding]:
    """A member is marked as a symbolic link.

    Why: pip writes a text file that holds the link's target. Not seen: links in packages nested inside the wheel.

    Mend: put the file itself there.

    Source: PEP 427; pypa/pip#5919.
    """
    for name, target in evidence.links.items():
        yield Finding(place=name, message=f'a symbolic link to "{target}"')


@rule("DIP806", "top-level folder of a common name", Severity.NOTE, premises.packed)
def common_names(evidence: Evidence) -> Iterator[Finding]:
    """Something like `tests` or `docs` is installed straight into site-packages.

    Why: other packages do the same, and one overwrites the other. Not seen: whether another package really does.

    Mend: exclude it in the build backend's list of packages.

    Source: pypa/setuptools#3260; conda, ClobberError.
    """
    found: dict[str, str] = {}
    for name in evidence.members:
        inner = name if evidence.kind == "wheel" else _SITE.sub("", name, count=1)
        if evidence.kind == "conda" and inner == name:
            continue
        first, slash, _ = inner.partition("/")
        if slash and first in _COMMON:
            found.setdefault(first, name)
    for first, name in found.items():
        yield Finding(place=name, message=f'"{first}" is a top-level package in site-packages')
