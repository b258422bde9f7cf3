"""One checkout and one run in it: root, table, cells, environment, output; read once, by a session or a task."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from diptych import compilers
from diptych.compilers import Compiler
from diptych.config import Config, load
from diptych.credentials import without_secrets
from diptych.matrix import Cell, cells, detect_platform
from diptych.output import Output
from diptych.store import Store
from diptych.timestamps import TimeStamp, time_stamp

_STORE_GIGABYTES = 20


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """A checkout with its table.

    Attributes:
        root: the folder of ``pyproject.toml``.
        config: the table.
        cells: the matrix.
        store: ``.diptych/``.
        env: the process environment, without what could upload.
        output: the place that prints.
    """

    root: Path
    config: Config
    cells: tuple[Cell, ...]
    store: Store
    env: Mapping[str, str]
    output: Output

    @property
    def dist(self) -> Path:
        """Where the packages land."""
        return self.root / "dist"

    @property
    def ci(self) -> bool:
        """Whether this is a CI machine, where a silent fallback or skip would hide a fault."""
        return self.env.get("CI", "").lower() in {"1", "true", "yes"}

    @cached_property
    def time_stamp(self) -> TimeStamp:
        """The time for every archive, and where it is from."""
        return time_stamp(self.root, self.config.source, env=self.env)

    @property
    def epoch(self) -> int:
        """The same, in seconds."""
        return self.time_stamp.epoch

    @property
    def store_limit(self) -> int:
        """DIPTYCH_STORE_LIMIT, in gigabytes: how large the results of stages may get before old ones go."""
        given = self.env.get("DIPTYCH_STORE_LIMIT", "")
        return (int(given) if given.isdigit() else _STORE_GIGABYTES) * 10**9

    @cached_property
    def _compilers(self) -> dict[tuple[str, str | None], Compiler]:
        return {}

    def compiler_of(self, cell: Cell, *, prefix: Path | None = None) -> Compiler:
        """Return the cell's compiler, as :func:`diptych.compilers.of_cell` does; one of the machine is asked once a run.

        Raises:
            MissingToolError, UnsupportedError: as there.
        """
        if cell.compiler.packages:
            return compilers.of_cell(cell, self.env, store=self.store, prefix=prefix)
        key = (cell.compiler.name, cell.settings.floor)
        if key not in self._compilers:
            self._compilers[key] = compilers.of_cell(cell, self.env, store=self.store)
        return self._compilers[key]

    def logs(self, cell: Cell) -> Path:
        """Return the folder with the whole output of the cell's tools."""
        return self.store.root / "logs" / cell.id


def open_workspace(root: Path, *, env: Mapping[str, str], machine: str, output: Output) -> Workspace:
    """Read the table and lay out the matrix; nothing is run or written.

    Raises:
        ConfigError: the table has faults.
        UnsupportedError: this platform does not work yet.
    """
    config = load(root)
    store = Store(
        root=root / ".diptych", waiting=lambda name: output.note(f"another run is at {name}; waiting")
    )
    return Workspace(
        root=root,
        config=config,
        cells=cells(config, platform=detect_platform(sys.platform, machine)),
        store=store,
        env={**without_secrets(env), "HOME": _home(env, store.root / "home")},
        output=output,
    )


def _home(env: Mapping[str, str], spare: Path) -> str:
    """Return the home folder, or the spare one where a user has none that can be written to (containers, services).

    rattler, uv and pip keep their caches below it, and some of them fail when they cannot.
    """
    given = env.get("HOME") or os.path.expanduser("~")  # noqa: PTH111 -- Path.home() raises when there is none
    return given if os.access(given, os.W_OK) else str(spare)
