"""What the compile stage is given, by whichever builder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from diptych.compilers import Compiler
from diptych.config import Config
from diptych.environments import Environment
from diptych.matrix import Cell
from diptych.store import Store

LONGER = "something waits for ever, or tool.diptych.build-limit has to be longer"
"""The next step where a limit of time has ended a build."""


@dataclass(frozen=True, kw_only=True)
class CompileJob:
    """The inputs of the compile stage.

    Attributes:
        cell: which entry of the matrix.
        config: the table.
        environment: the host environment.
        compiler: the cell's compiler, as found.
        store: where results go.
        env: the process environment.
    """

    cell: Cell
    config: Config
    environment: Environment
    compiler: Compiler
    store: Store
    env: Mapping[str, str]


def compile_log(store: Store, cell: Cell) -> Path:
    """Return where the whole output of the cell's last compile is."""
    return store.root / "logs" / cell.id / "compile.log"
