"""What a relink will do to each file, decided before anything is touched."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from diptych.binaries import Binary
from diptych.errors import RelinkError


@dataclass(frozen=True, kw_only=True)
class FilePlan:
    """The edits of one binary.

    Attributes:
        name: its path, relative to the tree.
        drop: needed libraries to remove.
        add: needed libraries to add.
        rename: pairs of needed library, old and new.
        rpath: the run path to have afterwards, in order; None leaves it alone, empty removes it.
        runpath: write DT_RUNPATH instead of DT_RPATH (ELF only).
        identity: new SONAME or install name; None leaves it alone.
        reasons: why, a sentence each.

    Raises:
        RelinkError: the edits contradict each other.
    """

    name: str
    drop: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    rename: tuple[tuple[str, str], ...] = ()
    rpath: tuple[str, ...] | None = None
    runpath: bool = False
    identity: str | None = None
    reasons: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        renamed = [old for old, _ in self.rename]
        clashes = sorted(
            {name for name in self.drop if name in self.add or name in renamed}
            | {name for name in renamed if renamed.count(name) > 1}
            | {name for name in self.add if name in renamed}
        )
        if clashes:
            raise RelinkError(f'the plan for "{self.name}" contradicts itself over {", ".join(clashes)}')
        if self.rpath and any(not entry for entry in self.rpath):
            raise RelinkError(
                f'the plan for "{self.name}" has an empty run path entry, which means the working folder'
            )

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return self.rpath is None and self.identity is None and not (self.drop or self.add or self.rename)

    def needed_after(self, before: tuple[str, ...]) -> tuple[str, ...]:
        """Return the needed libraries that the file has once the plan is applied, sorted."""
        names = dict(self.rename)
        return tuple(
            sorted({names.get(name, name) for name in before if name not in self.drop} | set(self.add))
        )

    def applied(self, binary: Binary) -> Binary:
        """Return the facts that the binary will have, needed libraries in the order that the tools leave."""
        names = dict(self.rename)
        needed = [names.get(name, name) for name in binary.needed if name not in self.drop]
        edited = replace(binary, needed=(*needed, *self.add), soname=self.identity or binary.soname)
        if self.rpath is None:
            return edited
        as_runpath = self.runpath and binary.format == "elf"
        return replace(
            edited, rpath=() if as_runpath else self.rpath, runpath=self.rpath if as_runpath else ()
        )


@dataclass(frozen=True, kw_only=True)
class TreePlan:
    """The plans of all binaries of one tree.

    Attributes:
        purpose: "wheel", "conda" or "source", for people.
        root: the tree that the names are relative to.
        files: a plan for each binary, also the empty ones, sorted by name.
    """

    purpose: str
    root: Path
    files: tuple[FilePlan, ...]

    @property
    def dropped(self) -> tuple[tuple[str, str], ...]:
        """Every dropped needed library with the file that named it."""
        return tuple((plan.name, name) for plan in self.files for name in plan.drop)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as shown by ``--dry-run --json``."""
        return {
            "purpose": self.purpose,
            "root": str(self.root),
            "files": [asdict(plan) for plan in self.files],
        }
