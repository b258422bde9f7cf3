"""The forms of strings in the table, each with its words for a message."""

from __future__ import annotations

import re
import shlex

from diptych.config.kinds import Text
from diptych.errors import nearest

PLACEHOLDERS = ("source", "python")
"""What may stand in braces in ``test`` and ``benchmark``."""

_PLAIN = r"[^\x00-\x1f\x7f]"  # no control characters: nothing here spans lines, and no program takes a NUL
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]+)\}")


def _python_problem(value: object) -> str:
    if isinstance(value, (int, float)):
        return 'expected a Python version in quotes, such as "3.12" (the number 3.10 is 3.1)'
    if not isinstance(value, str):
        return ""
    if re.fullmatch(r"3\.1[0-2]t", value):
        return f'the first Python without the GIL is "3.13t" (PEP 703); "{value[:-1]}" has it'
    if short := re.fullmatch(r"(3\.[1-9][0-9]+t?)\.[0-9]+|(3\.[1-9][0-9]+)\.[0-9]+t", value):
        return f'expected the minor version alone, "{short[1] or f"{short[2]}t"}"'
    if re.fullmatch(r"[0-2](\..*)?|3(\.[0-9])?", value):
        return "Diptych needs Python 3.10 or newer"
    return ""


def _command_problem(value: object) -> str:
    if not isinstance(value, str):
        return ""
    try:
        words = shlex.split(value)
    except ValueError as error:
        return f"cannot be split into words: {str(error).lower()}"
    if not words:
        return 'expected a command such as "pytest -q {source}/tests"'
    for name in _PLACEHOLDER.findall(value):
        if name not in PLACEHOLDERS:
            known = " and ".join(f"{{{known}}}" for known in PLACEHOLDERS)
            return f'unknown placeholder "{{{name}}}", there are {known}{nearest(name, PLACEHOLDERS)}'
    return ""


def filled(command: str, **values: str) -> tuple[str, ...]:
    """Split a command into words, and only then put the values in: a path with a blank stays one word."""
    return tuple(
        _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), word) for word in shlex.split(command)
    )


def seconds(duration: str) -> float:
    """Return the seconds of a time in the form :data:`DURATION`."""
    number, unit = duration.split()
    return float(number) * {"s": 1, "min": 60, "h": 3600}[unit]


PYTHON = Text(
    words='a Python version such as "3.12", or "3.14t" without the GIL',
    pattern=r"3\.([1-9][0-9]{1,2}|(1[3-9]|[2-9][0-9]|[1-9][0-9]{2})t)",
    problem=_python_problem,
)
COMPILER = Text(
    words='the name of a compiler such as "gcc", "clang-17" or one of yours',
    pattern=r"[A-Za-z][A-Za-z0-9_.-]*",
)
CHANNEL = Text(
    words='a channel: a name such as "conda-forge", a URL (file://… for a folder), or "local"',
    pattern=r"[A-Za-z0-9][A-Za-z0-9._/-]*|[a-z0-9+]+://[^\x00-\x20\x7f]+",
)
SPEC = Text(
    words='a conda match spec such as "numpy >=2"',
    pattern=rf"([A-Za-z0-9_./-]+::)?[A-Za-z0-9_][A-Za-z0-9_.+-]*([ =<>!~\[]{_PLAIN}*)?",
)
PROJECT = Text(
    words='a project of PyPI such as "cmeel-boost"',
    pattern=r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]",
)
FOREIGN_NAME = Text(
    words='a project of PyPI such as "torch", or "cmake:NAME", "pkg-config:NAME", "library:NAME"',
    pattern=r"((cmake|pkg-config|library):)?[A-Za-z0-9_][A-Za-z0-9_.+-]*",
)
COMMAND = Text(
    words='a command such as "pytest -q {source}/tests"',
    pattern=r"[^\x00-\x08\x0b-\x1f\x7f]+",  # a command may span lines
    problem=_command_problem,
)
SELECTOR = Text(
    words='a cell selector: a cell such as "3.12-gcc", a glob such as "3.12-*", a Python or a compiler',
    pattern=r"[A-Za-z0-9_.*?\[\]!-]+",
)
PATH = Text(words="a path", pattern=rf"{_PLAIN}+")
PROGRAM = Text(words='the name or path of a program, such as "g++-13"', pattern=rf"{_PLAIN}+")
ARGUMENT = Text(words="a command line argument", pattern=rf"{_PLAIN}+")
LIBRARY = Text(words='a glob over library names, such as "libcuda.so*"', pattern=r"[^\x00-\x20\x7f/]+")
INSTALLED = Text(
    words='a glob over installed files such as "include/*"', pattern=r"(?!/|(.*/)?\.\.(/|$))[^\x00-\x1f\x7f]+"
)
SOURCE = Text(
    words='a path, a URL that ends in "#sha256=…", or "apt:PACKAGE"',
    pattern=rf"apt:[a-z0-9][a-z0-9+.-]+(/[A-Za-z0-9][A-Za-z0-9._-]*)?|https?://[^\x00-\x20\x7f#@]+#sha256=[0-9a-fA-F]{{64}}|(?!apt:|[a-z0-9+]+://){_PLAIN}+",
)
LIBRARY_NAME = Text(words='the name of a conda package such as "fmt"', pattern=r"[a-z0-9][a-z0-9_.-]*")
DURATION = Text(words='a time such as "90 s", "30 min" or "2 h"', pattern=r"[1-9][0-9]{0,5} (s|min|h)")
FLOOR = Text(words='a glibc as in a wheel\'s tag, such as "2_17" or "2_28"', pattern=r"2_(1[7-9]|[2-9][0-9])")
BUILD_TYPE = Text(words='a CMake build type such as "Release"', pattern=r"[A-Za-z][A-Za-z0-9_]*")
MODULE = Text(
    words='the name to import, such as "my_package"',
    pattern=r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*",
)
VARIABLE = Text(words="the name of an environment variable", pattern=r"[A-Za-z_][A-Za-z0-9_]*")
SETTING = Text(words="the name of a setting", pattern=rf"{_PLAIN}+")
VALUE = Text(words="a string", pattern=r"[^\x00]*")
RULE = Text(words='the code of a rule such as "DIP834"', pattern=r"DIP[1-8][0-9]{2}")
INDEX = Text(
    words='a package index: "pypi", "testpypi", or the URL that it takes uploads at',
    pattern=r"pypi|testpypi|https?://[^\x00-\x20\x7f@]+",
)
SIMPLE = Text(words="the URL of a simple index", pattern=r"https?://[^\x00-\x20\x7f@]+")
TARGET = Text(
    words='a channel to publish to: a folder, "s3://BUCKET/CHANNEL", "https://prefix.dev/CHANNEL", "https://anaconda.org/OWNER", '
    'or "quetz+URL/CHANNEL"',
    pattern=rf"((file|s3|https|(quetz|prefix|anaconda)\+https?)://[^\x00-\x20\x7f@]+|(?![a-z0-9+]+://){_PLAIN}+)",
)
TAG = Text(
    words='the form of a tag, such as "v{version}"',
    pattern=r"[^\x00-\x20\x7f~^:?*\[\\]*\{version\}[^\x00-\x20\x7f~^:?*\[\\]*",
)

PLACE = Text(
    words='a glob over files, libraries, dependencies or fields such as "numpy" or "*"', pattern=rf"{_PLAIN}+"
)
REASON = Text(words="a reason in a sentence", pattern=rf"{_PLAIN}{{3,}}")
