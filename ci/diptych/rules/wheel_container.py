"""DIP511 to DIP514, DIP518: the container of a wheel, held against its own file name, metadata and RECORD."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from diptych.archives import same_version
from diptych.rules import conditions
from diptych.rules.container import ContainerFacts
from diptych.rules.evidence import Evidence
from diptych.rules.model import Finding, Severity, rule

_SHOWN = 5
_LICENSE_FILES_SINCE = (2, 4)
_NAMES = ("another name", "another version")
_MILD = {"recorded, but not there", "recorded twice"}
_SCHEMES = {"purelib", "platlib", "headers", "scripts", "data"}


@rule("DIP511", "RECORD does not fit the contents", Severity.ERROR, conditions.wheel)
def record(evidence: Evidence) -> Iterator[Finding]:
    """A file of the wheel is missing in RECORD, or has another hash or size than is recorded.

    Why: pypa/installer refuses the wheel, auditwheel stops at the missing name, and pip leaves the unrecorded file behind when
    it uninstalls. A stale hash says that the file was changed after it was packed. A row without a file is a drift.

    Mend: change wheels with `wheel unpack` and `wheel pack`, which write RECORD again; never with `zip`.

    Not seen: whether what was recorded is what the author meant; signatures (RECORD.jws, RECORD.p7s).

    Source: PEP 376; PEP 427, "The .dist-info directory".
    """
    facts = evidence.container
    for cause, lines in facts.faults.items() if facts else ():
        if cause in _NAMES:
            continue
        yield unrecorded("RECORD", cause, lines, Severity.DRIFT if cause in _MILD else Severity.ERROR)


def unrecorded(record: str, cause: str, lines: tuple[str, ...], severity: Severity) -> Finding:
    """Return the finding for all that does not fit between a record and the contents for one cause.

    Args:
        record: RECORD or paths.json.
        cause: see :attr:`diptych.rules.container.ContainerFacts.faults`.
        lines: of that cause.
        severity: of the finding.
    """
    return Finding(
        given=severity,
        place=lines[0].partition(": ")[0],
        message=f"{record}: {len(lines)} {'file' if len(lines) == 1 else 'files'} {cause}",
        evidence=lines[:_SHOWN],
    )


@rule("DIP512", "metadata and file name disagree", Severity.ERROR, conditions.wheel)
def names(evidence: Evidence) -> Iterator[Finding]:
    """The .dist-info folder, METADATA or WHEEL says another name, version or tag than the file name, or cannot be read.

    Why: pip refuses a wheel from an index whose METADATA has another name or version than its file name, and takes one that is given as a file
    for that other version. A folder whose name is not escaped ends pip 26 in `InvalidVersion`. Other tags in WHEEL, a drift, mislead tools that
    write file names anew; so do a folder of another version, which uv refuses, and a WHEEL without tags.

    Mend: build again in a clean folder; change the name with `wheel tags` or `wheel pack`, never by renaming the file.

    Not seen: names that differ only in case or in dots.

    Source: PEP 427, "File name convention" and "Escaping and Unicode"; PEP 625; PEP 503.
    """
    facts = evidence.container
    if facts is None:
        return
    for line in facts.unreadable:
        yield Finding(place=facts.dist_info, message="metadata that cannot be read", evidence=(line,))
    for cause in _NAMES:
        for line in facts.faults.get(cause, ()):
            yield Finding(
                place=f"{facts.dist_info}/METADATA",
                message=f"{cause} than the file name's",
                evidence=(line, facts.filename),
            )
    if facts.dist_info.removesuffix(".dist-info").count("-") != 1:
        yield Finding(
            place=facts.dist_info,
            message=f'the folder "{facts.dist_info}" is not in the escaped form of {facts.filename}',
        )
    elif not same_version(*(text.split("-")[1] for text in (facts.dist_info[:-10], facts.filename))):
        yield Finding(
            given=Severity.DRIFT,
            place=facts.dist_info,
            message=f"the folder is named for another version than {facts.filename}",
        )
    yield from _tags(facts)


def _tags(facts: ContainerFacts) -> Iterator[Finding]:
    named = _expanded("-".join(facts.filename.removesuffix(".whl").split("-")[-3:]))
    inside = {tag for text in facts.wheel.get("tag", ()) for tag in _expanded(text)}
    if not inside:
        yield Finding(given=Severity.DRIFT, place=f"{facts.dist_info}/WHEEL", message="WHEEL has no tags")
    elif inside != named:
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


@rule("DIP513", "licence files against the metadata", Severity.DRIFT, conditions.wheel)
def licence_files(evidence: Evidence) -> Iterator[Finding]:
    """METADATA names a License-File that its version does not know, or that is not in the wheel.

    Why: indexes that check metadata strictly refuse the upload; it installs all the same.

    Mend: a newer build backend (setuptools from 77 on), or `license-files = []`; put the file where the metadata says.

    Not seen: whether the text is the licence that License-Expression names.

    Source: PEP 639; core metadata specifications, License-File.
    """
    facts = evidence.container
    if facts is None or not facts.metadata.get("license-file"):
        return
    given = facts.metadata.get("metadata-version", ("",))[0]
    place = f"{facts.dist_info}/METADATA"
    if _version(given) < _LICENSE_FILES_SINCE:
        yield Finding(place=place, message=f"License-File came with metadata 2.4, and this is {given}")
        return
    for name in facts.metadata["license-file"]:
        homes = (f"{facts.dist_info}/licenses/{name}", f"{facts.dist_info}/{name}")
        if not any(home in evidence.members for home in homes):
            yield Finding(
                place=place,
                message=f'License-File "{name}" is not in the wheel',
                evidence=(f"looked for {homes[0]}",),
            )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isascii() and part.isdigit())


@rule("DIP514", "symbolic link in a wheel", Severity.ERROR, conditions.wheel)
def links(evidence: Evidence) -> Iterator[Finding]:
    """A member is marked as a symbolic link.

    Why: pip writes a text file that holds the link's target.

    Mend: put the file itself there.

    Not seen: links in packages nested inside the wheel.

    Source: PEP 427; pypa/pip#5919, #10935; pypa/wheel#203.
    """
    for name, target in evidence.links.items():
        yield Finding(place=name, message=f'a symbolic link to "{target}"')


@rule("DIP518", "data folder that no installer knows", Severity.ERROR, conditions.wheel)
def data_folders(evidence: Evidence) -> Iterator[Finding]:
    """A `.data` folder has a part that is no installation scheme, or bears another name than the .dist-info folder.

    Why: pip refuses a wheel with an unknown scheme. Installers that go by the specification copy a folder of another name
    to site-packages as it is.

    Mend: `purelib`, `platlib`, `headers`, `scripts` and `data` are all there is; let the build backend write them.

    Not seen: whether a file lies under the scheme that its author meant.

    Source: binary distribution format, "The .data directory"; pip, `install_wheel`; pypa/installer.
    """
    facts = evidence.container
    wanted = facts.dist_info.removesuffix(".dist-info") if facts else ""
    told: set[str] = set()
    for name in evidence.members:
        folder, _, rest = name.partition("/")
        scheme, inner, _ = rest.partition("/")
        part = f"{folder}/{scheme}"
        if not folder.endswith(".data") or folder in told or part in told:
            continue
        if scheme not in _SCHEMES or not inner:
            told.add(part)
            yield Finding(place=part, message=f'"{scheme}" is no installation scheme', evidence=(name,))
        elif folder != f"{wanted}.data":
            told.add(folder)
            yield Finding(
                given=Severity.DRIFT,
                place=folder,
                message=f"the folder is not {wanted}.data, as the .dist-info folder asks",
            )
