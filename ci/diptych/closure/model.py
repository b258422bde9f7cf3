"""The parts of a closure: the loaded binaries, and how each need was met."""

from __future__ import annotations

import enum
from collections.abc import Hashable
from dataclasses import dataclass

from diptych.binaries import Binary
from diptych.errors import FormatError

_MAX_ATTEMPTS = 1 << 19


class Found(enum.Enum):
    """Why a library was found where it was found."""

    RPATH = "rpath"
    """DT_RPATH of the object that wants it, or of one of its loaders; LC_RPATH on macOS."""
    LD_LIBRARY_PATH = "LD_LIBRARY_PATH"
    DYLD_LIBRARY_PATH = "DYLD_LIBRARY_PATH"
    RUNPATH = "runpath"
    """DT_RUNPATH of the object that wants it."""
    CACHE = "ld.so.cache"
    DEFAULT = "default"
    """A default folder of the loader, or DYLD_FALLBACK_LIBRARY_PATH."""
    PATH = "path"
    """The name is itself a path."""
    ALREADY_LOADED = "already loaded"
    """Satisfied by what the process has, by name, SONAME, install name, or because it is the same file."""
    SYSTEM = "system"
    """Provided by the system without a file: macOS's shared cache."""
    NOT_FOUND = "not found"
    DAMAGED = "damaged"
    """The search ends at a file that the loader refuses, with an error."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """One place that was looked at before the library was found.

    Attributes:
        path: the file.
        by: what led there.
        outcome: ``absent``, ``found``, ``of another machine (aarch64)``, or what is wrong with it.
    """

    path: str
    by: Found
    outcome: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """How one need of one binary was met.

    Attributes:
        name: the name asked for, as it stands in the binary (or in LD_PRELOAD).
        path: the file, absolute, spelled as the loader spells it; None for NOT_FOUND and SYSTEM.
        wanted_by: path of the binary that asks, or the variable's name.
        found_by: the reason.
        searched: the places tried, in order.
        optional: the loader goes on without it (a weak dylib, LD_PRELOAD).
        binary: its facts, when there is a file.
    """

    name: str
    path: str | None
    wanted_by: str
    found_by: Found
    searched: tuple[Tried, ...] = ()
    optional: bool = False
    binary: Binary | None = None

    @property
    def missing(self) -> bool:
        """Whether the loader gives up here."""
        return self.found_by in {Found.NOT_FOUND, Found.DAMAGED} and not self.optional


@dataclass(frozen=True, kw_only=True)
class Closure:
    """All that loading one binary brings into the process.

    Attributes:
        root: the binary.
        loaded: one entry for every need of every binary newly loaded, in the loader's order.
        before: the same for the executable that was running already.
    """

    root: str
    loaded: tuple[Loaded, ...]
    before: tuple[Loaded, ...] = ()

    @property
    def missing(self) -> tuple[Loaded, ...]:
        """The needs at which the loader would give up."""
        return tuple(entry for entry in self.loaded if entry.missing)

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that the binary is loaded with, in load order, without itself."""
        found = (entry.path for entry in self.loaded if entry.path is not None and not entry.missing)
        return tuple(dict.fromkeys(path for path in found if path != self.root))

    def wanted_by(self, path: str) -> tuple[Loaded, ...]:
        """Return the needs of one binary, in order."""
        return tuple(entry for entry in self.loaded if entry.wanted_by == path)


@dataclass(kw_only=True, eq=False)
class LoadedObject:
    """A binary in the simulated process (glibc's ``link_map``, dyld's ``Loader``).

    Attributes:
        path: where it was found.
        binary: its facts.
        identity: what makes it the same file as another path.
        loader: who caused it to be loaded.
        names: the names under which it was asked for.
        origin: the folder that ``$ORIGIN`` or ``@loader_path`` stands for.
    """

    path: str
    binary: Binary
    identity: Hashable
    loader: LoadedObject | None
    names: set[str]
    origin: str


def counted(attempts: int, wanting: LoadedObject) -> int:
    """Return one attempt more.

    Raises:
        FormatError: more than any real process needs: thousands of names times thousands of folders.
    """
    if attempts >= _MAX_ATTEMPTS:
        raise FormatError(f'"{wanting.path}" is hostile: the search for what it needs has no end')
    return attempts + 1
