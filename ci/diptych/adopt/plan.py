"""From what a repository says to the keys of ``[tool.diptych]``, each with where it comes from."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from diptych.adopt.cibuildwheel import other_builds, selected_pythons
from diptych.adopt.gather import Repository
from diptych.adopt.imports import (
    imported_by,
    is_on_disk,
    listed_packages,
    packages_on_disk,
    source_folders,
    test_places,
)
from diptych.adopt.model import Need, Origin, Setting, Untold
from diptych.adopt.names import conda_names, projects_of_conda
from diptych.adopt.readpyproject import FILE, strings
from diptych.adopt.requirements import group, match_spec, merged, project_name
from diptych.config import forms
from diptych.errors import ConfigError
from diptych.recipes.tools import TOOLS

# The Pythons that Diptych itself is tested with.
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
_TEST = "pytest -q {source}/tests"
_TEST_GROUPS = ("test", "tests", "testing")
_WIDE_GROUPS = ("dev", "develop", "development", "all")
_CLASSIFIER = re.compile(r"Programming Language :: Python :: (3\.\d+)")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One key of the table.

    Attributes:
        key: its name.
        value: a string, a list of strings or a table of strings.
        why: where each part comes from, in words.
    """

    key: str
    value: Any
    why: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The table to write, and what could not be told."""

    lines: tuple[Line, ...]
    untold: tuple[Untold, ...]


def plan(repository: Repository) -> Plan:
    """Decide every key of the table; a key whose default fits is left out.

    Raises:
        ConfigError: the project admits no Python that Diptych builds for.
    """
    untold: list[Untold] = list(repository.reading.untold)
    makers = (_python, _package, _recipe, _channels, _host, _test, _test_requires, _env, _excluded)
    lines = [line for make in makers if (line := make(repository, untold)) is not None]
    return Plan(lines=tuple(lines), untold=tuple(untold))


def _python(repository: Repository, untold: list[Untold]) -> Line:
    build, skip = repository.reading.of("build"), repository.reading.of("skip")
    untold += [
        Untold(text=f'"{glob}": Diptych builds CPython for Linux and macOS', origin=one.origin)
        for one in (*build, *skip)
        for glob in other_builds([one.value])
        if one in build
    ]
    specifiers, origin = _requires_python(repository)
    admitted = [python for python in PYTHONS if _admits(specifiers, python)]
    if not admitted:
        raise ConfigError(
            f'"{specifiers}" ({origin}) admits none of the Pythons that Diptych builds for: {", ".join(PYTHONS)}',
            hint="admit one of them in requires-python",
        )
    named = [python for python in _classified(repository) if python in admitted]
    if build or skip:
        known = admitted if build or not named else named
        chosen = selected_pythons([one.value for one in build], [one.value for one in skip], known)
        places = [str(one.origin) for one in (*build, *skip)]
        places += ["the classifiers"] if known is named else [str(origin)] if specifiers else []
        if chosen:
            return Line(key="python", value=chosen, why=_unique(places))
        untold.append(
            Untold(text="build and skip leave none of the Pythons here", origin=(*build, *skip)[0].origin)
        )
    if named:
        return Line(key="python", value=named, why=("the classifiers",))
    why = str(origin) if specifiers else "no file names a Python: all that Diptych is tested with"
    return Line(key="python", value=admitted, why=(why,))


def _requires_python(repository: Repository) -> tuple[str, Origin]:
    project = repository.pyproject.table("project")
    poetry = repository.pyproject.table("tool", "poetry", "dependencies")
    if isinstance(project.get("requires-python"), str):
        return project["requires-python"], Origin(file=FILE, key="project.requires-python")
    if isinstance(poetry.get("python"), str):
        return _of_poetry(poetry["python"]), Origin(file=FILE, key="tool.poetry.dependencies.python")
    written = repository.setup.words.get("python_requires")
    return (written if isinstance(written, str) else ""), repository.of_setup("python_requires")


def _of_poetry(text: str) -> str:
    """Write Poetry's caret as PEP 440 has it: ``^3.10`` is ``>=3.10,<4``."""
    return re.sub(r"\^\s*(\d+)(\.\d+)*", lambda found: f">={found[0][1:].strip()},<{int(found[1]) + 1}", text)


def _admits(specifiers: str, python: str) -> bool:
    try:
        allowed = SpecifierSet(specifiers)
    except InvalidSpecifier:
        return True
    return any(allowed.contains(f"{python}.{patch}", prereleases=True) for patch in (0, 99))


def _classified(repository: Repository) -> list[str]:
    written = strings(repository.pyproject.table("project").get("classifiers")) or strings(
        repository.setup.words.get("classifiers")
    )
    return [found[1] for one in written if (found := _CLASSIFIER.fullmatch(one))]


