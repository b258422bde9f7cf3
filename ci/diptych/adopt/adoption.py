"""A whole adoption: read, plan, compose; nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.adopt.edit import Edit, edits, has_table
from diptych.adopt.gather import gather
from diptych.adopt.plan import PYTHONS, plan
from diptych.adopt.readconda import RECIPE_FOLDERS
from diptych.adopt.readpyproject import strings
from diptych.adopt.show import next_command, to_json
from diptych.adopt.table import Plan
from diptych.adopt.theirs import own_sessions
from diptych.config.files import read_toml
from diptych.config.load import load
from diptych.errors import ConfigError
from diptych.recipes.metayaml import rendered
from diptych.recipes.opening import open_recipe


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """What adopting a repository would change.

    Attributes:
        root: its folder.
        plan: the table; ``None`` where it stands there already.
        edits: the change; none when nothing is left to do.
        notes: what a person should know first.
        command: what to type next.
    """

    root: Path
    plan: Plan | None
    edits: tuple[Edit, ...]
    notes: tuple[str, ...]
    command: str

    def to_json(self, *, written: bool) -> dict[str, Any]:
        """Return it as JSON values."""
        return to_json(self.plan, self.edits, self.root, written=written, command=self.command)


def adopt(root: Path, *, platform: str, here: str) -> Adoption:
    """Read a repository and compose the change that adopts it.

    Args:
        root: its folder.
        platform: conda's name of the platform.
        here: the Python that runs, such as "3.12".

    Raises:
        ConfigError: a file is damaged, nothing is compiled, or a file cannot take the change.
    """
    there = has_table(root)
    if there:
        load(root)  # a faulty one is told here, not by the first session
    repository = gather(root, platform=platform)
    made = Plan(lines=(), untold=()) if there else plan(repository)
    notes = []
    if there:
        notes.append("pyproject.toml has [tool.diptych] already: it is kept as it is")
    if repository.recipe:
        notes.append(
            f"{repository.recipe} makes the conda package: its run requirements and tests stay there"
        )
    if not repository.under_git:
        notes.append(
            "this is no git repository: .gitignore is left alone, and nothing but a copy brings the old files back"
        )
    pythons = (
        _of_table(root)
        if there
        else [one for line in made.lines if line.key == "python" for one in line.value]
    )
    return Adoption(
        root=root,
        plan=None if there else made,
        edits=edits(root, made, under_git=repository.under_git),
        notes=tuple(notes),
        command=next_command(pythons, here, own_sessions(root / "noxfile.py")),
    )


def _of_table(root: Path) -> tuple[str, ...]:
    table = read_toml(root / "pyproject.toml")["tool"]["diptych"]
    return strings(table.get("python") if isinstance(table, dict) else None) or PYTHONS


def convert_recipe(root: Path, *, platform: str, here: str) -> Adoption:
    """Compose the recipe.yaml that a repository's meta.yaml becomes; nothing else.

    Args:
        root: the repository.
        platform: not looked at: conditions stay in the recipe.
        here: the Python that runs.

    Raises:
        ConfigError: there is no meta.yaml, or it cannot be converted.
    """
    del platform
    place = next(
        (f"{folder}/meta.yaml" for folder in RECIPE_FOLDERS if (root / folder / "meta.yaml").is_file()), ""
    )
    if not place:
        raise ConfigError(
            f'there is no meta.yaml in "{root}"',
            details=[f"looked in {', '.join(RECIPE_FOLDERS)}"],
            hint="diptych init alone needs none",
        )
    source = root / place
    opened = open_recipe(source)
    target = source.with_name("recipe.yaml")
    notes = tuple(f"{place}:{one.line}: {one.text}" for one in opened.left)
    edit = Edit(path=target, before=None, after=rendered(opened, source="meta.yaml").encode())
    if target.exists():
        notes = (f"{target.relative_to(root).as_posix()} is there already: it is kept as it is",)
    pythons = _of_table(root) if has_table(root) else (here,)
    return Adoption(
        root=root,
        plan=None,
        edits=() if target.exists() else (edit,),
        notes=notes,
        command=next_command(pythons, here),
    )
