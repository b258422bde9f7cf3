"""What PyPI (or the index that pip is configured for) offers, resolved by pip and kept with its hashes.

One resolver run per Python takes all names together; what it chose is written down (``pypi-3.11.json``), and
asked again only when a name or version is wanted that the list does not have. So a second run needs no network,
and versions stay until ``rebuild``.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from diptych import specs
from diptych.channel import names, sdists
from diptych.channel.requests import BY_HAND
from diptych.errors import ChannelError, DiptychError, ProcessError, nearest
from diptych.interpreters import Interpreter
from diptych.process import run
from diptych.specs import to_conda
from diptych.store import Store, sha256_file, write_json

_FORMAT = 1
_SECONDS = 600.0
_MOST_SDISTS = 8
_PYTHON_MARKER = re.compile(r"\bpython_(full_)?version\b")


@dataclass(frozen=True, kw_only=True)
class ResolvedWheel:
    """One wheel that pip chose.

    Attributes:
        name: the canonical project name.
        version: its version.
        url: where it is, without credentials.
        sha256: of the file.
        requires: its Requires-Dist lines.
    """

    name: str
    version: str
    url: str
    sha256: str
    requires: tuple[str, ...]

    @property
    def filename(self) -> str:
        """The wheel's file name."""
        return unquote(urlsplit(self.url).path.rpartition("/")[2])


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """What pip chose for one Python.

    Attributes:
        wanted: project name to version specifiers, all that was ever asked for.
        markers: the environment of that Python for markers (PEP 508).
        wheels: what was chosen, by project name.
    """

    wanted: Mapping[str, str]
    markers: Mapping[str, str]
    wheels: Mapping[str, ResolvedWheel]

    def covers(self, wanted: Mapping[str, str]) -> bool:
        """Tell whether every name is there in a version that suits."""
        return all(
            name in self.wanted
            and name in self.wheels
            and SpecifierSet(versions).contains(Version(self.wheels[name].version), prereleases=True)
            for name, versions in wanted.items()
        )


class NoWheelError(ChannelError):
    """PyPI has no wheel of a project for a Python.

    Attributes:
        project: its canonical name.
    """

    project = ""


def resolve(
    wanted: Mapping[str, str], interpreter: Interpreter, *, root: Path, scratch: Path, env: Mapping[str, str]
) -> tuple[Resolution, bool]:
    """Return wheels for all wanted projects and their requirements, from the list or from pip.

    Args:
        wanted: project name to version specifiers (PEP 440).
        interpreter: the Python that they are for.
        root: the channel's folder, where the list is kept.
        scratch: for pip's report.
        env: with pip's own settings (PIP_INDEX_URL, proxies).

    Returns:
        The resolution, and whether pip was asked.

    Raises:
        ChannelError: something has no wheel for this Python, or the index cannot be reached.
    """
    path = lock_path(root, interpreter)
    known = _read(path)
    if known and known.covers(wanted):
        return known, False
    report = scratch / "report.json"
    everything = {**(known.wanted if known else {}), **wanted}
    failure = None
    # Old requests may contradict the new ones: then the new ones alone.
    for names_now in dict.fromkeys((tuple(everything.items()), tuple(wanted.items()))):
        try:
            _ask_with_sdists(dict(names_now), interpreter, report, root=root, env=env)
        except ProcessError as error:
            failure = error
            continue
        found = _from_report(dict(names_now), json.loads(report.read_text(encoding="utf-8")))
        write_json(path, {"format": _FORMAT, **asdict(found)})
        return found, True
    raise _unresolved(wanted, interpreter, failure) from failure


def lock_path(root: Path, interpreter: Interpreter) -> Path:
    """Return where the list for a Python is kept."""
    return root / f"pypi-{interpreter.minor}.json"


