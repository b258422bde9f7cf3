"""Clang with libc++ instead of libstdc++, on Linux: two commands that link it statically and keep its names to themselves.

No Linux system has libc++ by itself, and a wheel or conda package that needs the shared one would have to bring it. The Clang manual says what
``-stdlib=libc++`` and ``-static-libstdc++`` do; ld(1) ``--exclude-libs``.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from diptych import process
from diptych.config import CompilerSpec
from diptych.distributions import how_to_install
from diptych.errors import MissingToolError, UnsupportedError
from diptych.store import Store
from diptych.wrappers import wrapped

_FLAGS = {
    "clang": "",
    # Compiling uses no flag of the linker, and a build with -Werror may not hear of it.
    "clang++": "--start-no-unused-arguments -stdlib=libc++ -static-libstdc++ "
    "-Wl,--exclude-libs,libc++.a:libc++abi.a --end-no-unused-arguments ",
}


def commands(spec: CompilerSpec, *, platform: str, store: Store, env: Mapping[str, str]) -> CompilerSpec:
    """Return the compiler with the two commands that call Clang, which are written if they are not there.

    Args:
        spec: what the table says of it.
        platform: conda's name of the platform.
        store: where the commands lie.
        env: the environment; its PATH is searched.

    Raises:
        UnsupportedError: the platform is not Linux.
        MissingToolError: Clang is not there.
    """
    if not platform.startswith("linux"):
        raise UnsupportedError(
            f'the compiler "{spec.name}" is for Linux, and this is {platform}',
            hint='compiler = ["clang"] has libc++ on macOS',
        )
    scripts = {
        f"{name.replace('clang', 'clang-libcxx')}": f'#!/bin/sh\nexec {shlex.quote(str(_program(spec, name, env)))} {flags}"$@"\n'
        for name, flags in _FLAGS.items()
    }
    return wrapped(spec, scripts, store=store)


def _program(spec: CompilerSpec, name: str, env: Mapping[str, str]) -> Path:
    if path := process.which(name, env):
        return path
    raise MissingToolError(
        f'the compiler "{spec.name}" is not there: no program "{name}" on PATH',
        hint=f"{how_to_install('clang++')}, then {how_to_install('libc++')}",
    )
