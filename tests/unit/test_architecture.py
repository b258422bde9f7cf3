"""The floors of docs/explanation/architecture.md hold: a module imports from its own floor or one below."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "ci" / "diptych"
PAGE = PACKAGE.parents[1] / "docs" / "explanation" / "architecture.md"


def floors() -> dict[str, int]:
    """Read the table of floors from the page: the page is the rule."""
    rows = re.findall(r"^\| (\d) [^|]*\| (.+?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: int(number) for number, rooms in rows for name in re.findall(r"`([\w.]+)`", rooms)}


def room_of(module: str, known: dict[str, int]) -> str:
    parts = module.split(".")[1:]
    for length in range(len(parts), 0, -1):
        if ".".join(parts[:length]) in known:
            return ".".join(parts[:length])
    return parts[0] if parts else ""


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "diptych":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "diptych")


@pytest.mark.parametrize(
    ("module", "path"), list(modules()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_no_import_runs_upward(module: str, path: Path) -> None:
    known = floors()
    room = room_of(module, known)
    if room == "":
        return
    assert room in known, f"{room} stands on no floor: add it to {PAGE.name}"
    for imported in imports(path):
        other = room_of(imported, known)
        if other and other in known:
            assert known[other] <= known[room], (
                f"{module} (floor {known[room]}) imports {imported} (floor {known[other]})"
            )


def test_every_room_on_the_page_exists() -> None:
    for name in floors():
        place = PACKAGE.joinpath(*name.split("."))
        assert place.is_dir() or place.with_suffix(".py").is_file(), name


def test_modules_stay_small() -> None:
    lengths = sorted(len(path.read_text(encoding="utf-8").splitlines()) for _, path in modules())
    assert lengths[len(lengths) // 2] <= 150
    assert lengths[-1] <= 420
