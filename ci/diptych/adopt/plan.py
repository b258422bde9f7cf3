"""From what a repository says to the keys of ``[tool.diptych]``, each with where it comes from."""

from __future__ import annotations

import re
from collections.abc import Iterable

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from diptych.adopt.cibuildwheel import names_free_threaded, other_builds, selected_pythons
from diptych.adopt.gather import Repository
from diptych.adopt.model import Need, Origin, Untold
from diptych.adopt.names import conda_names, projects_of_conda
from diptych.adopt.plan_package import package_line
from diptych.adopt.plan_tests import test_lines, test_requires
from diptych.adopt.readpyproject import FILE, strings
from diptych.adopt.requirements import merged, project_name
from diptych.adopt.table import Line, Plan, origins, unique
from diptych.errors import ConfigError
from diptych.recipes.tools import TOOLS

# The Pythons that Diptych itself is tested with.
PYTHONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
# Those without the GIL: taken where cibuildwheel is told to build them.
FREE_THREADED = ("3.13t", "3.14t")
_CLASSIFIER = re.compile(r"Programming Language :: Python :: (3\.\d+)")


def plan(repository: Repository) -> Plan:
    """Decide every key of the table; a key whose default fits is left out.

    Raises:
        ConfigError: the project admits no Python that Diptych builds for.
    """
    untold: list[Untold] = list(repository.reading.untold)
    before = (_python, package_line, _recipe, _channels, _host)
    after = (test_requires, _env, _excluded)
    lines = [line for make in before if (line := make(repository, untold)) is not None]
    lines += test_lines(repository, untold)
    lines += [line for make in after if (line := make(repository, untold)) is not None]
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
    enabled = repository.reading.of("free-threaded")
    if build or skip or enabled:
        known = admitted if build or not named else named
        chosen = selected_pythons([one.value for one in build], [one.value for one in skip], known)
        if enabled or names_free_threaded(one.value for one in build):
            free = [python for python in FREE_THREADED if python.removesuffix("t") in known]
            chosen += selected_pythons([one.value for one in build], [one.value for one in skip], free)
        places = [str(one.origin) for one in (*build, *skip, *enabled)]
        places += ["the classifiers"] if known is named else [str(origin)] if specifiers else []
        if chosen:
            return Line(key="python", value=chosen, why=unique(places))
        untold.append(
            Untold(
                text="build and skip leave none of the Pythons here",
                origin=(*build, *skip, *enabled)[0].origin,
            )
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


def _recipe(repository: Repository, _untold: list[Untold]) -> Line | None:
    place = repository.recipe
    if place in {"", "conda/recipe.yaml", "conda/meta.yaml"}:
        return None  # none, or found without the key
    return Line(key="recipe", value=place, why=(f"{place} is there",))


def _channels(repository: Repository, _untold: list[Untold]) -> Line | None:
    found = repository.reading.of("channels")
    if not found:
        return None
    return Line(key="channels", value=list(unique(one.value for one in found)), why=origins(found))


def _host(repository: Repository, untold: list[Untold]) -> Line | None:
    """Name what is compiled against, without what the isolated build environment brings."""
    specs: list[str] = []
    why: list[str] = []
    written = repository.pyproject.table("tool", "diptych", "names")
    known = {name: conda for name, conda in written.items() if isinstance(conda, str)}
    for need in repository.reading.needs:
        names = conda_names(need, known)
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
    return Line(key="host", value=specs, why=unique(one for one in why if one.split(":")[0] in kept))


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


def _env(repository: Repository, _untold: list[Untold]) -> Line | None:
    found = repository.reading.of("env")
    if not found:
        return None
    pairs = (one.value.partition("=") for one in found)
    return Line(key="env", value={name: value for name, _, value in pairs}, why=origins(found))


def _excluded(repository: Repository, _untold: list[Untold]) -> Line | None:
    found = repository.reading.of("exclude-libraries")
    if not found:
        return None
    return Line(key="exclude-libraries", value=list(unique(one.value for one in found)), why=origins(found))
