"""What pytest is told by the project's own files: options and keys that need a plugin, which then has to be there.

Where pytest looks, and in which order: https://docs.pytest.org/en/stable/reference/customize.html
"""

from __future__ import annotations

import ast
import configparser
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from diptych.adopt.files import parsed, read_text
from diptych.adopt.readpyproject import FILE, Pyproject, strings

# What starts an option or a key, and the project of PyPI whose plugin knows it (each plugin's own documentation).
_OPTIONS = {
    "--cov": "pytest-cov",
    "--no-cov": "pytest-cov",
    "--numprocesses": "pytest-xdist",
    "--dist": "pytest-xdist",
    "--maxprocesses": "pytest-xdist",
    "--benchmark": "pytest-benchmark",
    "--timeout": "pytest-timeout",
    "--asyncio-mode": "pytest-asyncio",
    "--instafail": "pytest-instafail",
    "--reruns": "pytest-rerunfailures",
    "--randomly": "pytest-randomly",
    "--mypy": "pytest-mypy",
    "--parallel-threads": "pytest-run-parallel",
    "--doctest-plus": "pytest-doctestplus",
    "--mpl": "pytest-mpl",
    "--codspeed": "pytest-codspeed",
}
_KEYS = {
    "asyncio_mode": "pytest-asyncio",
    "asyncio_default_fixture_loop_scope": "pytest-asyncio",
    "timeout": "pytest-timeout",
}
# What follows -p: modules of plugins whose project has another name.
_PLUGINS = {"xdist": "pytest-xdist", "instafail": "pytest-instafail"}


@dataclass(frozen=True, kw_only=True)
class PytestSettings:
    """The settings that pytest takes.

    Attributes:
        file: the file that has them, relative to the root; empty when there is none.
        words: the settings by key, as they are written.
        typed: they are values of TOML and not texts: the table [tool.pytest], which pytest reads since 9.0.
    """

    file: str = ""
    words: Mapping[str, Any] = field(default_factory=dict)
    typed: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """``addopts`` as words."""
        given = self.words.get("addopts", "")
        if isinstance(given, list):
            return tuple(word for one in strings(given) for word in one.split())
        try:
            return tuple(shlex.split(str(given), comments=True))
        except ValueError:
            return tuple(str(given).split())

    @property
    def testpaths(self) -> tuple[str, ...]:
        """Where the tests are."""
        given = self.words.get("testpaths", ())
        return tuple(given.split()) if isinstance(given, str) else strings(given)

    @property
    def plugins(self) -> tuple[str, ...]:
        """The requirements of PyPI without which pytest refuses these settings."""
        return tuple(dict.fromkeys([*self._required(), *_asked(self.options), *self._by_key()]))

    @property
    def for_today(self) -> tuple[tuple[str, str], ...]:
        """The options with which today's pytest runs tests whose settings are for an older one, each with its reason.

        ``filterwarnings = error`` makes a failure of each announcement of what a later pytest or NumPy will drop; the package has no
        part in it. They are shown. In [tool.pytest] the keys of verbosity are numbers, and pytest ends at a text.
        """
        found = []
        given = self.words.get("filterwarnings", ())
        filters = given.splitlines() if isinstance(given, str) else strings(given)
        if "error" in {one.strip() for one in filters}:
            why = f"{self.file}: with filterwarnings = error, what a newer pytest or dependency calls deprecated would end the tests"
            found.append(("-W default::DeprecationWarning", why))
        for key, value in self.words.items() if self.typed else ():
            if key.startswith("verbosity_") and isinstance(value, str) and value.isdecimal():
                found.append(
                    (f"-o {key}={value}", f"{self.file}: {key} is a text there, where pytest takes a number")
                )
        return tuple(found)

    def _required(self) -> list[str]:
        given = self.words.get("required_plugins", ())
        return given.split() if isinstance(given, str) else list(strings(given))

    def _by_key(self) -> Iterator[str]:
        yield from (project for key, project in _KEYS.items() if key in self.words)


def _asked(options: tuple[str, ...]) -> Iterator[str]:
    for index, word in enumerate(options):
        if word == "-n" or re.fullmatch(r"-n(\d+|auto|logical)", word):
            yield "pytest-xdist"
        elif word == "-p" and index + 1 < len(options):
            yield from _plugin(options[index + 1])
        elif re.match(r"-p(?=[a-z])", word):
            yield from _plugin(word[2:])
        else:
            yield from (project for start, project in _OPTIONS.items() if _is_option(word, start))


def _is_option(word: str, start: str) -> bool:
    return word == start or word.startswith((f"{start}=", f"{start}-"))


def _plugin(name: str) -> Iterator[str]:
    """Name the project of a plugin that is loaded by its module's name."""
    top = name.split(".", maxsplit=1)[0]
    if top in _PLUGINS:
        yield _PLUGINS[top]
    elif top.startswith(("pytest_", "pytest-")):
        yield canonicalize_name(top)


def read_pytest(root: Path, pyproject: Pyproject) -> PytestSettings:
    """Return the settings of the first file that pytest would take them from."""
    for name in ("pytest.ini", ".pytest.ini"):
        if (root / name).is_file():
            return PytestSettings(file=name, words=_section(root / name, "pytest"))
    table = pyproject.table("tool", "pytest")
    if words := pyproject.table("tool", "pytest", "ini_options") or table:
        return PytestSettings(file=FILE, words=words, typed=words is table)
    for name, section in (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        if words := _section(root / name, section):
            return PytestSettings(file=name, words=words)
    return PytestSettings()


def _section(path: Path, name: str) -> dict[str, str]:
    """Return a section of an INI file; indented lines that are remarks are left out, as pytest does."""
    text = "".join(
        line for line in read_text(path).splitlines(keepends=True) if not re.match(r"\s*[#;]", line)
    )
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    return {key: value or "" for key, value in parser.items(name)} if parser.has_section(name) else {}


def coverage_plugins(root: Path, pyproject: Pyproject) -> tuple[str, ...]:
    """Return what the settings of coverage ask to be loaded, as projects: ``Cython.Coverage`` comes with cython."""
    tables = (
        _section(root / ".coveragerc", "run"),
        _section(root / "setup.cfg", "coverage:run"),
        pyproject.table("tool", "coverage", "run"),
    )
    for table in tables:
        given = table.get("plugins", ())
        names = re.split(r"[\s,]+", given) if isinstance(given, str) else strings(given)
        found = [str(canonicalize_name(name.split(".", maxsplit=1)[0])) for name in names if name]
        if found:
            return tuple(found)
    return ()


def without_the_gil_alone(file: Path) -> bool:
    """Tell whether a test module refuses to be imported by a Python that has the GIL: an ``assert`` at its top."""
    tree = parsed(file)
    asked = (ast.dump(node.test) for node in (tree.body if tree else ()) if isinstance(node, ast.Assert))
    return any("Py_GIL_DISABLED" in text for text in asked)