def _package(repository: Repository, untold: list[Untold]) -> Line | None:
    name = repository.name
    default = name.replace("-", "_")
    listed = listed_packages(repository.pyproject, repository.setup.words)
    names = [package for package, _ in listed]
    root = repository.root
    sources = source_folders(repository.pyproject, repository.setup.words)
    if name and (default in names or is_on_disk(root, default, sources)):
        return None
    public = [(package, key) for package, key in listed if not package.startswith("_")] or listed
    for package, key in public:
        return Line(key="package", value=package, why=(key,))
    on_disk = packages_on_disk(root, sources)
    folded = [package for package in on_disk if package.lower() == default.lower()]
    if len(on_disk) == 1 or folded:
        package = (folded or on_disk)[0]
        return Line(key="package", value=package, why=(f"the folder {_folder_of(root, package)}",))
    origin = Origin(file=FILE if repository.pyproject.document else "setup.py")
    if on_disk:
        text = f"which package is the one to import: {', '.join(on_disk)}? Set package"
        untold.append(Untold(text=text, origin=origin))
    elif not forms.MODULE.accepts(default):
        untold.append(Untold(text="the name to import: set package", origin=origin))
    return None


def _folder_of(root: Path, package: str) -> str:
    places = (f"{source}{package}" for source in ("", "src/", "python/", "lib/", "source/"))
    return next((place for place in places if (root / place).is_dir()), package)


def _recipe(repository: Repository, _untold: list[Untold]) -> Line | None:
    place = repository.recipe
    if place in {"", "conda/recipe.yaml", "conda/meta.yaml"}:
        return None  # none, or found without the key
    return Line(key="recipe", value=place, why=(f"{place} is there",))


def _channels(repository: Repository, _untold: list[Untold]) -> Line | None:
    found = repository.reading.of("channels")
    if not found:
        return None
    return Line(key="channels", value=list(_unique(one.value for one in found)), why=_origins(found))


def _host(repository: Repository, untold: list[Untold]) -> Line | None:
    """Name what is compiled against, without what the isolated build environment brings."""
    specs: list[str] = []
    why: list[str] = []
    for need in repository.reading.needs:
        names = conda_names(need)
        if names is None:
            untold.append(_unknown(need))
        for name in names or ():
            if _brought(repository, name):
                continue
            if not need.required and need.kind != "conda":
                untold.append(
                    Untold(
                        text=f"{need} may be missing: add {name} to host to build with it", origin=need.origin
                    )
                )
                continue
            specs.append(name)
            why.append(f"{name.split()[0]}: {need.origin}")
    specs = _without_parts(merged(specs))
    if not specs:
        return None
    kept = {spec.split()[0] for spec in specs}
    return Line(key="host", value=specs, why=_unique(one for one in why if one.split(":")[0] in kept))


def _unknown(need: Need) -> Untold:
    of = {"cmake": "CMake package", "pkg-config": "pkg-config module", "library": "library"}.get(
        need.kind, "name"
    )
    text = f"{need}: which conda package brings this {of}? Add it to host"
    return Untold(text=text if need.required else f"{text}, if it is needed", origin=need.origin)


def _brought(repository: Repository, spec: str) -> bool:
    """Tell whether the build backend's own environment brings a package: then host need not."""
    name = spec.split(maxsplit=1)[0]
    if name in TOOLS:
        return True
    if not repository.by_backend:
        return False
    required = {project_name(text) for text in repository.pyproject.requires}
    if name == "numpy" and "oldest-supported-numpy" in required:
        return True
    return bool(required & set(projects_of_conda(name)))


def _without_parts(specs: Iterable[str]) -> list[str]:
    """Leave out a package that another one of the list brings."""
    listed = list(specs)
    names = {spec.split()[0] for spec in listed}
    parts = {"libboost-devel", "libboost-headers", "boost"} if "libboost-python-devel" in names else set()
    return [spec for spec in listed if spec.split()[0] not in parts]


def _test(repository: Repository, untold: list[Untold]) -> Line | None:
    given = repository.reading.of("test")
    if given:
        command = _from_source(given[-1].value, repository.root)
        return None if command == _TEST else Line(key="test", value=command, why=_origins(given[-1:]))
    for place, why in test_places(repository.root, repository.pyproject, _import_name(repository)):
        command = f"pytest -q {{source}}/{place}"
        return None if command == _TEST else Line(key="test", value=command, why=(why,))
    package = _import_name(repository)
    untold.append(
        Untold(text="no tests were found: set test, or the import stands in", origin=Origin(file="."))
    )
    if not package:
        return None
    return Line(key="test", value=f'python -c "import {package}"', why=("no tests were found",))


def _from_source(command: str, root: Path) -> str:
    """Let words that name files of the project start from the source folder, wherever the tests run."""
    for word in dict.fromkeys(shlex.split(command)):
        if "/" in word and (root / word).exists():
            command = re.sub(rf"(?<!\S){re.escape(word)}(?!\S)", f"{{source}}/{word}", command)
    return command


