"""After a relink: would the loader, in the final place and with no variable set, find what the plan intends?"""

from __future__ import annotations

import dataclasses
from pathlib import Path, PurePosixPath

from diptych.binaries import find_binaries
from diptych.closure import Loaded, MappedFiles, RealFiles, closure, this_machine
from diptych.errors import RelinkError


def check_placed(tree: Path, *, prefix: Path, site: PurePosixPath) -> None:
    """Lay the relinked tree, in thought, at ``prefix/site`` and resolve every binary as ld.so will.

    Each needed library has to come from the tree itself, from the prefix, or be found by the system's own search.
    Linux only: other loaders are judged by *verify*, on their own machines.

    Args:
        tree: the relinked tree, laid out as site-packages.
        prefix: an environment like the one that the package will be installed into.
        site: where site-packages is, relative to the prefix.

    Raises:
        RelinkError: a library would not be found, or the tree's own or the prefix's be taken from elsewhere.
    """
    home = prefix / site
    members = {str(home / path.relative_to(tree)): path.read_bytes() for path in find_binaries(tree)}
    world = dataclasses.replace(
        this_machine(environment={}, cwd="/", executable=str(prefix / "bin" / "python")),
        files=MappedFiles(contents=members, below=RealFiles()),
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


def bytes_to_graft(tree: Path, *, prefix: Path) -> int:
    """Return the size of all libraries of the prefix that the tree's binaries bring into a process.

    That is what a repair tool would copy into a wheel: measured before and after a relink, it shows what dropping
    an unused library saves. Linux only.
    """
    world = this_machine(
        environment={"LD_LIBRARY_PATH": str(prefix / "lib")},
        cwd="/",
        executable=str(prefix / "bin" / "python"),
    )
    home = prefix.resolve()
    found = {
        Path(path).resolve()
        for binary in find_binaries(tree)
        for path in closure(binary.resolve(), where=world).paths
    }
    return sum(path.stat().st_size for path in found if path.is_relative_to(home))


def _fault(need: Loaded, prefix: Path) -> str | None:
    wanted_by = need.wanted_by.rpartition("/")[2]
    if need.missing:
        return f"{wanted_by} needs {need.name}, which would not be found"
    provided = (prefix / "lib" / need.name).exists()
    if need.path and provided and not Path(need.path).is_relative_to(prefix):
        return f"{wanted_by} needs {need.name}, which would come from {need.path}, not from the environment"
    return None
