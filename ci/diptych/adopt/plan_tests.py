"""The tests, as the table will have them: command, copies, requirements."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

from diptych.adopt.files import parsed
from diptych.adopt.gather import Repository
from diptych.adopt.imports import (
    imported_by,
    is_on_disk,
    listed_packages,
    packages_on_disk,
    test_places,
    tests_among_modules,
)
from diptych.adopt.model import Origin, Untold
from diptych.adopt.names import projects_of_conda
from diptych.adopt.plan_package import import_name
from diptych.adopt.readpyproject import FILE, strings
from diptych.adopt.readpytest import coverage_plugins, read_pytest, without_the_gil_alone
from diptych.adopt.requirements import extras_of, group, match_spec, merged, project_name
from diptych.adopt.table import Line, origins, unique

# diptych.testing.recorder has the module.
IMPORTS = "python -m diptych_imports"
_TEST = "pytest -q {source}/tests"
_TEST_GROUPS = ("test", "tests", "testing")
_WIDE_GROUPS = ("dev", "develop", "development", "all")


def test_lines(repository: Repository, untold: list[Untold]) -> tuple[Line, ...]:
    """Return ``test``, and ``test-sources`` where the tests have to be copied away from the package's sources."""
    lines = _test_lines(repository, untold)
    if repository.reading.of("test"):
        return lines
    return _for_todays_pytest(repository, _for_every_python(repository, lines, untold))


