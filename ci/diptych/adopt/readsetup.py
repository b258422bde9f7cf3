"""What setup.py and setup.cfg say: read as text and syntax, never executed.

Values that are computed are passed over; constants, and names that a constant was assigned to at the top of the file, are
taken.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diptych.adopt.files import read_text
from diptych.adopt.model import Need, Origin, Reading, Untold
from diptych.config import setuptools_files as files

_TABLES = ("install_requires", "extras_require", "tests_require", "packages", "py_modules", "classifiers")


# What names extensions without a call that could be read.
_COMPUTED = re.compile(r"\b(ext_modules|cffi_modules|rust_extensions|Extension)\b")


@dataclass(frozen=True, kw_only=True)
class Setup:
    """The words of ``setup()``, from setup.py or setup.cfg.

    Attributes:
        words: by keyword, constants only, with lists as lists.
        modules: names of extensions, as far as they are written out.
        lines: the line of each keyword in setup.py.
        reading: libraries of extensions, and what shows that something is compiled.
        problem: why setup.py could not be read as Python.
    """

    words: Mapping[str, Any] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)
    problem: str = ""


def read_setup(root: Path) -> Setup:
    """Read setup.py and setup.cfg of a folder; setup.py's words win, as setuptools has it for what both give."""
    script = _script(root, root / "setup.py")
    return Setup(
        words={**_cfg(root / "setup.cfg"), **script.words},
        modules=script.modules,
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
    constants = files.constants(tree)
    words: dict[str, Any] = {}
    lines: dict[str, int] = {}
    needs: list[Need] = []
    compiled: list[Origin] = []
    modules: list[str] = []
    for call in files.calls(tree):
        name = files.called(call)
        origin = Origin(file=place, line=call.lineno)
        keywords = files.keywords(call, tree)
        if name == "setup":
            for word, value in keywords.items():
                lines[word] = value.lineno
                if (found := files.constant(value, constants)) is not None:
                    words[word] = found
        if name.endswith("Extension") or name in {"cythonize", "set_source"}:
            compiled.append(origin)
            modules += _names(call, keywords)
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
    return Setup(words=words, lines=lines, reading=reading, modules=tuple(modules))


def _names(call: ast.Call, keywords: Mapping[str, ast.expr]) -> Iterator[str]:
    """Yield the name of an extension, where it is written out."""
    given = keywords.get("name", call.args[0] if call.args else None)
    if isinstance(given, ast.Constant) and isinstance(given.value, str):
        yield given.value


def _libraries(
    keywords: Mapping[str, ast.expr], constants: Mapping[str, Any], origin: Origin
) -> Iterator[Need]:
    found = files.constant(keywords["libraries"], constants) if "libraries" in keywords else None
    for library in found if isinstance(found, list) else ():
        if isinstance(library, str):
            yield Need(kind="library", name=library, origin=origin)


def _cfg(path: Path) -> dict[str, Any]:
    sections = files.setup_cfg(read_text(path))
    words: dict[str, Any] = {}
    for section in ("metadata", "options"):
        for name, value in sections.get(section, {}).items():
            key = name.replace("-", "_")
            words[key] = _entries(value) if key in _TABLES else value
    if extras := sections.get("options.extras_require"):
        words["extras_require"] = {name: _entries(value) for name, value in extras.items()}
    return words


def _entries(value: str) -> list[str]:
    return [line.strip() for line in value.replace(";;", "\n").splitlines() if line.strip()]