def _import_name(repository: Repository) -> str:
    line = _package(repository, [])
    return str(line.value) if line else repository.name.replace("-", "_")


def _test_requires(repository: Repository, untold: list[Untold]) -> Line | None:
    found = [*_cibuildwheel_tests(repository), *_own_groups(repository)]
    specs: list[str] = []
    why: list[str] = []
    own = canonicalize_name(repository.name) if repository.name else ""
    for text, place in found:
        spec = match_spec(text)
        if spec and spec.split()[0] != own:
            specs.append(spec)
            why.append(place)
    for one in repository.reading.of("test-requires-conda"):
        specs.append(one.value)
        why.append(str(one.origin))
    if _uses_pytest(repository) and not any(spec.split()[0] == "pytest" for spec in specs):
        specs.insert(0, "pytest")
    chosen = list(merged(specs))
    untold += _unlisted_imports(repository, chosen)
    if chosen == ["pytest"]:
        return None
    return Line(key="test-requires", value=chosen, why=_unique(why) or ("the tests need nothing",))


def _uses_pytest(repository: Repository) -> bool:
    line = _test(repository, [])
    return line is None or "pytest" in str(line.value)


def _cibuildwheel_tests(repository: Repository) -> Iterator[tuple[str, str]]:
    for one in repository.reading.of("test-requires"):
        yield one.value, str(one.origin)
    for one in repository.reading.of("test-extras"):
        yield from _of_extra(repository, one.value)
    for one in repository.reading.of("test-groups"):
        yield from _of_group(repository, one.value)


def _own_groups(repository: Repository) -> Iterator[tuple[str, str]]:
    """Yield the requirements of the groups and extras for tests; of wider ones only what the tests import, and pytest's."""
    groups = repository.pyproject.table("dependency-groups")
    poetry = repository.pyproject.table("tool", "poetry", "group")
    for name in _TEST_GROUPS:
        yield from _of_group(repository, name)
        yield from _of_extra(repository, name)
        section = poetry.get(name)
        names = section.get("dependencies") if isinstance(section, dict) else None
        for one in names if isinstance(names, dict) else ():
            yield one, f"{FILE} tool.poetry.group.{name}"
    yield from (
        (text, str(repository.of_setup("tests_require")))
        for text in strings(repository.setup.words.get("tests_require"))
    )
    if any(name in groups or name in repository.extras for name in _TEST_GROUPS):
        return
    imported = {canonicalize_name(name) for name in _tests_import(repository)}
    for name in _WIDE_GROUPS:
        for text, place in (*_of_group(repository, name), *_of_extra(repository, name)):
            project = project_name(text)
            if project.startswith("pytest") or project in imported:
                yield text, place


def _of_group(repository: Repository, name: str) -> Iterator[tuple[str, str]]:
    for text in group(repository.pyproject.table("dependency-groups"), name):
        yield text, f"{FILE} dependency-groups.{name}"


def _of_extra(repository: Repository, name: str) -> Iterator[tuple[str, str]]:
    for known, entries in repository.extras.items():
        if canonicalize_name(known) == canonicalize_name(name):
            for text in strings(entries):
                yield text, f"extra {known}"


def _tests_import(repository: Repository) -> set[str]:
    places = test_places(repository.root, repository.pyproject, _import_name(repository))
    first = next(places, None)
    return imported_by(repository.root / first[0]) if first else set()


def _unlisted_imports(repository: Repository, specs: list[str]) -> Iterator[Untold]:
    """Name what the tests import and no list brings, by a project of the same name."""
    package = _import_name(repository).split(".")[0]
    brought = {
        *(str(canonicalize_name(spec.split()[0])) for spec in specs),
        *(project_name(text) for text in repository.dependencies),
        *("pytest", canonicalize_name(package)),
    }
    own = {
        package,
        *packages_on_disk(repository.root),
        *(name for name, _ in listed_packages(repository.pyproject, repository.setup.words)),
    }
    for name in sorted(_tests_import(repository)):
        if (
            canonicalize_name(name) not in brought
            and name not in own
            and not is_on_disk(repository.root, name)
        ):
            text = f'the tests import "{name}", which no list of requirements names: add what brings it to test-requires'
            yield Untold(text=text, origin=Origin(file="tests"))


def _env(repository: Repository, _untold: list[Untold]) -> Line | None:
    found = repository.reading.of("env")
    if not found:
        return None
    pairs = (one.value.partition("=") for one in found)
    return Line(key="env", value={name: value for name, _, value in pairs}, why=_origins(found))


def _excluded(repository: Repository, _untold: list[Untold]) -> Line | None:
    found = repository.reading.of("exclude-libraries")
    if not found:
        return None
    return Line(key="exclude-libraries", value=list(_unique(one.value for one in found)), why=_origins(found))


def _origins(settings: Iterable[Setting]) -> tuple[str, ...]:
    return _unique(str(one.origin) for one in settings)


def _unique(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
