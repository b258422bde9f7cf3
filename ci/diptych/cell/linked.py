"""The libraries that a cell's binaries will be linked with, as far as that is known before anything is compiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from diptych.cell.makers import libraries_alone
from diptych.environments import Environment
from diptych.matrix import Cell
from diptych.packages.specs import name_of


def libraries_of(environment: Environment, owners: Mapping[str, str]) -> dict[str, list[Path]]:
    """Map each package of a Linux host environment to its shared libraries, links left out.

    Args:
        environment: the environment.
        owners: its files, as :meth:`diptych.environments.Environment.owners` has them.
    """
    found: dict[str, list[Path]] = {}
    for file, package in sorted(owners.items()):
        if file.startswith("lib/lib") and file.count("/") == 1 and ".so" in file:
            path = environment.prefix / file
            if path.is_file() and not path.is_symlink():
                found.setdefault(package, []).append(path)
    return found


def packages_to_link(cell: Cell, environment: Environment, owners: Mapping[str, str]) -> Iterator[str]:
    """Yield the packages of libraries that the table's ``host`` names, or whose development package it names.

    Args:
        cell: for its ``host``.
        environment: the environment.
        owners: its files.
    """
    alone = libraries_alone(owners)
    others = {package for file, package in owners.items() if file.startswith(("bin/", "lib/python"))}
    depends = environment.depends
    named = [name_of(spec) for spec in cell.settings.host]
    behind = [other for name in named if name not in others for other in depends.get(name, ())]
    yield from (name for name in dict.fromkeys((*named, *behind)) if name in alone)
