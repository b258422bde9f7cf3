"""From conda-build's meta.yaml to rattler-build's recipe.yaml; what has no counterpart is told by line.

The names of the keys on both sides: https://rattler-build.prefix.dev/latest/converting_from_conda_build/ and
https://rattler-build.prefix.dev/latest/reference/recipe_file/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from diptych.errors import ConfigError
from diptych.recipes.jinja import read_lines
from diptych.recipes.nodes import Choice, Read, read_nodes
from diptych.recipes.opening import Left, Opened

_SOURCE = {"git_url": "git", "git_rev": "rev", "git_tag": "tag", "git_depth": "depth", "fn": "file_name", "folder": "target_directory", "url": "url", "sha256": "sha256", "md5": "md5", "path": "path", "patches": "patches"}  # fmt: skip
_ABOUT = {"home": "homepage", "license": "license", "license_file": "license_file", "summary": "summary", "description": "description", "doc_url": "documentation", "dev_url": "repository"}  # fmt: skip
_BUILD = {
    "number": ("number",), "string": ("string",), "script": ("script",), "noarch": ("noarch",), "always_include_files": ("always_include_files",),
    "entry_points": ("python", "entry_points"), "skip_compile_pyc": ("python", "skip_pyc_compilation"),
    "missing_dso_whitelist": ("dynamic_linking", "missing_dso_allowlist"), "missing_dso_allowlist": ("dynamic_linking", "missing_dso_allowlist"),
    "runpath_whitelist": ("dynamic_linking", "rpath_allowlist"), "runpath_allowlist": ("dynamic_linking", "rpath_allowlist"), "rpaths": ("dynamic_linking", "rpaths"),
}  # fmt: skip
_REQUIREMENTS = {"build": "build", "host": "host", "run": "run", "run_constrained": "run_constraints"}
_TOP = frozenset({"package", "source", "build", "requirements", "test", "about", "extra"})


def convert(text: str, path: Path) -> Opened:
    """Convert a meta.yaml.

    Args:
        text: its content.
        path: what messages name; what lies beside it is looked at (run_test.py).

    Raises:
        ConfigError: it is no YAML even without Jinja and selectors, or has several outputs.
    """
    lines = read_lines(text)
    try:
        read = read_nodes(lines)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}" if mark is not None else ""
        cause = getattr(error, "problem", None) or error
        raise ConfigError(
            f'"{path}"{where}: without Jinja and selectors this is no YAML: {cause}',
            hint="write a recipe.yaml by hand",
        ) from error
    if "outputs" in read.values:
        raise ConfigError(
            f'"{path}":{read.lines["outputs",]}: a recipe of several outputs is not converted',
            hint="write a recipe.yaml for the package that holds the extension",
        )
    job = _Conversion(read=read, folder=path.parent)
    recipe = job.recipe()
    if lines.context:
        recipe = {"schema_version": 1, "context": lines.context, **recipe}
    else:
        recipe = {"schema_version": 1, **recipe}
    left = [Left(line=line, text=told) for line, told in (*lines.left, *job.left)]
    return Opened(recipe=recipe, left=tuple(sorted(left, key=lambda one: one.line)))


def rendered(opened: Opened, *, source: str) -> str:
    """Return a converted recipe as the text of a recipe.yaml, with what was left in comments at its head."""
    head = [f"# Converted from {source}.", *(f"# {source}:{one.line}: {one.text}" for one in opened.left)]
    body = yaml.safe_dump(opened.recipe, sort_keys=False, allow_unicode=True, width=110)
    return "\n".join(head) + "\n" + body


@dataclass(kw_only=True)
class _Conversion:
    """One conversion: the parts in the order of a recipe.yaml."""

    read: Read
    folder: Path
    left: list[tuple[int, str]] = field(default_factory=list)

    def recipe(self) -> dict[str, Any]:
        for name in self.read.values:
            if name not in _TOP:
                self._tell((name,), "is no section that is converted")
        build, requirements = self._build()
        made = {
            "package": self._plain("package"),
            "source": self._source(),
            "build": build,
            "requirements": {**self._requirements(), **requirements},
            "tests": self._tests(),
            "about": self._renamed("about", _ABOUT),
            "extra": self._plain("extra"),
        }
        return {name: value for name, value in made.items() if value}

    def _tell(self, path: tuple[str, ...], text: str) -> None:
        self.left.append((self.read.lines.get(path, 0), f"{'.'.join(path)}: {text}"))

    def _section(self, name: str) -> Mapping[str, Any]:
        found = self.read.values.get(name)
        return found if isinstance(found, dict) else {}

    def _plain(self, name: str) -> dict[str, Any]:
        return {key: self._chosen(value, (name, key)) for key, value in self._section(name).items()}

    def _renamed(self, name: str, names: Mapping[str, str]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in self._section(name).items():
            if key in names:
                made[names[key]] = self._chosen(value, (name, key))
            else:
                self._tell((name, key), "has no counterpart")
        return made

    def _chosen(self, value: Any, path: tuple[str, ...]) -> Any:  # noqa: ANN401 -- any YAML
        """Write a value that depends on conditions as one expression."""
        if not isinstance(value, Choice):
            return value
        text = ""
        for condition, option in reversed(value.options):
            if isinstance(option, (dict, list)) or "${{" in str(option):
                self._tell(path, "stands several times with values that are computed: the first is taken")
                return value.options[0][1]
            otherwise = f" else {text}" if text else ""
            text = _quoted(option) if not condition else f"{_quoted(option)} if {condition}{otherwise}"
        return f"${{{{ {text} }}}}"

    def _source(self) -> Any:  # noqa: ANN401 -- a table or a list
        given = self.read.values.get("source")
        if isinstance(given, list):
            return [self._one_source(one, ("source",)) for one in given if isinstance(one, dict)]
        return self._one_source(given, ("source",)) if isinstance(given, dict) else None

    def _one_source(self, given: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in given.items():
            if key in _SOURCE:
                made[_SOURCE[key]] = self._chosen(value, (*path, key))
            else:
                self._tell((*path, key), "has no counterpart")
        return made

    def _build(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Convert ``build``; what exports or ignores dependencies belongs to ``requirements`` in a recipe.yaml."""
        made: dict[str, Any] = {}
        requirements: dict[str, Any] = {}
        for key, value in self._section("build").items():
            path = ("build", key)
            if key in _BUILD:
                *folders, name = _BUILD[key]
                place = made
                for folder in folders:
                    place = place.setdefault(folder, {})
                place[name] = self._script(value) if key == "script" else self._chosen(value, path)
            elif key == "skip":
                made["skip"] = _skip(value)
            elif key == "run_exports":
                requirements["run_exports"] = self._chosen(value, path)
            elif key in {"ignore_run_exports", "ignore_run_exports_from"}:
                name = "by_name" if key == "ignore_run_exports" else "from_package"
                requirements.setdefault("ignore_run_exports", {})[name] = value
            elif key == "script_env":
                self._tell(path, "pass the variables on in build.script.env")
            else:
                self._tell(path, "has no counterpart")
        return made, requirements

    def _script(self, value: Any) -> Any:  # noqa: ANN401 -- text or list
        if not isinstance(value, Choice):
            return value
        return _conditional(value)

    def _requirements(self) -> dict[str, Any]:
        given = self.read.values.get("requirements")
        if isinstance(given, list):
            self._tell(("requirements",), "is a list: say which of build, host and run it is")
            return {}
        made: dict[str, Any] = {}
        for key, value in self._section("requirements").items():
            if key in _REQUIREMENTS:
                made[_REQUIREMENTS[key]] = (
                    value if isinstance(value, list) else [] if value is None else [value]
                )
            else:
                self._tell(("requirements", key), "has no counterpart")
        return {key: value for key, value in made.items() if value}

    def _tests(self) -> list[dict[str, Any]]:
        given = self._section("test")
        tests: list[dict[str, Any]] = []
        commands = _list(given.get("commands"))
        others = [one for one in commands if not _is_pip_check(one)]
        if "imports" in given:
            tests.append(
                {"python": {"imports": _list(given["imports"]), "pip_check": len(others) < len(commands)}}
            )
        if others:
            tests.append(self._script_test(given, others))
        elif given.get("requires") and not _only_pip(given["requires"]):
            self._tell(("test", "requires"), "there are no commands that would need it")
        tests += [{"downstream": one} for one in _list(given.get("downstreams"))]
        for name in ("run_test.py", "run_test.sh"):
            if (self.folder / name).is_file():
                self._tell(("test",), f"{name} ran by its name alone: add a test with script: {name}")
        for key in given:
            if key not in {"imports", "commands", "requires", "source_files", "files", "downstreams"}:
                self._tell(("test", key), "has no counterpart")
        return tests

    def _script_test(self, given: Mapping[str, Any], commands: list[Any]) -> dict[str, Any]:
        test: dict[str, Any] = {"script": commands}
        if requires := _list(given.get("requires")):
            test["requirements"] = {"run": requires}
        files = {
            name: found
            for name, key in (("source", "source_files"), ("recipe", "files"))
            if (found := _list(given.get(key)))
        }
        return {**test, "files": files} if files else test


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, Choice):
        return [
            {"if": condition, "then": option} if condition else option for condition, option in value.options
        ]
    return list(value) if isinstance(value, list) else [value]


def _is_pip_check(command: object) -> bool:
    text = command.get("then") if isinstance(command, dict) else command
    return str(text).strip() in {"pip check", "python -m pip check"}


def _only_pip(value: object) -> bool:
    return all(str(one).split()[0] == "pip" for one in _list(value))


def _quoted(value: object) -> str:
    return (
        '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
        if not isinstance(value, (bool, int))
        else str(value).lower()
    )


def _skip(value: object) -> list[Any] | bool:
    """Write ``skip: true  # [win]`` as the list of conditions that a recipe.yaml has."""
    if isinstance(value, Choice):
        return [condition or True for condition, option in value.options if option is True]
    return bool(value)


def _conditional(choice: Choice) -> list[Any]:
    return [
        {"if": condition, "then": one} if condition else one
        for condition, option in choice.options
        for one in (option if isinstance(option, list) else [option])
    ]
