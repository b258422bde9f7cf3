"""``diptych reproduce``: a cell built twice from scratch, in unlike places, and both results compared byte by byte."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from diptych import process
from diptych.build.objects import VARIABLE, objects_folder
from diptych.build.sources import source_files
from diptych.errors import CompileError, ProcessError, UnsupportedError
from diptych.matrix import Cell
from diptych.reproduce.differences import PackageDifference, differences_of
from diptych.store import copy_file, discard, sha256_file, write_json
from diptych.workspace import Workspace

# What both builds may take from the checkout: packages and tools by hash, never anything that was compiled.
_SHARED = ("channel", "wheels", "backends", "interpreters")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where and how one of the builds runs.

    Attributes:
        folder: of the copy, relative.
        prefix: name of the host environment's folder.
        umask: for every file that is written.
        env: variables that differ.
    """

    folder: str
    prefix: str
    umask: int
    env: Mapping[str, str]


PLACES = (
    Place(
        folder="a",
        prefix="h",
        umask=0o022,
        env={"TZ": "UTC", "USER": "ann", "LANG": "C.UTF-8", "PYTHONHASHSEED": "1"},
    ),
    Place(
        folder="b/in-a-much-deeper-folder/with-another-length/than-the-first",
        prefix="host-environment-with-a-long-prefix",
        umask=0o077,
        env={"TZ": "Asia/Kathmandu", "USER": "somebody-else", "LANG": "C", "PYTHONHASHSEED": "2"},
    ),
)


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """The outcome; true when wheel, source distribution and conda package came out byte-identical.

    Attributes:
        cell: its id.
        sha256: package kind → the hash from each build.
        packages: the kept packages of both builds.
        differences: what differs, and why.
    """

    cell: str
    sha256: Mapping[str, tuple[str, str]]
    packages: tuple[Path, ...]
    differences: tuple[PackageDifference, ...]

    def __bool__(self) -> bool:
        return not self.differences

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as plain values."""
        return {
            "cell": self.cell,
            "identical": bool(self),
            "sha256": {kind: list(both) for kind, both in self.sha256.items()},
            "packages": [str(path) for path in self.packages],
            "differences": [asdict(one) for one in self.differences],
        }


def reproduce(workspace: Workspace, cell: Cell, *, machine: str) -> Reproduction:
    """Build a cell twice, each time in a fresh copy of the checkout, and compare.

    Folders, prefix lengths, times, umask, time zone, user name, locale and hash seed differ. The local channel is shared. The first
    build may take objects that earlier ones have compiled, the second compiles all of them.

    Args:
        workspace: the checkout.
        cell: what to build.
        machine: ``platform.machine()``.

    Returns:
        The outcome; the packages of both builds stay in ``.diptych/reproduce/CELL``.

    Raises:
        CompileError: a build failed.
        UnsupportedError: a source lies outside the checkout.
        StoreError: the disk is full.
    """
    base = workspace.store.root / "reproduce" / cell.id
    with workspace.store.lock(f"reproduce-{cell.id}"):
        discard(base)
        roots = [base / place.folder for place in PLACES]
        try:
            made = []
            for place, root in zip(PLACES, roots, strict=True):
                name = f"build {place.folder[0]}"
                with workspace.output.step(name) as step:
                    made.append(_build(workspace, cell, place, root, machine))
                    step.text = f"in a folder of {len(str(root))} characters, host prefix of {len(str(root / place.prefix))}"
            kept = [
                {kind: _kept(path, base / str(number)) for kind, path in one.items()}
                for number, one in enumerate(made, 1)
            ]
            folders = ([str(roots[0])], [str(roots[1])])
            differences = tuple(
                one for kind in kept[0] for one in differences_of(kept[0][kind], kept[1][kind], folders)
            )
        finally:
            for place in PLACES:
                discard(base / Path(place.folder).parts[0])
    return Reproduction(
        cell=cell.id,
        sha256={kind: (sha256_file(kept[0][kind]), sha256_file(kept[1][kind])) for kind in kept[0]},
        packages=tuple(path for one in kept for path in one.values()),
        differences=differences,
    )


def _build(workspace: Workspace, cell: Cell, place: Place, root: Path, machine: str) -> dict[str, Path]:
    _lay_out(workspace, root)
    store = root / ".diptych"
    scratch = root / "tmp"
    scratch.mkdir()
    order = {
        "root": str(root),
        "cell": cell.id,
        "prefix": str(root / place.prefix),
        "machine": machine,
        "umask": place.umask,
        "made": str(store / "made.json"),
    }
    write_json(store / "order.json", order)
    log = workspace.logs(cell) / f"reproduce-{place.folder[0]}.log"
    log.unlink(missing_ok=True)
    command: list[str | Path] = [sys.executable, "-m", "diptych.reproduce.rebuild", store / "order.json"]
    # By the environment, not in the order: a person's variables belong into no file.
    objects = objects_folder(workspace.env, workspace.store.root) if place is PLACES[0] else None
    shared = {VARIABLE: str(objects) if objects else "off"}
    env = {
        **workspace.env,
        **place.env,
        **shared,
        "TMPDIR": str(scratch),
        "SOURCE_DATE_EPOCH": str(workspace.epoch),
    }
    try:
        process.run(command, env=env, cwd=root, log=log)
    except ProcessError as error:
        raise CompileError(
            f"{cell.id}: a copy of the checkout could not be built", details=error.details
        ) from error
    made = json.loads((store / "made.json").read_text(encoding="utf-8"))
    return {kind: Path(path) for kind, path in made.items()}


def _lay_out(workspace: Workspace, root: Path) -> None:
    """Copy table and sources, with times of now, and link what may be shared."""
    config = workspace.config
    places = [config.source, *([config.recipe.parent] if config.recipe else [])]
    files = {workspace.root / "pyproject.toml"}
    files.update(path for place in places for path in source_files(place, env=workspace.env))
    for path in sorted(files):
        if not path.is_relative_to(workspace.root):
            raise UnsupportedError(f'"{path}" lies outside the checkout, so that a copy would not be whole')
        target = root / path.relative_to(workspace.root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target, follow_symlinks=False)
    for name in _SHARED:
        source = workspace.store.root / name
        if source.is_dir():
            shutil.copytree(source, root / ".diptych" / name, symlinks=True, copy_function=_linked)


def _linked(source: str, target: str) -> None:
    """Make a hard link, or a copy where the file system has none."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _kept(path: Path, folder: Path) -> Path:
    copy_file(path, folder / path.name)
    return folder / path.name
