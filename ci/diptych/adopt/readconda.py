"""What conda's files say: a recipe, environment.yml, pixi.toml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from diptych.adopt.files import read_text
from diptych.adopt.model import Need, Origin, Reading, Setting, Untold, joined
from diptych.adopt.names import known_libraries
from diptych.config.files import read_toml
from diptych.errors import ConfigError
from diptych.recipes.selectors import holds
from diptych.recipes.tools import TOOLS

# Where recipes stand: conda-build's and rattler-build's examples, conda-smithy's feedstocks, and what people do.
RECIPE_FOLDERS = ("conda", "recipe", "conda.recipe", "conda-recipe", ".conda", "recipes", ".")
_OUR_CHANNELS = frozenset({"conda-forge", "nodefaults", "defaults"})


def read_recipe(recipe: Mapping[str, Any], *, file: str, platform: str) -> Reading:
    """Read a recipe in rattler-build's form: what it compiles against, and its tests; the rest stays with the recipe.

    Args:
        recipe: the YAML's content, with conditions and ``${{ }}`` still in it.
        file: what to call it.
        platform: conda's name, such as "linux-64".
    """
    requirements = recipe.get("requirements")
    parts = requirements if isinstance(requirements, dict) else {}
    host = _host(parts.get("host"), Origin(file=file, key="requirements.host"), platform)
    return joined([host, _tests(recipe.get("tests"), file, platform)])


def _host(entries: object, origin: Origin, platform: str) -> Reading:
    needs: list[Need] = []
    untold: list[Untold] = []
    for entry, problem in flattened(entries, platform):
        if problem:
            untold.append(Untold(text=f"{entry}: {problem}", origin=origin))
        elif "${{" in entry:
            if not re.search(r"compiler\(|stdlib\(|pin_subpackage\(", entry):
                untold.append(Untold(text=f"{entry}: computed by the recipe", origin=origin))
        elif entry.split()[0] not in TOOLS:
            needs.append(Need(kind="conda", name=entry, origin=origin))
    return Reading(needs=tuple(needs), untold=tuple(untold))


def flattened(entries: object, platform: str) -> Iterator[tuple[str, str]]:
    """Yield the entries of a list that a platform gets, each with what keeps it from being told."""
    for entry in entries if isinstance(entries, list) else [entries]:
        if isinstance(entry, str) and entry.strip():
            yield entry.strip(), ""
        elif isinstance(entry, dict) and "if" in entry:
            held = holds(str(entry["if"]), platform)
            if held is None:
                yield str(entry.get("then")), f'only where "{entry["if"]}"'
            else:
                yield from flattened(entry.get("then" if held else "else"), platform)


def _tests(tests: object, file: str, platform: str) -> Reading:
    settings: list[Setting] = []
    untold: list[Untold] = []
    for index, test in enumerate(tests if isinstance(tests, list) else ()):
        origin = Origin(file=file, key=f"tests[{index}]")
        if not isinstance(test, dict) or "script" not in test:
            continue
        for command, _ in flattened(test["script"], platform):
            if command not in {"", "pip check", "None"}:
                untold.append(
                    Untold(text=f'"{command}": stays with the recipe; `test` is one command', origin=origin)
                )
        needed = test.get("requirements")
        for entry, _ in flattened(needed.get("run") if isinstance(needed, dict) else None, platform):
            if entry and entry != "None" and "${{" not in entry and entry.split()[0] not in TOOLS:
                settings.append(Setting(key="test-requires-conda", value=entry, origin=origin))
    return Reading(settings=tuple(settings), untold=tuple(untold))


def read_environment(root: Path, path: Path) -> Reading:
    """Read an environment.yml: libraries that the data knows become needs, its channels are taken over."""
    import yaml  # noqa: PLC0415 -- not needed by a listing

    place = path.relative_to(root).as_posix()
    try:
        document = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        origin = Origin(file=place, line=_line(error))
        return Reading(untold=(Untold(text="cannot be read as YAML", origin=origin),))
    if not isinstance(document, dict):
        return Reading()
    channels = _channels(document.get("channels"), Origin(file=place, key="channels"))
    dependencies = document.get("dependencies")
    specs = (
        [entry for entry in dependencies if isinstance(entry, str)] if isinstance(dependencies, list) else []
    )
    return joined([channels, _libraries(specs, Origin(file=place, key="dependencies"))])


def _line(error: Exception) -> int | None:
    mark = getattr(error, "problem_mark", None)
    return mark.line + 1 if mark is not None else None


def _channels(names: object, origin: Origin) -> Reading:
    found = [str(name) for name in names if isinstance(name, str)] if isinstance(names, list) else []
    if set(found) <= _OUR_CHANNELS:
        return Reading()
    return Reading(
        settings=tuple(
            Setting(key="channels", value=name, origin=origin)
            for name in found
            if name not in {"nodefaults", "defaults"}
        )
    )


def _libraries(specs: list[str], origin: Origin) -> Reading:
    needs = [
        Need(kind="conda", name=_spaced(spec), required=False, origin=origin)
        for spec in specs
        if _bare(spec) in known_libraries() and _bare(spec) not in TOOLS
    ]
    return Reading(needs=tuple(needs))


def _bare(spec: str) -> str:
    return re.split(r"[\s=<>!~\[]", spec.rpartition("::")[2].strip(), maxsplit=1)[0].lower()


def _spaced(spec: str) -> str:
    """Put the blank between name and version that a spec on the command line may lack: ``eigen=3.4`` → ``eigen =3.4``."""
    name = _bare(spec)
    rest = spec.rpartition("::")[2].strip()[len(name) :].strip()
    return f"{name} {rest}".strip()


def read_pixi(root: Path, path: Path, tables: Mapping[str, Any] | None = None) -> Reading:
    """Read pixi.toml, or ``[tool.pixi]`` given as ``tables``: likewise."""
    place = path.relative_to(root).as_posix()
    key = "tool.pixi." if tables is not None else ""
    if tables is None:
        try:
            tables = read_toml(path)
        except ConfigError as error:
            return Reading(untold=(Untold(text=error.summary, origin=Origin(file=place)),))
    readings = []
    for workspace in ("workspace", "project"):
        section = tables.get(workspace)
        names = section.get("channels") if isinstance(section, dict) else None
        readings.append(_channels(names, Origin(file=place, key=f"{key}{workspace}.channels")))
    package = tables.get("package")
    for name, section in (
        ("dependencies", tables.get("dependencies")),
        (
            "package.host-dependencies",
            package.get("host-dependencies") if isinstance(package, dict) else None,
        ),
    ):
        specs = [_pixi_spec(*pair) for pair in section.items()] if isinstance(section, dict) else []
        readings.append(_libraries(specs, Origin(file=place, key=f"{key}{name}")))
    return joined(readings)


def _pixi_spec(name: str, value: object) -> str:
    version = value.get("version", "*") if isinstance(value, dict) else value
    return name if version == "*" else f"{name} {version}"
