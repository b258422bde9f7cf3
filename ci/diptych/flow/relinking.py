"""``diptych relink``: plan for files or a tree given by hand, show it, apply it, keep the journal."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from diptych.binaries import find_binaries, read_file
from diptych.errors import ConfigError, RelinkError
from diptych.relink.apply import relink_file
from diptych.relink.byhand import Wish, plan_by_hand
from diptych.relink.editors import editor_for
from diptych.relink.plan import FilePlan
from diptych.relink.planners import Tree, plan_for_conda, plan_for_wheel, read_tree
from diptych.store import write_json
from diptych.system import is_system_library

JOURNAL = ".relink.json"


@dataclass(frozen=True, kw_only=True)
class HandPlan:
    """What will be done to one file.

    Attributes:
        path: the file.
        plan: the edits.
    """

    path: Path
    plan: FilePlan

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain values."""
        return {"path": str(self.path), **asdict(self.plan)}


def plan_files(targets: Sequence[Path], wish: Wish) -> tuple[HandPlan, ...]:
    """Plan every binary among the targets; a folder stands for the binaries in it.

    Raises:
        ConfigError: a target is not there or holds no binary.
        RelinkError, FormatError: as :func:`diptych.relink.byhand.plan_by_hand`.
    """
    return tuple(HandPlan(path=path, plan=plan_by_hand(path, wish)) for path in _files(targets))


def plan_tree(root: Path, purpose: str, prefix: Path | None) -> tuple[HandPlan, ...]:
    """Plan a tree laid out as site-packages for a wheel or a conda package, as the pipeline does.

    Raises:
        ConfigError: ``root`` is no folder, or for conda the prefix or its site-packages is missing.
    """
    if not root.is_dir():
        raise ConfigError(f'"{root}" is no folder', hint="--for takes a tree laid out as site-packages")
    if prefix is None:
        raise ConfigError(
            f"--for {purpose} needs --prefix", hint="the environment that the tree was linked against"
        )
    tree = read_tree(root, prefix=prefix)
    _require_all_found(tree)
    plan = plan_for_wheel(tree) if purpose == "wheel" else plan_for_conda(tree, site=_site_packages(prefix))
    return tuple(HandPlan(path=root / one.name, plan=one) for one in plan.files)


def _require_all_found(tree: Tree) -> None:
    """Refuse a prefix that is not the one the tree was linked against: it would lack libraries.

    Raises:
        RelinkError: naming each library that neither tree, prefix nor system has.
    """
    faults = [
        f"{name} needs {needed}"
        for name, binary in sorted(tree.binaries.items())
        for needed in binary.needed
        if tree.inside(needed) is None and tree.outside(needed) is None
        if not is_system_library(needed, binary.format)
    ]
    if faults:
        raise RelinkError(
            f'"{tree.prefix}" does not have what the tree was linked against',
            details=faults,
            hint="name the environment of the same Python and the same libraries",
        )


def apply_plans(plans: Sequence[HandPlan], *, out: Path | None, env: Mapping[str, str]) -> tuple[Path, ...]:
    """Apply each plan once, to a copy in ``out`` or in place, and leave a journal beside each edited file.

    Returns:
        The files that were written.

    Raises:
        RelinkError: a tool failed or did something else; that file is as it was, later ones were not begun.
    """
    written = []
    for one in plans:
        target = one.path if out is None else out / one.path.name
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            shutil.copy2(one.path, target)
        if one.plan.empty:
            continue
        editor = editor_for(read_file(target)[0].format, env=env)
        tool = editor.version()
        entry = relink_file(one.plan, target, editor)
        write_json(
            target.with_name(target.name + JOURNAL),
            {"schema": 1, "source": str(one.path), "tool": tool, **entry},
        )
        written.append(target)
    return tuple(written)


def _files(targets: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for target in targets:
        if not target.exists():
            raise ConfigError(f'there is no file "{target}"')
        inside = sorted(find_binaries(target)) if target.is_dir() else [target]
        if not inside:
            raise ConfigError(f'the folder "{target}" holds no ELF or Mach-O file')
        found += inside
    return list(dict.fromkeys(found))


def _site_packages(prefix: Path) -> PurePosixPath:
    found = sorted(prefix.glob("lib/python3.*/site-packages"))
    if len(found) != 1:
        raise ConfigError(f'"{prefix}" should have one lib/python3.X/site-packages; found: {len(found)}')
    return PurePosixPath(found[0].relative_to(prefix).as_posix())