def _read(path: Path) -> Resolution | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        if value.pop("format") != _FORMAT:
            return None
        wheels = {
            name: ResolvedWheel(**{**each, "requires": tuple(each["requires"])})
            for name, each in value["wheels"].items()
        }
        return Resolution(wanted=value["wanted"], markers=value["markers"], wheels=wheels)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _pip(arguments: Sequence[str], interpreter: Interpreter, *, env: Mapping[str, str], cwd: Path) -> None:
    clean = {key: value for key, value in env.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_REQUIRE_VIRTUALENV": "0"}
    command = [sys.executable, "-m", "pip", "--python", str(interpreter.executable), *arguments]
    run(command, env={**clean, **quiet}, cwd=cwd, timeout=_SECONDS)


def _ask_with_sdists(
    wanted: Mapping[str, str], interpreter: Interpreter, report: Path, *, root: Path, env: Mapping[str, str]
) -> None:
    """Ask pip; where it finds no wheel, make one of the project's source distribution and ask again."""
    made, folder = set[str](), root / sdists.FOLDER
    while True:
        try:
            return _ask_pip(wanted, interpreter, report, links=folder, env=env)
        except ProcessError as error:
            missing = sdists.wanted_sdist(error.details)
            if missing is None or missing[0] in made or len(made) == _MOST_SDISTS:
                raise
            made.add(missing[0])
            if sdists.make_wheel(*missing, folder, partial(_pip, interpreter=interpreter), env=env) is None:
                raise


def _ask_pip(
    wanted: Mapping[str, str], interpreter: Interpreter, report: Path, *, links: Path, env: Mapping[str, str]
) -> None:
    options = ["--dry-run", "--ignore-installed", "--only-binary=:all:", "--quiet", "--report", str(report)]
    options += ["--find-links", str(links)] if links.is_dir() else []
    specs = [f"{name}{versions}" for name, versions in sorted(wanted.items())]
    _pip(["install", *options, *specs], interpreter, env=env, cwd=report.parent)


def _from_report(wanted: dict[str, str], report: Mapping[str, Any]) -> Resolution:
    """Read pip's installation report (pip documentation, "Installation Report", version 1)."""
    wheels: dict[str, ResolvedWheel] = {}
    for item in report["install"]:
        metadata, download = item["metadata"], item["download_info"]
        name = canonicalize_name(metadata["name"])
        wheels[name] = ResolvedWheel(
            name=name,
            version=metadata["version"],
            url=_without_credentials(download["url"]),
            sha256=download["archive_info"]["hashes"]["sha256"],
            requires=tuple(metadata.get("requires_dist", [])),
        )
    return Resolution(wanted=wanted, markers=report["environment"], wheels=wheels)


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _unresolved(
    wanted: Mapping[str, str], interpreter: Interpreter, error: DiptychError | None
) -> ChannelError:
    said = error.details if error else ()
    lines = [line for line in said if "ERROR" in line] or list(said[-3:])
    missing = re.search(r"No matching distribution found for ([\w.-]+)", "\n".join(lines))
    known = [*names.CUT, *specs.renamed(), "numpy", "pip", "pytest"]
    if missing:
        name = specs.conda_name(missing[1])
        asked = wanted.get(canonicalize_name(missing[1]))
        tried = (
            f"tried: the project {canonicalize_name(missing[1])}{asked or ''} of PyPI, for the package {name}"
        )
        if asked is None:
            tried += f", which one of these needs: {', '.join(sorted(wanted))}"
        lacks = NoWheelError(
            f'the local channel cannot make "{name}" for Python {interpreter.minor}: PyPI has no wheel of it'
            f"{nearest(name, known)}",
            details=[tried, *lines],
            hint=BY_HAND,
        )
        lacks.project = canonicalize_name(missing[1])
        return lacks
    return ChannelError(
        f"pip cannot resolve {', '.join(sorted(wanted))} for Python {interpreter.minor}",
        details=lines,
        hint="check the versions asked for, and that PyPI (or PIP_INDEX_URL) can be reached",
    )


def fetch(
    chosen: Iterable[ResolvedWheel],
    interpreter: Interpreter,
    *,
    store: Store,
    scratch: Path,
    env: Mapping[str, str],
) -> dict[str, Path]:
    """Return the wheel files by project name; those that the store lacks are downloaded, hashes required.

    Raises:
        ChannelError: the index cannot be reached, or a file is not the one that was resolved.
    """
    listed = list(chosen)
    missing = [each for each in listed if store.find("wheels", each.sha256) is None]
    if missing:
        _download(missing, interpreter, scratch, env=env)
    for each in missing:
        _keep(each, scratch / each.filename, store)
    return {each.name: store.path("wheels", each.sha256) / each.filename for each in listed}


def _download(
    missing: Sequence[ResolvedWheel], interpreter: Interpreter, scratch: Path, *, env: Mapping[str, str]
) -> None:
    requirements = scratch / "requirements.txt"
    lines = [f"{each.name} @ {each.url} --hash=sha256:{each.sha256}\n" for each in missing]
    requirements.write_text("".join(lines), encoding="utf-8")
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--quiet", "--dest", str(scratch)]
    try:
        _pip(["download", *options, "-r", str(requirements)], interpreter, env=env, cwd=scratch)
    except ProcessError as error:
        lines = [line for line in error.details if line.strip() and "WARNING" not in line]
        wrong = any("DO NOT MATCH THE HASHES" in line for line in lines)
        raise ChannelError(
            "a downloaded wheel is not the one that was resolved: its hash differs"
            if wrong
            else "cannot download wheels",
            details=lines,
            hint="`invoke channel --rebuild` resolves anew"
            if wrong
            else "check that PyPI (or PIP_INDEX_URL) can be reached, then run again",
        ) from error


def _keep(chosen: ResolvedWheel, file: Path, store: Store) -> None:
    if not file.is_file() or sha256_file(file) != chosen.sha256:
        raise ChannelError(
            f'pip did not leave wheel "{chosen.filename}" with the hash that it resolved',
            hint="`invoke channel --rebuild` resolves anew",
        )
    store.entry("wheels", chosen.sha256, lambda folder: _move(file, folder))


def _move(file: Path, folder: Path) -> None:
    (folder / file.name).write_bytes(file.read_bytes())
    file.unlink()


def alone(chosen: ResolvedWheel, interpreter: Interpreter) -> Resolution:
    """Return a resolution of one wheel that pip did not choose, for an interpreter of this machine."""
    minor = ".".join(interpreter.version.split(".")[:2])
    markers = {
        **default_environment(),
        "python_version": minor,
        "python_full_version": interpreter.version,
        "implementation_version": interpreter.version,
    }
    text = {key: str(value) for key, value in markers.items()}
    return Resolution(wanted={chosen.name: ""}, markers=text, wheels={chosen.name: chosen})


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """What a project needs, for one Python.

    Attributes:
        depends: match specifications in conda's words.
        projects: the PyPI names of the same.
        python_specific: the answer holds for this Python version only.
    """

    depends: tuple[str, ...]
    projects: tuple[str, ...]
    python_specific: bool


def requirements(project: str, resolution: Resolution) -> Requirements:
    """Return what a project needs: its Requires-Dist, markers evaluated, extras (conda has none) written out."""
    found: dict[str, str] = {}
    specific = _collect(project, frozenset({""}), resolution, found)
    found.pop(project, None)
    depends = sorted(f"{specs.conda_name(name)} {versions}".strip() for name, versions in found.items())
    return Requirements(depends=tuple(depends), projects=tuple(sorted(found)), python_specific=specific)


def _collect(project: str, extras: frozenset[str], resolution: Resolution, found: dict[str, str]) -> bool:
    specific = False
    for line in resolution.wheels[project].requires if project in resolution.wheels else ():
        requirement = _requirement(line, project)
        if requirement.marker:
            asks_python = bool(_PYTHON_MARKER.search(str(requirement.marker)))
            applies = any(
                requirement.marker.evaluate({**resolution.markers, "extra": each}) for each in extras
            )
            only_extra = "extra" in str(requirement.marker) and not applies
            specific |= asks_python and not only_extra
            if not applies:
                continue
        name = canonicalize_name(requirement.name)
        if name not in found:
            found[name] = to_conda(requirement.specifier)
            if requirement.extras:
                specific |= _collect(name, frozenset(requirement.extras), resolution, found)
    return specific


def _requirement(line: str, project: str) -> Requirement:
    try:
        return Requirement(line)
    except InvalidRequirement as error:
        raise ChannelError(f'project "{project}" has an unreadable requirement "{line}"') from error
