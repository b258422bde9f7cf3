"""What setup.py and setup.cfg say: read as text and syntax, never executed.

Values that are computed are passed over; constants, and names that a constant was assigned to at the top of the file, are
taken.
"""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diptych.adopt.files import read_text
from diptych.adopt.model import Need, Origin, Reading, Untold
from diptych.config.legacy import called
from diptych.config.legacy import keywords as keywords_of

_TABLES = ("install_requires", "extras_require", "tests_require", "packages", "py_modules", "classifiers")


# What names extensions without a call that could be read.
_COMPUTED = re.compile(r"\b(ext_modules|cffi_modules|rust_extensions|Extension)\b")


@dataclass(frozen=True, kw_only=True)
class Setup:
    """The words of ``setup()``, from setup.py or setup.cfg.

    Attributes:
        words: by keyword, constants only, with lists as lists.
        lines: the line of each keyword in setup.py.
        reading: libraries of extensions, and what shows that something is compiled.
        problem: why setup.py could not be read as Python.
    """

    words: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)
    problem: str = ""


def read_setup(root: Path) -> Setup:
    """Read setup.py and setup.cfg of a folder; setup.py's words win, as setuptools has it for what both give."""
    script = _script(root, root / "setup.py")
    return Setup(
        words={**_cfg(root / "setup.cfg"), **script.words},
        lines=script.lines,
        reading=script.reading,
        problem=script.problem,
    )


def read_script(root: Path, path: Path) -> Reading:
    """Read another script that declares extensions, such as a build script of Poetry or cffi."""
    return _script(root, path).reading


def _script(root: Path, path: Path) -> Setup:
    text = read_text(path)
    place = path.relative_to(root).as_posix()
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        problem = f"{place} cannot be read as Python 3: {error}"
        origin = Origin(file=place, line=line)
        return Setup(problem=problem, reading=Reading(untold=(Untold(text=problem, origin=origin),)))
    constants = _constants(tree)
    words: dict[str, Any] = {}
    lines: dict[str, int] = {}
    needs: list[Need] = []
    compiled: list[Origin] = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = called(call)
        origin = Origin(file=place, line=call.lineno)
        keywords = keywords_of(call, tree)
        if name == "setup":
            for word, value in keywords.items():
                lines[word] = value.lineno
                if (found := _value(value, constants)) is not None:
                    words[word] = found
        if name.endswith("Extension") or name in {"cythonize", "set_source"}:
            compiled.append(origin)
            needs += _libraries(keywords, constants, origin)
        elif name == "setup":
            named = {"ext_modules", "cffi_modules", "rust_extensions"} & words.keys()
            compiled += [Origin(file=place, line=lines[word]) for word in sorted(named)[:1]]
    untold = []
    if not compiled and (computed := _COMPUTED.search(text)):
        origin = Origin(file=place, line=text.count("\n", 0, computed.start()) + 1)
        compiled.append(origin)
        untold.append(
            Untold(
                text="the extensions are computed: add the libraries that they need to host", origin=origin
            )
        )
    reading = Reading(needs=tuple(needs), compiled=tuple(compiled), untold=tuple(untold))
    return Setup(words=words, lines=lines, reading=reading)


def _libraries(
    keywords: Mapping[str, ast.expr], constants: Mapping[str, Any], origin: Origin
) -> Iterator[Need]:
    found = _value(keywords["libraries"], constants) if "libraries" in keywords else None
    for library in found if isinstance(found, list) else ():
        if isinstance(library, str):
            yield Need(kind="library", name=library, origin=origin)


def _constants(tree: ast.Module) -> dict[str, Any]:
    found: dict[str, Any] = {}
    inner = (node for outer in tree.body if isinstance(outer, ast.FunctionDef) for node in ast.walk(outer))
    for node in (*tree.body, *inner):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) if (value := _value(node.value, found)) is not None:
                found[name] = value
    return found


def _value(node: ast.expr, constants: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- any constant
    """Return a constant, with the parts of a list or table that are computed left out; ``None`` for anything else."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return constants.get(name)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = [part for side in (left, right) if isinstance(part := _value(side, constants), list)]
            return [item for part in parts for item in part] or None
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [value for item in items if (value := _value(item, constants)) is not None]
        case ast.Dict(keys=names, values=values):
            pairs = [
                (_value(k, constants) if k else None, _value(v, constants))
                for k, v in zip(names, values, strict=True)
            ]
            return {name: value for name, value in pairs if isinstance(name, str) and value is not None}
        case _:
            return None


def _cfg(path: Path) -> dict[str, Any]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(read_text(path))
    except configparser.Error:
        return {}
    words: dict[str, Any] = {}
    for section in ("metadata", "options"):
        if parser.has_section(section):
            for name, value in parser.items(section):
                key = name.replace("-", "_")
                words[key] = _entries(value) if key in _TABLES else value
    if parser.has_section("options.extras_require"):
        words["extras_require"] = {
            name: _entries(value) for name, value in parser.items("options.extras_require")
        }
    return words


def _entries(value: str) -> list[str]:
    return [line.strip() for line in value.replace(";;", "\n").splitlines() if line.strip()]
