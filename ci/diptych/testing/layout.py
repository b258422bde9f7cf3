"""Lay out a package as if it were installed, in links: Python files of the source tree, binaries of the build tree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from diptych.binaries import find_binaries, read_file
from diptych.build.stage import Stage
from diptych.build.toolenv import declared
from diptych.config import InSourceWay
from diptych.environments import Environment
from diptych.process import own_tools
from diptych.relink.apply import relink_into
from diptych.relink.planners import plan_for_source, read_tree
from diptych.siblings import siblings
from diptych.store import Store, digest, write_json
from diptych.testing.programs import lay_programs

_SITE = "site"
_LIBRARY = re.compile(r"\.(so(\.[\d.]+)?|dylib)$")
_PROGRAMS = ".programs"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What an interpreter needs to import the package from source.

    Attributes:
        folder: goes on PYTHONPATH.
        libraries: folders that the loader must be told of by LD_LIBRARY_PATH or DYLD_LIBRARY_PATH; none when the
            binaries know themselves.
    """

    folder: Path
    libraries: tuple[Path, ...]

    @property
    def programs(self) -> Path:
        """The folder of the package's own programs, there or not: goes on PATH."""
        return self.folder / _PROGRAMS


@dataclass(frozen=True, kw_only=True)
class LayoutJob:
    """The inputs of a layout."""

    stage: Stage
    environment: Environment
    store: Store
    env: Mapping[str, str]


def lay_out(job: LayoutJob, way: InSourceWay) -> Layout:
    """Return the cell's layout, made when it is not there.

    It is a folder of links, named by the stage and where they lead: so the tests see an edit at once, and what they load was
    never installed. With ``relink`` the binaries in it are copies with absolute run paths to the build tree and the host
    environment. Then no variable has to reach the test process, which is what macOS takes from every process that a
    protected program such as ``/bin/sh`` starts (System Integrity Protection).

    Raises:
        RelinkError, MissingToolError: a copy could not be relinked.
    """
    folders = library_folders(job)
    if way == "paths":
        key = digest(job.stage.key, job.stage.origins, job.environment.python)
        folder, _ = job.store.entry(
            "overlay", key, lambda empty: _link(job.stage, empty, set(), python=job.environment.python)
        )
        return Layout(folder=folder, libraries=folders)
    key = digest(job.stage.key, job.stage.origins, way, [str(path) for path in folders])
    home = job.store.path("relinked", key) / _SITE
    folder, _ = job.store.entry("relinked", key, lambda empty: _relink(job, empty, home, folders))
    return Layout(folder=folder / _SITE, libraries=())


def library_folders(job: LayoutJob) -> tuple[Path, ...]:
    """Return where the loader must look in source: the build tree's libraries first, then the environment's."""
    stage = job.stage
    built = {
        origin.parent
        for path in find_binaries(stage.root)
        if _LIBRARY.search(path.name)
        and any(
            (origin := stage.origin(path.relative_to(stage.root).as_posix())).is_relative_to(home)
            for home in (stage.tree, stage.root)
        )
    }
    prefix = job.environment.prefix
    return (*sorted(built), prefix / "lib", *sorted(_sibling_folders(stage, prefix)))


def _sibling_folders(stage: Stage, prefix: Path) -> set[Path]:
    """Return where other packages keep what the stage links below site-packages."""
    beside = siblings(prefix)
    if not beside:
        return set()
    needed = {
        name.rpartition("/")[2]
        for path in find_binaries(stage.root)
        for binary in read_file(path)
        for name in binary.needed
    }
    return {prefix / path.parent for name, path in beside.items() if name in needed}


def _link(stage: Stage, folder: Path, but: set[str], *, python: Path) -> None:
    """Lay links to where each file is in source, and to the metadata, by which entry points are found."""
    for name in stage.files:
        if name not in but:
            link = folder / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(stage.origin((stage.site / name).as_posix()))
    for path in _programs(stage):
        link = folder / _PROGRAMS / path.name
        if link.relative_to(folder).as_posix() not in but:
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(stage.origin(path.relative_to(stage.root).as_posix()))
    if stage.info is not None:
        (folder / stage.info.name).symlink_to(stage.info)
        lay_programs(stage.info, folder / _PROGRAMS, python=python)


def _programs(stage: Stage) -> tuple[Path, ...]:
    """Return the programs that CMake has installed: the tests find them on PATH."""
    return tuple(sorted((stage.root / "bin").glob("*"))) if stage.whole_prefix else ()


def _relink(job: LayoutJob, empty: Path, home: Path, folders: tuple[Path, ...]) -> None:
    """Copy and relink the binaries of the stage, link the rest, and leave the journal beside them."""
    stage, libraries = job.stage, job.environment.prefix
    plans = {"": plan_for_source(read_tree(stage.folder, prefix=libraries), home=home, folders=folders)}
    if _programs(stage):
        programs = read_tree(stage.root / "bin", prefix=libraries)
        plans[_PROGRAMS] = plan_for_source(programs, home=home / _PROGRAMS, folders=folders)
    copied = {(Path(folder) / one.name).as_posix() for folder, plan in plans.items() for one in plan.files}
    site, env = empty / _SITE, declared(job.env, own_tools())
    _link(stage, site, copied, python=job.environment.python)
    journals = [relink_into(plan, site / folder, env=env) for folder, plan in plans.items()]
    entries = tuple(entry for journal in journals for entry in journal.entries)
    write_json(empty / "journal.json", replace(journals[0], entries=entries).to_json())
