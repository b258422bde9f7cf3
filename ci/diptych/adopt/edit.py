"""The change: new texts of pyproject.toml, noxfile.py and .gitignore, composed and checked before anything is written."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.adopt.table import Line, Plan
from diptych.config.files import read_toml, toml_of
from diptych.errors import ConfigError

_IMPORT = "from diptych.sessions import define"
_CALL = "define(__file__)"
_NEW_NOXFILE = f'"""The sessions of [tool.diptych] in pyproject.toml: nox -l."""\n\n{_IMPORT}\n\n{_CALL}\n'
_IGNORED = (".diptych/", ".nox/", "/dist/")


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One file's change.

    Attributes:
        path: the file.
        before: its bytes, ``None`` when it is not there.
        after: its new bytes.
    """

    path: Path
    before: bytes | None
    after: bytes

    def diff(self, root: Path) -> str:
        """Return the change as a unified diff."""
        name = self.path.relative_to(root).as_posix()
        old = "" if self.before is None else f"a/{name}"
        lines = difflib.unified_diff(
            _lines(self.before or b""), _lines(self.after), old or "/dev/null", f"b/{name}", lineterm=""
        )
        return "\n".join(lines)


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8", "replace").splitlines()


def edits(root: Path, made: Plan, *, under_git: bool) -> tuple[Edit, ...]:
    """Compose the change of every file; a file that has all of it already is left out.

    Raises:
        ConfigError: a file cannot take the change as it is.
    """
    found = [_table(root / "pyproject.toml", made.lines), _noxfile(root / "noxfile.py")]
    if under_git:
        found.append(_gitignore(root / ".gitignore"))
    return tuple(edit for edit in found if edit is not None)


def has_table(root: Path) -> bool:
    """Tell whether pyproject.toml has our table; one of ``names`` alone is still to be completed."""
    file = root / "pyproject.toml"
    tools = read_toml(file).get("tool") if file.is_file() else None
    return isinstance(tools, dict) and "diptych" in tools and not _names_alone(tools["diptych"])


def _names_alone(table: object) -> bool:
    return isinstance(table, dict) and table.keys() == {"names"}


def rendered(lines: tuple[Line, ...]) -> str:
    """Return the table as TOML, with newlines alone for line ends."""
    import tomlkit  # noqa: PLC0415 -- not for the tasks that read only

    table = tomlkit.table()
    for line in lines:
        value: Any = line.value
        if isinstance(value, Mapping):
            value = tomlkit.inline_table()
            value.update(line.value)
        table.add(line.key, value)
    tool = tomlkit.table(is_super_table=True)
    tool.add("diptych", table)
    document = tomlkit.document()
    document.add("tool", tool)
    return tomlkit.dumps(document)


def _table(path: Path, lines: tuple[Line, ...]) -> Edit | None:
    """Append the table: what is there keeps every byte."""
    before = path.read_bytes() if path.exists() else None
    if before is not None and has_table(path.parent):
        return None
    text = rendered(lines)
    after = _appended(before or b"", text)
    _check_toml(path, before, after)
    return Edit(path=path, before=before, after=after)


def _appended(before: bytes, text: str) -> bytes:
    """Put text behind what is there, after one blank line, with the file's own line ends."""
    end = _line_end(before)
    gap = b"" if not before.strip() else (b"" if before.endswith(b"\n") else end) + end
    return before + gap + text.encode().replace(b"\n", end)


def _line_end(content: bytes) -> bytes:
    return b"\r\n" if content.count(b"\r\n") * 2 > content.count(b"\n") else b"\n"


def _check_toml(path: Path, before: bytes | None, after: bytes) -> None:
    """Hold the new file against the old one: the same tables, and ours.

    Raises:
        ConfigError: ``tool`` is written so that no table can be added behind it.
    """
    try:
        new = toml_of(after, path)
    except ConfigError as error:
        raise ConfigError(
            f'"{path}" cannot take a table [tool.diptych] at its end: `tool` is written as an inline table, or our table has its names in it',
            hint="write its parts as tables, [tool.NAME] and [tool.diptych.names], then run again",
        ) from error
    old = toml_of(before, path) if before is not None else {}
    if _without_ours(new) != _without_ours(old):
        raise ConfigError(f'"{path}": adding the table would change what else it says', hint="add it by hand")


def _without_ours(document: dict[str, Any]) -> dict[str, Any]:
    tools = {name: value for name, value in document.get("tool", {}).items() if name != "diptych"}
    return {**document, "tool": tools}


def _noxfile(path: Path) -> Edit | None:
    if not path.exists():
        return Edit(path=path, before=None, after=_NEW_NOXFILE.encode())
    before = path.read_bytes()
    end = _line_end(before).decode()
    text = before.decode("utf-8", "surrogateescape")
    try:
        tree = ast.parse(before)
    except (SyntaxError, ValueError) as error:
        where = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise ConfigError(
            f'"{path}"{where} cannot be read as Python: {error}', hint="mend it, then run again"
        ) from error
    if any(_is_define(node) for node in ast.walk(tree)):
        return None
    lines = text.splitlines(keepends=True)
    call_at = _before_main(tree, len(lines))
    import_at = _after_imports(tree)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += end
    tail = lines[call_at:]
    body = [*lines[:import_at], f"{_IMPORT}{end}", *lines[import_at:call_at]]
    while body and not body[-1].strip():
        body.pop()
    gap = [end, end]  # two blank lines, as around every function
    after = "".join([*body, *gap, f"{_CALL}{end}", *(gap if tail else []), *tail])
    ast.parse(after.encode("utf-8", "surrogateescape"))
    return Edit(path=path, before=before, after=after.encode("utf-8", "surrogateescape"))


def _is_define(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "diptych.sessions"


def _after_imports(tree: ast.Module) -> int:
    """Return the line behind the last import at the top; behind the docstring where there is none."""
    ends = [0]
    for index, node in enumerate(tree.body):
        docstring = index == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if docstring or isinstance(node, (ast.Import, ast.ImportFrom)):
            ends.append(node.end_lineno or 0)
        elif not isinstance(node, (ast.If, ast.Try)):
            break
    return ends[-1]


def _before_main(tree: ast.Module, end: int) -> int:
    """Return the line that our call stands before: ``if __name__ == "__main__"``, or the file's end."""
    for node in tree.body:
        if isinstance(node, ast.If) and "__name__" in ast.dump(node.test):
            return node.lineno - 1
    return end


def _gitignore(path: Path) -> Edit | None:
    before = path.read_bytes() if path.exists() else None
    there = {_plain(line) for line in _lines(before or b"")}
    missing = [line for line in _IGNORED if _plain(line) not in there]
    if not missing:
        return None
    content = before or b""
    end = _line_end(content)
    gap = end if content and not content.endswith(b"\n") else b""
    return Edit(
        path=path, before=before, after=content + gap + b"".join(line.encode() + end for line in missing)
    )


def _plain(line: str) -> str:
    return re.sub(r"^(\*\*/|/)|/?(\*\*?)?$", "", line.strip())
