"""DIP515 to DIP517, DIP519 to DIP522: the container of a conda package, and what packages do to each other in an environment."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from diptych.rules import conditions
from diptych.rules.container import BuildPrefix, ContainerFacts
from diptych.rules.evidence import CondaFacts, Evidence
from diptych.rules.model import Finding, Severity, rule
from diptych.rules.wheel_container import unrecorded

_SHOWN = 5
_SHORT = 200
_LIBRARY = re.compile(r"lib/python(\d+\.\d+)/")
_ABI = re.compile(r"python_abi\s+(\d+\.\d+)\b")
_PINNED = re.compile(r"python\s+(?:>=|==?|~=)?(\d+\.\d+)[\d.a]*(?:\.\*)?,\s*<(\d+)\.(\d+)")
_SUBDIRS = re.compile(r"noarch|(?:linux|osx|win|freebsd|emscripten|wasi|zos)-[a-z0-9_]+")
_DIST_INFO = re.compile(r"lib/python[\d.]+t?/site-packages/([^/]+?)-([^/-]+)\.dist-info/METADATA")


@rule("DIP515", "paths.json does not fit the contents", Severity.ERROR, conditions.conda, conditions.packed)
def record(evidence: Evidence) -> Iterator[Finding]:
    """A file has another hash or size than info/paths.json says, or one of the two lacks it.

    Why: conda's clients verify what they extract, and refuse it or leave it out.

    Mend: change the recipe and pack again; never the archive.

    Not seen: whether the hash of a soft link is right, as its writers do not agree on what that is.

    Source: CEP 34, info/paths.json.
    """
    facts = evidence.container
    for line in facts.unreadable if facts else ():
        yield Finding(place="info", message="metadata that cannot be read", evidence=(line,))
    for cause, lines in facts.faults.items() if facts else ():
        yield unrecorded("paths.json", cause, lines, Severity.ERROR)


@rule("DIP516", "build prefix", Severity.ERROR, conditions.conda, conditions.packed)
def prefixes(evidence: Evidence) -> Iterator[Finding]:
    """A file holds the build prefix and is not registered, or is registered wrongly.

    Why: on installation the client puts the real prefix in place of the registered one. An unregistered one keeps pointing to
    the build machine: fatal in a script's first line, a drift elsewhere. In a binary registered as text the length changes,
    which breaks it; a short one leaves no room for the user's prefix.

    Mend: pack with prefix detection on and the usual long build prefix.

    Not seen: build prefixes without the usual `placehold` words, and those inside compressed data.

    Source: CEP 34, prefix_placeholder and file_mode; conda-build, "Making packages relocatable".
    """
    facts = evidence.container
    told: dict[tuple[str, Severity], list[BuildPrefix]] = defaultdict(list)
    for one in facts.prefixes if facts else ():
        if fault := _prefix_fault(one):
            told[fault].append(one)
    for (message, severity), found in told.items():
        yield Finding(
            given=severity,
            place=found[0].place,
            message=message,
            evidence=tuple(
                f"{one.place}: {one.mode or 'not registered'}, {len(one.text)} characters: {one.text}"
                for one in found[:_SHOWN]
            ),
        )


def _prefix_fault(one: BuildPrefix) -> tuple[str, Severity] | None:
    if not one.registered:
        message = "holds a build prefix that paths.json does not register"
        return message, Severity.ERROR if one.shebang else Severity.DRIFT
    if not one.present:
        return "is registered with a build prefix that it does not hold", Severity.DRIFT
    if one.binary and one.mode == "text":
        return "is a binary, and registered as text", Severity.ERROR
    if one.mode == "binary" and len(one.text) < _SHORT:
        return f"has room for a prefix of {len(one.text)} characters only", Severity.DRIFT
    return None


@rule(
    "DIP517", "Python's folder against the dependencies", Severity.ERROR, conditions.conda, conditions.packed
)
def pythons(evidence: Evidence) -> Iterator[Finding]:
    """Files lie in the library folder of another Python than the package depends on, or a noarch package lacks python.

    Why: that Python never looks there; a noarch package of Python cannot be placed without one.

    Mend: let the recipe use `$SP_DIR`, and put python among the run dependencies.

    Not seen: ranges of more than one Python, and packages that depend on no Python at all.

    Source: CEP 20; conda-build, "Noarch Python"; conda/conda#10969; conda/conda-build#4477.
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


@rule("DIP519", "soft link to nothing", Severity.NOTE, conditions.conda, conditions.packed)
def dangling(evidence: Evidence) -> Iterator[Finding]:
    """A soft link of a conda package leads to a file that the package does not have.

    Why: it dangles after installation, unless a dependency brings its target. With nothing to depend on, none can: a drift.

    Mend: pack the target too, or leave the link out.

    Not seen: whether a dependency really has that file. A link that leaves the prefix is refused with the whole package (DIP502).

    Source: CEP 34, "softlink".
    """
    package = evidence.conda
    alone = package is not None and all(spec.startswith("__") for spec in package.depends)
    members = set(evidence.members)
    folders = {parent for name in members for parent in _parents(name)}
    found = [
        f"{name} -> {target}"
        for name, target in sorted(evidence.links.items())
        if _led(name, target) not in members | folders
    ]
    if found:
        yield Finding(
            given=Severity.DRIFT if alone else Severity.NOTE,
            place=found[0].partition(" -> ")[0],
            message=f"{len(found)} {'link leads' if len(found) == 1 else 'links lead'} to nothing in the package",
            evidence=tuple(found[:_SHOWN]),
        )


