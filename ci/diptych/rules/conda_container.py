"""DIP9xx: the container of a conda package, held against info/index.json and info/paths.json."""

from __future__ import annotations

import re
from collections.abc import Iterator

from diptych.rules import premises
from diptych.rules.evidence import CondaFacts, Evidence
from diptych.rules.model import Finding, Severity, rule

_SHOWN = 5
_SHORT = 200
_LIBRARY = re.compile(r"lib/python(\d+\.\d+)/")
_ABI = re.compile(r"python_abi\s+(\d+\.\d+)\b")
_PINNED = re.compile(r"python\s+(?:>=|==?|~=)?(\d+\.\d+)[\d.a]*(?:\.\*)?,\s*<(\d+)\.(\d+)")


@rule("DIP901", "paths.json does not fit the contents", Severity.ERROR, premises.conda, premises.packed)
def record(evidence: Evidence) -> Iterator[Finding]:
    """A file has another hash or size than info/paths.json says, or one of the two lacks it.

    Why: conda's clients verify what they extract, and refuse it or leave it out. Not seen: whether the hash of a soft link is
    right, as its writers do not agree on what that is.

    Mend: change the recipe and pack again; never the archive.

    Source: CEP 34, info/paths.json.
    """
    facts = evidence.container
    for cause, lines in facts.faults.items() if facts else ():
        yield Finding(
            place=lines[0].partition(": ")[0],
            message=f"paths.json: {len(lines)} {'file' if len(lines) == 1 else 'files'} {cause}",
            evidence=lines[:_SHOWN],
        )


@rule("DIP902", "build prefix", Severity.ERROR, premises.conda, premises.packed)
def prefixes(evidence: Evidence) -> Iterator[Finding]:
    """A file holds the build prefix and is not registered, or is registered wrongly.

    Why: on installation the client puts the real prefix in place of the registered one. An unregistered one keeps pointing to
    the build machine; in a binary registered as text the length changes, which breaks it; a short one leaves no room for the
    user's prefix. Not seen: build prefixes without the usual `placehold` words, and those inside compressed data.

    Mend: pack with prefix detection on and the usual long build prefix.

    Source: CEP 34, prefix_placeholder and file_mode; conda-build, "Making packages relocatable".
    """
    facts = evidence.container
    for name, prefix in facts.unregistered if facts else ():
        yield Finding(
            place=name, message="holds a build prefix that paths.json does not register", evidence=(prefix,)
        )
    for one in facts.placeholders if facts else ():
        shown = (f"{one.mode}, {len(one.prefix)} characters: {one.prefix}",)
        if not one.present:
            message, severity = "is registered with a build prefix that it does not hold", Severity.DRIFT
        elif one.elf and one.mode == "text":
            message, severity = "is a binary, and registered as text", Severity.ERROR
        elif one.mode == "binary" and len(one.prefix) < _SHORT:
            message = f"has room for a prefix of {len(one.prefix)} characters only"
            severity = Severity.DRIFT
        else:
            continue
        yield Finding(given=severity, place=one.place, message=message, evidence=shown)


@rule("DIP903", "Python's folder against the dependencies", Severity.ERROR, premises.conda, premises.packed)
def pythons(evidence: Evidence) -> Iterator[Finding]:
    """Files lie in the library folder of another Python than the package depends on, or a noarch package lacks python.

    Why: that Python never looks there; a noarch package of Python cannot be placed without one. Not seen: ranges of more
    than one Python, and packages that depend on no Python at all.

    Mend: let the recipe use `$SP_DIR`, and put python among the run dependencies.

    Source: CEP 20; conda-build, "Noarch Python"; conda/conda-build#4105.
    """
    package = evidence.conda
    if package is None:
        return
    depended = {spec.split()[0] for spec in package.depends if spec.strip()}
    if package.noarch == "python" and "python" not in depended:
        yield Finding(message="noarch: python, but python is not among the run dependencies")
    wanted = _wanted(package)
    found = {match[1]: name for name in evidence.members if (match := _LIBRARY.match(name))}
    for version, name in found.items():
        if wanted and version != wanted:
            yield Finding(
                place=name,
                message=f"lies in lib/python{version}, and the package is for Python {wanted}",
                evidence=tuple(spec for spec in package.depends if spec.startswith("python")),
            )


def _wanted(package: CondaFacts) -> str:
    """Return the one Python that the dependencies allow, or an empty text."""
    for spec in package.depends:
        if match := _ABI.match(spec):
            return match[1]
    for spec in package.depends:
        if match := _PINNED.match(spec):
            major, minor = match[1].split(".")
            if (int(match[2]), int(match[3])) == (int(major), int(minor) + 1):
                return match[1]
    return ""
