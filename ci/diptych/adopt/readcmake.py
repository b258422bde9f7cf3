"""What CMake files look for: packages and pkg-config modules, with their lines.

The files are read from the top one on, along ``add_subdirectory`` and ``include`` with plain paths, so that a
CMakeLists.txt that only tests or examples use is not taken for the project's. Conditions are not evaluated.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from diptych.adopt.files import inside, read_text
from diptych.adopt.model import Need, Origin, Reading, Untold, joined

_ASIDE = re.compile(r"(tests?|examples?|bench(marks?)?|docs?|demos?)", re.IGNORECASE)
_HERE = (
    "${CMAKE_CURRENT_SOURCE_DIR}/",
    "${CMAKE_CURRENT_LIST_DIR}/",
    "${PROJECT_SOURCE_DIR}/",
    "${CMAKE_SOURCE_DIR}/",
)
_WORDS = frozenset({
    "REQUIRED", "QUIET", "CONFIG", "NO_MODULE", "MODULE", "EXACT", "GLOBAL", "COMPONENTS", "OPTIONAL_COMPONENTS",
    "NAMES", "HINTS", "PATHS", "PATH_SUFFIXES", "NO_DEFAULT_PATH", "NO_CMAKE_FIND_ROOT_PATH", "REGISTRY_VIEW",
})  # fmt: skip
# What is looked for by these is for tests and documents of the project, not compiled against.
_FOR_TESTS = frozenset({"gtest", "catch2", "doctest", "benchmark", "doxygen", "sphinx"})

# A comment, a string, a bracket argument, a parenthesis, or a word: cmake-language(7).
_TOKEN = re.compile(
    r"#\[(?P<e1>=*)\[.*?\](?P=e1)\]|#[^\n]*|\[(?P<e2>=*)\[.*?\](?P=e2)\]|\"(?:\\.|[^\"\\])*\"|[()]|[^\s()#\"]+",
    re.DOTALL,
)


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command of a CMake file: its name in lower case, its arguments, its line."""

    name: str
    words: tuple[str, ...]
    line: int


def commands(text: str) -> Iterator[Command]:
    """Yield the commands of a CMake file in order; what is no command is passed over."""
    name, line, words, depth = "", 0, list[str](), 0
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word.startswith("#"):
            continue
        if word == "(":
            depth += 1
        elif word == ")":
            depth = max(depth - 1, 0)
            if depth == 0 and name:
                yield Command(name=name.lower(), words=tuple(words), line=line)
                name, words = "", []
        elif depth == 0:
            name, line, words = word, text.count("\n", 0, token.start()) + 1, []
        else:
            words.append(word[1:-1] if word.startswith('"') else word)


def read_cmake(root: Path, top: Path) -> Reading:
    """Read a CMakeLists.txt and what it adds.

    Args:
        root: the repository.
        top: its CMakeLists.txt.

    Returns:
        Nothing where the file is not there.
    """
    return joined(_file(root, path) for path in _reached(root, top))


def _reached(root: Path, top: Path) -> list[Path]:
    found: list[Path] = []
    waiting = [top]
    while waiting:
        path = Path(os.path.normpath(waiting.pop(0)))
        if inside(root, path) and path.is_file() and path not in found:
            found.append(path)
            waiting += _added(path)
    return found


def _added(path: Path) -> Iterator[Path]:
    for command in commands(read_text(path)):
        if command.name not in {"add_subdirectory", "include"} or not command.words:
            continue
        place = _placed(command.words[0])
        if "$" in place or _ASIDE.fullmatch(place.split("/", maxsplit=1)[0]):
            continue
        target = path.parent / place
        yield target / "CMakeLists.txt" if command.name == "add_subdirectory" else target


def _placed(word: str) -> str:
    for prefix in _HERE:
        word = word.removeprefix(prefix)
    return word


def _file(root: Path, path: Path) -> Reading:
    needs: list[Need] = []
    untold: list[Untold] = []
    place = path.relative_to(root).as_posix()
    for command in _not_for_windows(commands(read_text(path))):
        origin = Origin(file=place, line=command.line)
        match command.name:
            case "find_package" | "find_dependency":
                found = _package(command, origin)
            case "pkg_check_modules" | "pkg_search_module":
                found = list(_modules(command, origin))
            case "fetchcontent_declare" | "externalproject_add" | "cpmaddpackage":
                found = []
                untold.append(_download(command, origin))
            case "add_subdirectory":
                found = []
                untold += _empty_folder(command, path.parent, origin)
            case _:
                continue
        needs += found
    compiled = (Origin(file=place),) if not path.relative_to(root).parts[1:] else ()
    return Reading(needs=tuple(needs), untold=tuple(untold), compiled=compiled)


def _not_for_windows(every: Iterable[Command]) -> Iterator[Command]:
    """Leave out what stands in ``if(WIN32)`` or ``if(MSVC)``; other conditions are not evaluated."""
    taken: list[bool] = []
    for command in every:
        if command.name == "if":
            taken.append(command.words not in {("WIN32",), ("MSVC",), ("MINGW",)})
        elif command.name in {"else", "elseif"} and taken:
            taken[-1] = True
        elif command.name == "endif" and taken:
            taken.pop()
        elif all(taken):
            yield command


def _package(command: Command, origin: Origin) -> list[Need]:
    if not command.words or "$" in command.words[0] or command.words[0].lower() in _FOR_TESTS:
        return []
    name, *rest = command.words
    options = [index for index, word in enumerate(rest) if word in {"COMPONENTS", "REQUIRED"}]
    after = rest[options[0] :] if options else []
    components = tuple(word for word in after if word not in _WORDS and re.match(r"[A-Za-z]", word))
    return [Need(kind="cmake", name=name, components=components, required="REQUIRED" in rest, origin=origin)]


def _modules(command: Command, origin: Origin) -> Iterator[Need]:
    flags = {"REQUIRED", "QUIET", "IMPORTED_TARGET", "GLOBAL", "NO_CMAKE_PATH", "NO_CMAKE_ENVIRONMENT_PATH"}
    required = "REQUIRED" in command.words
    for word in command.words[1:]:
        name = re.split(r"[<>=!]", word, maxsplit=1)[0]
        if word not in flags and name and "$" not in name and not name[0].isdigit():
            yield Need(kind="pkg-config", name=name, required=required, origin=origin)


def _download(command: Command, origin: Origin) -> Untold:
    what = command.words[0] if command.words else "something"
    if command.name == "cpmaddpackage":
        what = next((after for word, after in pairwise(command.words) if word == "NAME"), what)
    return Untold(text=f"{what} is downloaded while CMake configures: that needs a network", origin=origin)


def _empty_folder(command: Command, folder: Path, origin: Origin) -> Iterator[Untold]:
    place = _placed(command.words[0]) if command.words else "$"
    target = folder / place
    if "$" not in place and target.is_dir() and not any(target.iterdir()):
        yield Untold(
            text=f"the folder {place} is empty: a submodule that was not fetched? git submodule update --init",
            origin=origin,
        )
