"""Zig as a C and C++ compiler: two commands, zig-clang and zig-clang++, which call one program with the headers of any glibc.

``zig cc`` is clang, and ``-target x86_64-linux-gnu.2.17`` makes it link against that glibc whatever the machine has
(https://ziglang.org/download/0.6.0/release-notes.html, "Targeting Different glibc Versions").
"""

from __future__ import annotations

import importlib.util
import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from diptych import process
from diptych.config import CompilerSpec
from diptych.errors import MissingToolError, UnsupportedError
from diptych.store import Store
from diptych.wrappers import wrapped

FLOOR = "2_17"
"""The glibc of manylinux2014, which holds where the table has no ``floor``."""

_MACHINES = {
    "linux-64": "x86_64-linux-gnu",
    "linux-aarch64": "aarch64-linux-gnu",
    "linux-ppc64le": "powerpc64le-linux-gnu",
    "linux-riscv64": "riscv64-linux-gnu",
    "linux-s390x": "s390x-linux-gnu",
}
# Without -O, `zig cc` turns UBSan on, with its runtime in every binary, which no other compiler does unasked
# (https://github.com/ziglang/zig/issues/5163); what the build says comes after it and wins.
# What Debian's, Ubuntu's and Fedora's Python say to every extension and Zig refuses goes (sysconfig's LDSHARED and CFLAGS): the calls
# of one library among its own functions, packed relocations, which an older glibc would not know, and LTO in gcc's words.
# Zig answers -dumpmachine with an error, and does not read LIBRARY_PATH as gcc and clang do (seen with 0.17.1).
_SCRIPT = """\
#!/bin/sh
case "$*" in *-dumpmachine) echo {machine}; exit;; esac
for word; do
  shift
  case $word in
    -flto=auto) continue ;;
    -Wl,*Bsymbolic-functions* | -Wl,*pack-relative-relocs*)
      word=$(printf %s "$word" | sed 's/,-z,pack-relative-relocs//g; s/,-Bsymbolic-functions//g')
      [ "$word" != -Wl ] || continue ;;
  esac
  set -- "$@" "$word"
done
IFS=:
for folder in $LIBRARY_PATH; do set -- "$@" "-L$folder"; done
exec {program} {mode} -target {target} -fno-sanitize=undefined "$@"
"""


def commands(
    spec: CompilerSpec, *, platform: str, floor: str | None, store: Store, env: Mapping[str, str]
) -> CompilerSpec:
    """Return the compiler with the two commands that call Zig, which are written if they are not there.

    Args:
        spec: what the table says of it.
        platform: conda's name of the platform.
        floor: the oldest glibc that is to do, such as ``2_17``.
        store: where the commands lie.
        env: the environment; its PATH is searched where PyPI's ``ziglang`` is not installed.

    Raises:
        UnsupportedError: the platform is not Linux.
        MissingToolError: Zig is not there.
    """
    machine = _MACHINES.get(platform)
    if machine is None:
        raise UnsupportedError(
            f'the compiler "{spec.name}" is for Linux, and this is {platform}',
            hint='compiler = ["clang"] is what macOS has',
        )
    target = f"{machine}.{(floor or FLOOR).replace('_', '.')}"
    program = shlex.quote(str(_program(spec, env)))
    scripts = {
        name: _SCRIPT.format(machine=machine, program=program, mode=mode, target=target)
        for name, mode in {"zig-clang": "cc", "zig-clang++": "c++"}.items()
    }
    return wrapped(spec, scripts, store=store)


def _program(spec: CompilerSpec, env: Mapping[str, str]) -> Path:
    """Find Zig: in PyPI's ``ziglang`` beside Diptych, whose version a lock file can hold, or on PATH."""
    found = importlib.util.find_spec("ziglang")
    if found and found.origin and os.access(own := Path(found.origin).with_name("zig"), os.X_OK):
        return own
    if path := process.which("zig", env):
        return path
    raise MissingToolError(
        f'the compiler "{spec.name}" is not there: neither PyPI\'s ziglang beside Diptych nor a program "zig" on PATH',
        hint="pip install ziglang",
    )
