"""This machine as a search context."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from pathlib import Path

from diptych.binaries import read_file
from diptych.closure.cache import read_cache
from diptych.closure.context import SearchContext
from diptych.closure.files import RealFiles
from diptych.errors import FormatError

# x86-64 psABI, "Micro-architecture levels", by the names that /proc/cpuinfo uses.
_LEVELS = {
    "x86-64-v2": {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"},
    "x86-64-v3": {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"},
    "x86-64-v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
}
# glibc ``sysdeps/x86/cpu-features.c``: what $PLATFORM and the older subfolders were chosen by.
_HASWELL = {"avx2", "bmi1", "bmi2", "abm", "movbe", "popcnt", "fma"}
_AVX512_1 = {"avx512cd", "avx512bw", "avx512dq", "avx512vl"}
_LAST_WITH_PLATFORMS = (2, 36)
_LIBC = ("/lib/x86_64-linux-gnu/libc.so.6", "/lib64/libc.so.6", "/usr/lib/libc.so.6")


def hwcaps_of(cpuinfo: str, *, glibc: tuple[int, int] | None = None) -> tuple[str, ...]:
    """Return the subfolders that glibc tries first in every folder on an x86-64 CPU, best first.

    They are ``glibc-hwcaps/x86-64-vN`` (ld.so(8), since glibc 2.33) and, up to glibc 2.36, every combination of
    ``tls``, the platform, ``avx512_1`` and ``x86_64``.

    Args:
        cpuinfo: content of ``/proc/cpuinfo``.
        glibc: its version; None: a current one.
    """
    levels = _levels(_flags(cpuinfo))
    if glibc is None or glibc > _LAST_WITH_PLATFORMS:
        return levels
    # The platform is the kernel's AT_PLATFORM, "x86_64", unless glibc knows better: then that word is there twice.
    words = ["tls", platform_of(cpuinfo), "x86_64"]
    if _intel(cpuinfo) and _flags(cpuinfo) >= _AVX512_1:
        words.insert(-1, "avx512_1")
    chosen = itertools.product((True, False), repeat=len(words))
    folders = ("/".join(itertools.compress(words, picks)) for picks in chosen)
    return (*levels, *(folder for folder in folders if folder))


def platform_of(cpuinfo: str) -> str:
    """Return what ``$PLATFORM`` stands for on an x86-64 CPU: ``haswell`` on newer Intel ones.

    glibc 2.37 stopped to look into subfolders of that name; the token kept its value (glibc 2.41 was asked).
    """
    return "haswell" if _intel(cpuinfo) and _flags(cpuinfo) >= _HASWELL else "x86_64"


def _intel(cpuinfo: str) -> bool:
    return "GenuineIntel" in cpuinfo


def _flags(cpuinfo: str) -> set[str]:
    match = re.search(r"^flags\s*:(.*)$", cpuinfo, re.MULTILINE)
    return set(match[1].split()) if match else set()


def _levels(flags: set[str]) -> tuple[str, ...]:
    levels: list[str] = []
    for level, wanted in _LEVELS.items():
        if not wanted <= flags:
            break
        levels.insert(0, f"glibc-hwcaps/{level}")
    return tuple(levels)


def this_machine(
    *,
    environment: Mapping[str, str],
    cwd: str,
    machine: str = "x86_64",
    executable: str | None = None,
    caller: str | None = None,
) -> SearchContext:
    """Return the world of this Linux machine: its files, ld.so.cache and CPU.

    Args:
        environment: the variables of the process to simulate.
        cwd: its working folder.
        machine: machine of the binaries to look at.
        executable: see :class:`~diptych.closure.SearchContext`.
        caller: likewise.

    Raises:
        FormatError: ``/etc/ld.so.cache`` is there but damaged.
    """
    hwcaps: tuple[str, ...] = ()
    platform = None
    if machine == "x86_64":
        cpuinfo, glibc = _content("/proc/cpuinfo").decode(errors="replace"), _glibc_version()
        hwcaps, platform = hwcaps_of(cpuinfo, glibc=glibc), platform_of(cpuinfo)
    cache = _content("/etc/ld.so.cache")
    return SearchContext(
        files=RealFiles(),
        executable=executable,
        caller=caller,
        environment=environment,
        cwd=cwd,
        cache=read_cache(cache, machine=machine, hwcaps=hwcaps) if cache else {},
        hwcaps=hwcaps,
        platform=platform,
    )


def _glibc_version() -> tuple[int, int] | None:
    """Return the newest version that the machine's libc.so.6 defines; None without a glibc."""
    for path in _LIBC:
        if Path(path).exists():
            names = (definition.name for definition in read_file(path)[0].version_definitions)
            found = [re.fullmatch(r"GLIBC_(\d+)\.(\d+)(\.\d+)?", name) for name in names]
            return max(((int(match[1]), int(match[2])) for match in found if match), default=None)
    return None


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise FormatError(f'"{path}" cannot be read: {error.strerror or error}') from error
