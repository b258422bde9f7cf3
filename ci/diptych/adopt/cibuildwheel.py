"""What ``[tool.cibuildwheel]`` asks for: taken over, or told one by one.

The options and their forms: https://cibuildwheel.pypa.io/en/stable/options/
"""

from __future__ import annotations

import fnmatch
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from diptych.adopt.model import Origin, Reading, Setting, Untold

_FILE = "pyproject.toml"
_PLATFORMS = ("linux", "macos", "windows", "pyodide", "android", "ios")
_WORDLESS = frozenset({"build-verbosity", "dependency-versions", "container-engine", "debug-keep-container"})
_WHY = {
    "archs": "each machine builds its own architecture; `diptych workflow` spreads the cells",
    "build-frontend": "the wheel is built through the backend's own PEP 517 hooks",
    "config-settings": "settings of the backend: give them in the backend's own table, or see the reference of the table",
    "before-all": "install what it brings as conda packages in host, if anything is missing",
    "before-build": "nothing runs before a build: what it makes must come from the build backend",
    "before-test": "nothing runs before the tests: put what they need into test-requires",
    "test-skip": 'the tests of every cell run; exclude = ["3.13-*"] leaves out a whole cell',
    "test-environment": "env is for compile and tests alike: add what the tests alone need there",
    "environment-pass": "only variables of `env` reach the build",
    "enable": "CPython alone is built",
    "overrides": "write [[tool.diptych.overrides]] with select, where it is still needed",
    "audit-command": "every package is examined by Diptych's own rules",
    "audit-requires": "as audit-command",
    "xbuild-tools": "for platforms that Diptych does not build",
}  # fmt: skip
_FREE_THREADING = "cpython-freethreading"
_IMAGE = "packages are built on this machine; the wheel's tag is found from its symbols"
_LISTS = frozenset({"build", "skip", "test-requires", "test-extras", "test-groups", "test-sources"})
# Programs that run what a project's own file says, mostly in an environment that they make.
_RUNNERS = frozenset(
    {"hatch", "invoke", "just", "make", "nox", "pdm", "pip", "pixi", "poetry", "spin", "tox", "uv", "uvx"}
)
_LOOKING = frozenset({"echo", "ls", "pwd", "date", "env"})  # a command that tests nothing
_REPAIRS = re.compile(r"(auditwheel repair|delocate-wheel|delvewheel repair)")


def read_cibuildwheel(tools: Mapping[str, Any], *, platform: str) -> Reading:
    """Read the table.

    Args:
        tools: the ``[tool]`` table of pyproject.toml.
        platform: "linux" or "macos": which of its sub-tables counts.
    """
    table = tools.get("cibuildwheel")
    if not isinstance(table, dict):
        return Reading()
    settings: list[Setting] = []
    untold: list[Untold] = []
    own = table.get(platform)
    merged = {**table, **(own if isinstance(own, dict) else {})}
    for name, value in merged.items():
        section = f"{platform}." if isinstance(own, dict) and name in own else ""
        origin = Origin(file=_FILE, key=f"tool.cibuildwheel.{section}{name}")
        for found in _option(name, value, origin, platform):
            (settings if isinstance(found, Setting) else untold).append(found)  # type: ignore[arg-type]
    return Reading(settings=tuple(settings), untold=tuple(untold))


def _option(name: str, value: object, origin: Origin, platform: str) -> Iterator[Setting | Untold]:
    if name == platform or name in _WORDLESS:
        return
    if name in _PLATFORMS:
        yield Untold(text=f"the settings for {name} are for another platform than this one", origin=origin)
    elif name in _LISTS:
        yield from (Setting(key=name, value=entry, origin=origin) for entry in _listed(value))
    elif name == "test-command":
        yield _test_command(value, origin)
    elif name == "environment":
        yield from _environment(value, origin)
    elif name == "repair-wheel-command":
        yield from _repair(value, origin)
    elif name in {"enable", "free-threaded-support"}:
        yield from _enabled(name, value, origin)
    elif name == "before-test" and (names := _installed_by_pip(value)):
        yield from (Setting(key="test-requires", value=one, origin=origin) for one in names)
    else:
        why = _IMAGE if name.endswith("-image") else _WHY.get(name, "has no counterpart")
        yield Untold(text=f"{_short(value)}: {why}", origin=origin)


def _listed(value: object) -> list[str]:
    if isinstance(value, str):
        return value.split()
    return [str(entry) for entry in value] if isinstance(value, list) else []


def _short(value: object) -> str:
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = " ".join(text.split())
    return f'"{text}"' if len(text) <= 90 else f'"{text[:90]}…"'  # noqa: PLR2004 -- one line of a terminal


def _test_command(value: object, origin: Origin) -> Setting | Untold:
    """Take over a single command; what needs a shell is told."""
    given = [str(entry) for entry in value] if isinstance(value, list) else str(value).split("&&")
    commands = [line.strip() for line in given if line.strip()]
    text = " && ".join(one for one in commands if one.split()[0] not in _LOOKING)
    if not text or shell_words(text) is None:
        why = "needs a shell, and `test` is one command: put it into a script, or say which command it is"
        return Untold(text=f"{_short(text)}: {why}", origin=origin)
    if (runner := text.split()[0]) in _RUNNERS:
        why = f"{runner} may install what it needs: write the command that it runs in the end into `test`"
        return Untold(text=f"{_short(text)}: {why}", origin=origin)
    if "{wheel}" in text:
        return Untold(text=f"{_short(text)}: the wheel's own path is not given to the tests", origin=origin)
    for word in ("{project}", "{package}"):
        text = text.replace(word, "{source}")
    # Isolated, Python would not see PYTHONPATH, by which tests in source find the package (python(1), -I and -E).
    text = re.sub(r"^(python3? -)[IE]+(?=[a-z])", r"\1", text)
    text = re.sub(r"^(python3?) -[IE]+(?= )", r"\1", text)
    return Setting(key="test", value=text, origin=origin)


