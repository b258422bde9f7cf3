"""The tools that delocate calls by Apple's names, where there are only LLVM's: macOS wheels repaired on Linux."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from diptych import process
from diptych.distributions import how_to_install
from diptych.errors import MissingToolError

_LLVM = {"otool": "llvm-otool", "install_name_tool": "llvm-install-name-tool", "lipo": "llvm-lipo"}


def mach_o_tools(folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Return ``env`` with a PATH on which otool, install_name_tool, lipo and codesign are found.

    On macOS these are the system's, and ``env`` comes back as it is. Elsewhere stand-ins are written into ``folder``:
    LLVM's tools under Apple's names (its otool does not know ``-m``, which delocate passes to keep archive syntax
    out of file names), and a codesign that checks instead of signing: LLVM's install_name_tool has renewed the ad-hoc
    signature of what it edits, so there is nothing left to do but to see that every page hash agrees.

    Args:
        folder: an existing folder for the stand-ins.
        env: the environment to extend.

    Raises:
        MissingToolError: one of LLVM's tools is not on this machine.
    """
    if all(process.which(name, env) for name in (*_LLVM, "codesign")):
        return dict(env)
    for name, llvm in _LLVM.items():
        tool = shlex.quote(_find(llvm, env))
        drop = 'for word do shift; [ "$word" = -m ] || set -- "$@" "$word"; done\n' if name == "otool" else ""
        _write(folder / name, f'{drop}exec {tool} "$@"\n')
    python = f"PYTHONPATH={shlex.quote(str(Path(__file__).parents[2]))} exec {shlex.quote(sys.executable)}"
    _write(folder / "codesign", f'{python} -m diptych.packages.codesign "$@"\n')
    return {**env, "PATH": os.pathsep.join([str(folder), env.get("PATH", os.defpath)])}


def _find(name: str, env: Mapping[str, str]) -> str:
    found = process.which_versioned(name, env)
    if found is None:
        raise MissingToolError(f'"{name}" was not found: it edits Mach-O files', hint=how_to_install("llvm"))
    return str(found)


def _write(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
    path.chmod(0o755)
