"""The order of rooms in docs/explanation/architecture.md holds: a module imports from its own room or an earlier one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "ci" / "diptych"
PAGE = PACKAGE.parents[1] / "docs" / "explanation" / "architecture.md"


def order_of_rooms() -> dict[str, int]:
    """Read the table from the page, which is the rule: every room with its place in the order."""
    rows = re.findall(r"^\| (\d) [^|]*\| (.+?) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(len(rows))), "the floors are not in order"
    names = [name for _, rooms in rows for name in re.findall(r"`(\w+)`", rooms)]
    assert len(names) == len(set(names)), "a room stands twice"
    return {name: place for place, name in enumerate(names)}


def room_of(module: str) -> str:
    return ".".join(module.split(".")[1:2])


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
    order = order_of_rooms()
    room = room_of(module)
    if room == "":
        return
    assert room in order, f"{room} is in no row of the table: add it to {PAGE.name}"
    for imported in imports(path):
        other = room_of(imported)
        if other in order:
            assert order[other] <= order[room], f"{module} imports {imported}, which comes after {room}"


def test_every_room_on_the_page_exists() -> None:
    for name in order_of_rooms():
        place = PACKAGE / name
        assert place.is_dir() or place.with_suffix(".py").is_file(), name


def test_the_page_names_modules_that_exist() -> None:
    walk = re.search(r"Three objects.*?(?=\n## )", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert walk
    named = [
        name for name in re.findall(r"`([\w.]+)`", walk[0]) if room_of(f"diptych.{name}") in order_of_rooms()
    ]
    assert len(named) > 20
    for name in named:
        place = PACKAGE.joinpath(*name.split("."))
        assert place.is_dir() or place.with_suffix(".py").is_file(), name


def test_modules_stay_small() -> None:
    lengths = sorted(len(path.read_text(encoding="utf-8").splitlines()) for _, path in modules())
    assert lengths[len(lengths) // 2] <= 150
    assert lengths[-1] <= 420