def shell_words(command: str) -> list[str] | None:
    """Split a command into words; ``None`` when it needs a shell (operators, variables) or cannot be split."""
    try:
        lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:
        return None
    operators = any(word and set(word) <= set("();<>|&") for word in words)
    return None if operators or "$" in command or "`" in command or "\n" in command else words


def _environment(value: object, origin: Origin) -> Iterator[Setting | Untold]:
    for name, text in _pairs(value):
        if text.startswith("/"):
            yield Untold(
                text=f"{name}={text}: a folder of the image that cibuildwheel builds in", origin=origin
            )
        elif "$" in text or "`" in text:
            yield Untold(
                text=f"{name}={text}: a value of env is taken as it is, nothing is put in", origin=origin
            )
        else:
            yield Setting(key="env", value=f"{name}={text}", origin=origin)


def _pairs(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        yield from ((str(name), str(text)) for name, text in value.items())
        return
    try:
        words = shlex.split(str(value))
    except ValueError:
        return
    for word in words:
        name, equals, text = word.partition("=")
        if equals:
            yield name, text


def _enabled(name: str, value: object, origin: Origin) -> Iterator[Setting | Untold]:
    """Take over that Pythons without the GIL are built; other interpreters are told."""
    asked = [_FREE_THREADING] if name != "enable" and value is True else _listed(value)
    for one in asked:
        if one in {_FREE_THREADING, "all"}:
            yield Setting(key="free-threaded", value=one, origin=origin)
        if one != _FREE_THREADING:
            yield Untold(text=f"{_short(one)}: {_WHY['enable']}", origin=origin)


def _installed_by_pip(value: object) -> list[str]:
    """Return the projects that a ``before-test`` of nothing but ``pip install`` brings; none when it does more."""
    text = " && ".join(map(str, value)) if isinstance(value, list) else str(value)
    words = shell_words(text) or []
    while words and re.fullmatch(r"\w+=.*", words[0]):
        words.pop(0)
    if words[1:2] == ["-m"] and words[0].startswith("python"):
        words = words[2:]
    names = words[2:]
    plain = all(re.fullmatch(r"[\w.-]+((==|~=|>=)[\w.]+)?", one) and one[0] != "-" for one in names)
    return names if words[:2] == ["pip", "install"] and plain else []


def _repair(value: object, origin: Origin) -> Iterator[Setting | Untold]:
    """Take ``--exclude`` of auditwheel over; a command of the project's own is told."""
    text = " && ".join(map(str, value)) if isinstance(value, list) else str(value)
    words = text.split()
    for index, word in enumerate(words):
        name, equals, given = word.partition("=")
        if name == "--exclude" and (equals or index + 1 < len(words)):
            glob = (given if equals else words[index + 1]).strip("\"'")
            yield Setting(key="exclude-libraries", value=glob, origin=origin)
    if not _REPAIRS.search(text) or "&&" in text:
        yield Untold(text=f"{_short(text)}: relinking and repair are Diptych's own", origin=origin)


def selected_pythons(build: Iterable[str], skip: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return which Pythons the globs of ``build`` and ``skip`` let through, on the usual Linux and macOS identifiers."""
    wanted, unwanted = _expanded(build) or ["*"], _expanded(skip)
    return [python for python in known if any(_lets(one, wanted, unwanted) for one in _identifiers(python))]


def _identifiers(python: str) -> tuple[str, str]:
    tag = f"cp{python.replace('.', '')}"
    return f"{tag}-manylinux_x86_64", f"{tag}-macosx_arm64"


def _lets(identifier: str, wanted: list[str], unwanted: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(identifier, glob) for glob in wanted) and not any(
        fnmatch.fnmatchcase(identifier, glob) for glob in unwanted
    )


def _expanded(globs: Iterable[str]) -> list[str]:
    """Expand braces, which cibuildwheel takes in globs: ``cp3{11,12}-*``."""
    found: list[str] = []
    waiting = list(globs)
    while waiting:
        glob = waiting.pop(0)
        if braces := re.search(r"\{([^{}]*)\}", glob):
            waiting += [glob[: braces.start()] + one + glob[braces.end() :] for one in braces[1].split(",")]
        else:
            found.append(glob)
    return found


def other_builds(globs: Iterable[str]) -> list[str]:
    """Return the globs that ask for what Diptych does not build: another interpreter, musl, Windows."""
    return [glob for glob in globs if re.match(r"(pp|gp)", glob) or re.search(r"musl|win", glob)]


def names_free_threaded(globs: Iterable[str]) -> bool:
    """Tell whether a glob names Pythons without the GIL: ``cp314t-*``, ``cp31?t-*``; a ``*`` alone does not."""
    return any(re.match(r"cp[\d?\[\]*-]*t-", glob) for glob in _expanded(globs))