def _for_todays_pytest(repository: Repository, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Add the options that today's pytest needs with settings that are for an older one."""
    command = next((str(line.value) for line in lines if line.key == "test"), _TEST)
    found = read_pytest(repository.root, repository.pyproject).for_today
    if not command.startswith("pytest -q") or not found:
        return lines
    options, reasons = zip(*found, strict=True)
    line = Line(
        key="test",
        value=command.replace("pytest -q", " ".join(["pytest -q", *options]), 1),
        why=(*(one for given in lines if given.key == "test" for one in given.why), *reasons),
    )
    return (line, *(one for one in lines if one.key != "test"))


def _for_every_python(
    repository: Repository, lines: tuple[Line, ...], untold: list[Untold]
) -> tuple[Line, ...]:
    """Leave out the test modules that a Python with the GIL cannot import: pytest would end at the first."""
    command = next((str(line.value) for line in lines if line.key == "test"), _TEST)
    if not command.startswith("pytest"):
        return lines
    refusing = [file.name for file in _test_modules(repository, command) if without_the_gil_alone(file)]
    if not refusing:
        return lines
    why = f"{', '.join(refusing)}: for a Python without the GIL alone, an assert at its top says"
    untold.append(Untold(text=f"left out of the tests: {why}", origin=Origin(file=".")))
    line = Line(
        key="test",
        value=" ".join([command, *(f"--ignore-glob=*/{name}" for name in refusing)]),
        why=(*(one for given in lines if given.key == "test" for one in given.why), why),
    )
    return (line, *(one for one in lines if one.key != "test"))


def _test_modules(repository: Repository, command: str) -> list[Path]:
    package = import_name(repository)
    if "--pyargs" in command:
        folder = tests_among_modules(repository.root, repository.pyproject, package)
        return sorted((repository.root / folder).glob("test_*.py")) if folder else []
    place = next(test_places(repository.root, repository.pyproject, package), None)
    return sorted((repository.root / place[0]).rglob("test_*.py")) if place else []


def _test_lines(repository: Repository, untold: list[Untold]) -> tuple[Line, ...]:
    given, sources = repository.reading.of("test"), repository.reading.of("test-sources")
    if given and sources:
        return (
            Line(key="test", value=given[-1].value, why=origins(given[-1:])),
            Line(key="test-sources", value=[one.value for one in sources], why=origins(sources)),
        )
    if given:
        return _unless_default(_from_source(given[-1].value, repository.root), *origins(given[-1:]))
    package = import_name(repository)
    for place, why in test_places(repository.root, repository.pyproject, package):
        return _found_tests(repository, place, why, untold)
    if folder := tests_among_modules(repository.root, repository.pyproject, package):
        return _unless_default(f"pytest -q --pyargs {package}", f"{folder}/ has test files among its modules")
    untold.append(
        Untold(text="no tests were found: set test, or the import stands in", origin=Origin(file="."))
    )
    return _import_alone("no tests were found") if package else ()


def _found_tests(repository: Repository, place: str, why: str, untold: list[Untold]) -> tuple[Line, ...]:
    path = repository.root / place
    inside = path.is_dir() and (path.parent / "__init__.py").is_file()
    if not inside and (path.is_dir() or path.parent != repository.root):
        if _is_found_first(path, import_name(repository), repository.root):
            # pytest puts the folder above a test package, and that of a conftest.py, first of all (its documentation, "pytest import mechanisms").
            behind = f"{place}/ or a conftest.py is beside the sources, which would be imported in place of what was compiled"
            return _unless_default(f"pytest -q --import-mode=append {{source}}/{place}", why, behind)
        return _unless_default(f"pytest -q {{source}}/{place}", why)
    if inside and _relative(path):
        return _installed_tests(repository, place, untold)
    # Beside the package's own sources Python would import those, which nothing has compiled.
    return (
        Line(key="test", value="pytest -q", why=(why,)),
        Line(key="test-sources", value=[place], why=("they lie beside the package's own sources",)),
    )


def _is_found_first(tests: Path, package: str, root: Path) -> bool:
    """Tell whether the project's own sources stand beside what pytest puts first on the path: a test package, a ``conftest.py`` above it."""
    top = package.partition(".")[0]
    if not top:
        return False
    above = [folder for folder in (tests.parent, *tests.parent.parents) if folder.is_relative_to(root)]
    beside = [tests.parent] if (tests / "__init__.py").is_file() else []
    beside += [folder for folder in above if (folder / "conftest.py").is_file()]
    return any((folder / top).is_dir() or (folder / f"{top}.py").is_file() for folder in beside)


def _installed_tests(repository: Repository, place: str, untold: list[Untold]) -> tuple[Line, ...]:
    """Name tests that import from their package relatively: they run where they are installed, if they are."""
    package = import_name(repository)
    module = f"{package}.{place.rpartition('/')[2]}"
    listed = {name for name, _ in listed_packages(repository.pyproject, repository.setup.words)}
    if package in listed and module not in listed:
        text = f"the tests import from the package relatively, and the wheel lacks them: list {module}, or the import stands in"
        untold.append(Untold(text=text, origin=Origin(file=place)))
        return _import_alone(f"{place}/ cannot run")
    return _unless_default(
        f"pytest -q --pyargs {module}", f"{place}/ is inside the package, and imports from it"
    )


def _import_alone(why: str) -> tuple[Line, ...]:
    """Let the import of the package and of each compiled module in it stand in for tests."""
    return (Line(key="test", value=IMPORTS, why=(why,)),)


def _unless_default(command: str, *why: str) -> tuple[Line, ...]:
    return () if command == _TEST else (Line(key="test", value=command, why=why),)


def _relative(folder: Path) -> bool:
    """Tell whether a test imports from the package above it: ``from .. import``."""
    for file in sorted(folder.rglob("*.py")):
        tree = parsed(file)
        if tree and any(isinstance(node, ast.ImportFrom) and node.level > 1 for node in ast.walk(tree)):
            return True
    return False


def _from_source(command: str, root: Path) -> str:
    """Let words that name files of the project start from the source folder, wherever the tests run."""
    for word in dict.fromkeys(shlex.split(command)):
        if "/" in word and (root / word).exists():
            command = re.sub(rf"(?<!\S){re.escape(word)}(?!\S)", f"{{source}}/{word}", command)
    return command


def test_requires(repository: Repository, untold: list[Untold]) -> Line | None:
    """Name what the tests need besides the project."""
    found = [*_cibuildwheel_tests(repository), *_own_groups(repository), *_pytest_plugins(repository)]
    specs: list[str] = []
    why: list[str] = []
    own = canonicalize_name(repository.name) if repository.name else ""
    for text, place in found:
        spec = match_spec(text)
        if spec and project_name(text) != own:
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
    return Line(key="test-requires", value=chosen, why=unique(why) or ("the tests need nothing",))


def _uses_pytest(repository: Repository) -> bool:
    commands = [line.value for line in test_lines(repository, []) if line.key == "test"]
    return all("pytest" in str(command) for command in commands)


def _cibuildwheel_tests(repository: Repository) -> Iterator[tuple[str, str]]:
    for one in repository.reading.of("test-requires"):
        yield one.value, str(one.origin)
    for one in repository.reading.of("test-extras"):
        yield from _of_extra(repository, one.value)
    for one in repository.reading.of("test-groups"):
        yield from _of_group(repository, one.value)


def _pytest_plugins(repository: Repository) -> Iterator[tuple[str, str]]:
    """Yield what pytest's own settings cannot do without; only where pytest runs."""
    if not _uses_pytest(repository):
        return
    settings = read_pytest(repository.root, repository.pyproject)
    for text in settings.plugins:
        yield text, f"{settings.file}: its options for pytest ask for {project_name(text)}"
    if "pytest-cov" in settings.plugins:
        for text in coverage_plugins(repository.root, repository.pyproject):
            yield text, f"the settings of coverage load {text}"


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


def _of_extra(
    repository: Repository, name: str, seen: frozenset[str] = frozenset()
) -> Iterator[tuple[str, str]]:
    """Yield what an extra brings, with the other extras that it names as the project's own: ``crafted[more]``."""
    own = canonicalize_name(repository.name) if repository.name else ""
    wanted = canonicalize_name(name)
    for known, entries in repository.extras.items():
        if canonicalize_name(known) == wanted and wanted not in seen:
            for text in strings(entries):
                yield text, f"extra {known}"
                for other in extras_of(text) if own and project_name(text) == own else ():
                    yield from _of_extra(repository, other, seen | {wanted})


def _tests_import(repository: Repository) -> set[str]:
    places = test_places(repository.root, repository.pyproject, import_name(repository))
    first = next(places, None)
    return imported_by(repository.root / first[0]) if first else set()


def _unlisted_imports(repository: Repository, specs: list[str]) -> Iterator[Untold]:
    """Name what the tests import and no list brings, by a project of the same name."""
    package = import_name(repository).split(".")[0]
    brought = {
        *(project for spec in specs for project in projects_of_conda(spec.split()[0])),
        *(project_name(text) for text in repository.dependencies),
        *("pytest", canonicalize_name(package)),
    }
    own = {
        package,
        *packages_on_disk(repository.root),
        *(name.partition(".")[0] for name in repository.setup.modules),
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
