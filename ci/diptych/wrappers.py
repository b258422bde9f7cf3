"""Commands of ours that call a compiler with words of ours: kept by what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from diptych.config import CompilerSpec
from diptych.store import Store, digest


def wrapped(spec: CompilerSpec, scripts: Mapping[str, str], *, store: Store) -> CompilerSpec:
    """Return the compiler with two commands, which are written if they are not there.

    Args:
        spec: what the table says of it.
        scripts: name → text of the command for C, then of that for C++.
        store: where the commands lie.
    """
    folder, _ = store.entry("compilers", digest(scripts), lambda empty: _write(empty, scripts))
    cc, cxx = (str(folder / name) for name in scripts)
    return replace(spec, cc=cc, cxx=cxx)


def _write(folder: Path, scripts: Mapping[str, str]) -> None:
    for name, text in scripts.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
