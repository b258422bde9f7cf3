"""Predict, after a relink, whether the loader finds what the plan intends: in the final place, with no variable set."""

from __future__ import annotations

import dataclasses
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from diptych.binaries import Binary, find_binaries, read_file
from diptych.closure import Loaded, MappedFiles, RealFiles, SearchContext, closure, this_machine
from diptych.errors import RelinkError
from diptych.relink.plan import FilePlan
from diptych.system import is_system_library


def check_placed(tree: Path, *, prefix: Path, home: PurePosixPath) -> None:
    """Lay the relinked tree, in thought, at ``prefix/home`` and resolve every binary as ld.so will.

    Each needed library has to come from the tree itself, from the prefix, or be found by the system's own search.
    Linux only: other loaders are judged by *verify*, on their own machines.

    Args:
        tree: the relinked tree.
        prefix: an environment like the one that the package will be installed into.
        home: where the tree will be, relative to the prefix.

    Raises:
        RelinkError: a library would not be found, or the tree's own or the prefix's be taken from elsewhere.
    """
    place = prefix / home
    members = {str(place / path.relative_to(tree)): path.read_bytes() for path in find_binaries(tree)}
    links = _links_to(members, tree, place)
    world = dataclasses.replace(
        this_machine(environment={}, cwd="/", executable=str(prefix / "bin" / "python")),
        files=MappedFiles(contents={**members, **links}, below=RealFiles()),
    )
    faults = [
        fault
        for name in sorted(members)
        for need in closure(name, where=world).loaded
        if (fault := _fault(need, prefix)) is not None
    ]
    if faults:
        raise RelinkError(
            "the relinked files would not find their libraries in the final place",
            details=list(dict.fromkeys(faults)),
            hint="name the library's package in tool.diptych.host, or let CMake install it beside the module",
        )


def _links_to(members: Mapping[str, bytes], tree: Path, place: Path) -> dict[str, bytes]:
    """Return the tree's links to its own binaries, such as ``libx.so.3``, with what each leads to."""
    root = tree.resolve()
    links = {path: path.resolve() for path in tree.rglob("*") if path.is_symlink()}
    return {
        str(place / path.relative_to(tree)): members[name]
        for path, end in links.items()
        if end.is_relative_to(root) and (name := str(place / end.relative_to(root))) in members
    }


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """What the loader will find once a plan is applied, with no variable set.

    Attributes:
        lost: needed libraries, its own and those of what it brings, that were found before and are not any more.
        missing: libraries that the file itself still needs in vain.
    """

    lost: tuple[str, ...]
    missing: tuple[str, ...]


def prospect(plan: FilePlan, path: Path, target: Path) -> Prediction:
    """Resolve a file as it is, and as the plan will leave it, before anything is touched.

    Args:
        plan: of that file.
        path: where it lies.
        target: where it will lie.

    Raises:
        FormatError: the file is no binary, or damaged.
    """
    binary = read_file(path)[0]
    world = _world(binary)
    before = closure(path, where=world, binary=binary)
    after = closure(target, where=world, binary=plan.applied(binary))
    found = {entry.name for entry in before.loaded if not entry.missing}
    names = {new: old for old, new in plan.rename}
    gone = [names.get(entry.name, entry.name) for entry in after.missing]
    own = [entry.name for entry in after.wanted_by(str(target)) if entry.missing]
    return Prediction(
        lost=tuple(dict.fromkeys(name for name in gone if name in found)),
        missing=tuple(name for name in own if not is_system_library(name, binary.format)),
    )


def _world(binary: Binary) -> SearchContext:
    """The system's own libraries count on the machine that the file is for."""
    if binary.format == "elf" and sys.platform == "linux" and binary.machine == platform.machine():
        return this_machine(environment={}, cwd="/")
    return SearchContext(files=RealFiles(), default_folders=())


def bytes_to_graft(tree: Path, *, prefix: Path, own: tuple[Path, ...] = ()) -> int:
    """Return the size of all libraries of the prefix that the tree's binaries bring into a process.

    That is what a repair tool would copy into a wheel: measured before and after a relink, it shows what dropping
    an unused library saves. Linux only.

    Args:
        tree: before the relink, or after it.
        prefix: the host environment.
        own: folders of the project's own libraries, which are not counted but lead to others.
    """
    world = this_machine(
        environment={"LD_LIBRARY_PATH": ":".join(map(str, (*own, prefix / "lib")))},
        cwd="/",
        executable=str(prefix / "bin" / "python"),
    )
    home = prefix.resolve()
    found = {
        Path(path).resolve()
        for binary in find_binaries(tree)
        for path in closure(binary.resolve(), where=world).paths
    }
    return sum(
        path.stat().st_size
        for path in found
        if path.is_relative_to(home) and not is_system_library(path.name, "elf")
    )


def _fault(need: Loaded, prefix: Path) -> str | None:
    wanted_by = need.wanted_by.rpartition("/")[2]
    if need.missing:
        return f"{wanted_by} needs {need.name}, which would not be found"
    provided = (prefix / "lib" / need.name).exists()
    if need.path and provided and not Path(need.path).is_relative_to(prefix):
        return f"{wanted_by} needs {need.name}, which would come from {need.path}, not from the environment"
    return None
