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
from diptych.relink.editors import editor_for
from diptych.relink.manual import RelinkRequest, plan_by_hand
from diptych.relink.placed import prospect
from diptych.relink.plan import FilePlan
from diptych.relink.planners import Tree, plan_for_conda, plan_for_wheel, read_tree
from diptych.store import write_json
from diptych.system import is_system_library

JOURNAL = ".relink.json"


@dataclass(frozen=True, kw_only=True)
class ManualPlan:
    """What will be done to one file.

    Attributes:
        path: the file.
        plan: the edits.
        target: where the result will lie.
        missing: libraries that it will still need in vain there.
    """

    path: Path
    plan: FilePlan
    target: Path
    missing: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain values."""
        places = {"path": str(self.path), "target": str(self.target), "missing": list(self.missing)}
        return {**places, **asdict(self.plan)}


def plan_files(
    targets: Sequence[Path], request: RelinkRequest, *, out: Path | None
) -> tuple[ManualPlan, ...]:
    """Plan every binary among the targets; a folder stands for the binaries in it.

    Args:
        targets: files and folders, absolute.
        request: what to do with each.
        out: the folder that copies go to, absolute; None: the files themselves are replaced.

    Raises:
        ConfigError: a target is not there, holds no binary, or two would become one file of ``out``.
        RelinkError: the loader would no longer find what it finds now; else as
            :func:`diptych.relink.manual.plan_by_hand`.
        FormatError: a file is damaged.
    """
    return tuple(_plan_file(path, target, request) for path, target in _places(_files(targets), out))


def _plan_file(path: Path, target: Path, request: RelinkRequest) -> ManualPlan:
    plan = plan_by_hand(path, request, home=target.parent)
    found = prospect(plan, path, target)
    if found.lost:
        raise RelinkError(
            f'"{path}" would lose libraries that are found now',
            details=[f"not found from {target.parent}: {name}" for name in found.lost],
            hint="name the prefix that has them, or take --paths absolute",
        )
    return ManualPlan(path=path, plan=plan, target=target, missing=found.missing)


def plan_tree(root: Path, purpose: str, prefix: Path | None, *, out: Path | None) -> tuple[ManualPlan, ...]:
    """Plan a tree laid out as site-packages for a wheel or a conda package, as the pipeline does.

    Args:
        root: the tree, absolute.
        purpose: "wheel" or "conda".
        prefix: the environment that it was linked against.
        out: the folder that copies go to, laid out as the tree; None: the files themselves are replaced.

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
    _require_all_found(tree, prefix)
    plan = plan_for_wheel(tree) if purpose == "wheel" else plan_for_conda(tree, home=_site_packages(prefix))
    home = out or root
    return tuple(ManualPlan(path=root / one.name, plan=one, target=home / one.name) for one in plan.files)


def _require_all_found(tree: Tree, prefix: Path) -> None:
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
            f'"{prefix}" does not have what the tree was linked against',
            details=faults,
            hint="name the environment of the same Python and the same libraries",
        )


def apply_plans(plans: Sequence[ManualPlan], *, env: Mapping[str, str]) -> tuple[Path, ...]:
    """Apply each plan once, to the file or to a copy at its target, and leave a journal beside each edited file.

    Returns:
        The files that were written.

    Raises:
        RelinkError: a tool failed or did something else; that file is as it was, later ones were not begun.
    """
    written = []
    for one in plans:
        target = one.target
        if target != one.path:
            target.parent.mkdir(parents=True, exist_ok=True)
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


def _files(targets: Sequence[Path]) -> dict[Path, str]:
    """Return each binary among the targets, with its name: below a folder that was named, the path from there."""
    found: dict[Path, str] = {}
    for target in targets:
        if not target.exists():
            raise ConfigError(f'there is no file "{target}"')
        inside = sorted(find_binaries(target)) if target.is_dir() else [target]
        if not inside:
            raise ConfigError(f'the folder "{target}" holds no ELF or Mach-O file')
        for path in inside:
            found.setdefault(path, path.relative_to(target).as_posix() if target.is_dir() else path.name)
    return found


def _places(files: Mapping[Path, str], out: Path | None) -> list[tuple[Path, Path]]:
    places = [(path, path if out is None else out / name) for path, name in files.items()]
    targets = [target for _, target in places]
    twice = sorted({str(target) for target in targets if targets.count(target) > 1})
    if twice:
        raise ConfigError("two files would become one", details=twice, hint="relink them one after another")
    return places


def _site_packages(prefix: Path) -> PurePosixPath:
    found = sorted(prefix.glob("lib/python3.*/site-packages"))
    if len(found) != 1:
        raise ConfigError(f'"{prefix}" should have one lib/python3.X/site-packages; found: {len(found)}')
    return PurePosixPath(found[0].relative_to(prefix).as_posix())