def _led(name: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), target))


def _parents(name: str) -> Iterator[str]:
    while name := posixpath.dirname(name):
        yield name


@rule("DIP520", "index.json against the file name", Severity.ERROR, conditions.conda, conditions.packed)
def index_fields(evidence: Evidence) -> Iterator[Finding]:
    """info/index.json says another name, version or build than the file name, or a field of it has a wrong form.

    Why: channels are indexed by file name and by index.json, and clients believe the one or the other. A build number that is no number,
    or dependencies that are no list of texts, are an error: rattler refuses to read them, and the indexing of the whole channel stops.

    Mend: let a build tool write both; never rename a package.

    Not seen: whether the dependencies are specifications that a solver takes; fields that clients do not read.

    Source: CEP 34, info/index.json; CEP 26 (names of packages).
    """
    facts = evidence.container
    if facts is None:
        return
    faults = [(Severity.DRIFT, *fault) for fault in _name_fault(facts)]
    faults += [(Severity.ERROR, *fault) for fault in _type_faults(facts.index)]
    faults += [(Severity.DRIFT, *fault) for fault in _subdir_fault(facts.index)]
    for severity, message, shown in faults:
        yield Finding(given=severity, place="info/index.json", message=message, evidence=(shown,))


def _name_fault(facts: ContainerFacts) -> Iterator[tuple[str, str]]:
    said = "-".join(str(facts.index.get(key, "")) for key in ("name", "version", "build"))
    named = facts.filename.removesuffix(".conda").removesuffix(".tar.bz2")
    if said != named:
        yield f'says "{said}", and the file is called "{facts.filename}"', f"the file name says {named}"


def _type_faults(index: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    number = index.get("build_number")
    if number is not None and (not isinstance(number, int) or isinstance(number, bool) or number < 0):
        yield "build_number is not a whole number", f"build_number: {number!r}"
    for key in ("depends", "constrains"):
        specs = index.get(key, [])
        if not isinstance(specs, list) or not all(isinstance(one, str) and one.strip() for one in specs):
            yield f"{key} is not a list of specifications", f"{key}: {specs!r}"


def _subdir_fault(index: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    subdir = index.get("subdir")
    if subdir is not None and (not isinstance(subdir, str) or not _SUBDIRS.fullmatch(subdir)):
        yield "subdir is none that conda knows", f"subdir: {subdir!r}"


@rule("DIP521", "one path of two packages", Severity.ERROR, conditions.environment)
def clobbered(evidence: Evidence) -> Iterator[Finding]:
    """Two packages of an environment own one and the same file.

    Why: the later one overwrote the earlier one's, and removing either takes the file from both.

    Mend: leave the file out of one of the packages (often a top-level `tests` folder, or a library that both bring).

    Not seen: files that no package's record names, such as those that pip installed.

    Source: conda, ClobberError, path_conflict; CEP 34.
    """
    owners: dict[str, list[str]] = defaultdict(list)
    for package in evidence.installed:
        for name in package.files:
            owners[name].append(package.name)
    pairs: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, found in owners.items():
        if len(set(found)) > 1:
            pairs[tuple(sorted(set(found)))].append(name)
    for packages, names in sorted(pairs.items()):
        names.sort()
        yield Finding(
            place=names[0],
            message=f"{len(names)} {'file' if len(names) == 1 else 'files'} of both {' and '.join(packages)}",
            evidence=tuple(names[:_SHOWN]),
        )


@rule("DIP522", "one project installed twice", Severity.DRIFT, conditions.environment)
def twice_installed(evidence: Evidence) -> Iterator[Finding]:
    """An environment has two `.dist-info` folders of one project: mostly pip's beside conda's.

    Why: the files are those of one, and what `importlib.metadata` answers may be the other's. conda and pip then each change
    files that the other believes to own.

    Mend: `pip uninstall` the project until it is gone, then `conda install --force-reinstall` it.

    Not seen: projects of which one installer left no `.dist-info`; `.egg-info`.

    Source: conda, "Using pip in an environment"; packaging.python.org, "Recording installed projects".
    """
    found: dict[str, list[str]] = defaultdict(list)
    for name in evidence.members:
        if match := _DIST_INFO.fullmatch(name):
            found[re.sub(r"[-_.]+", "-", match[1]).lower()].append(name)
    owned = {name: package.name for package in evidence.installed for name in package.files}
    for project, names in sorted(found.items()):
        if len(names) > 1:
            names.sort()
            yield Finding(
                place=posixpath.dirname(names[0]),
                message=f"{project} is installed {len(names)} times",
                evidence=tuple(
                    f"{posixpath.dirname(name)}: {'package ' + owned[name] if name in owned else 'by no package of conda (pip?)'}"
                    for name in names[:_SHOWN]
                ),
            )
