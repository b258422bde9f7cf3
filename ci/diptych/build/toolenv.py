"""The environment of compilers and build tools: the host environment's, and nothing of the user's shell."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from diptych.process import path_with_tools

# Variables that steer compilers, linkers, CMake, Python and loaders from a user's shell. With one of them
# set, two machines would build two things from one table.
_STEERING = frozenset(
    {
        "ARCHFLAGS", "CC", "CFLAGS", "CMAKE_ARGS", "CMAKE_GENERATOR", "CMAKE_INCLUDE_PATH", "CMAKE_LIBRARY_PATH",
        "CMAKE_PREFIX_PATH", "CMAKE_TOOLCHAIN_FILE", "CONDA_DEFAULT_ENV", "CONDA_PREFIX", "CPATH", "CPLUS_INCLUDE_PATH",
        "CPPFLAGS", "CXX", "CXXFLAGS", "C_INCLUDE_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES",
        "DYLD_LIBRARY_PATH", "LDFLAGS", "LD_LIBRARY_PATH", "LD_PRELOAD", "LIBRARY_PATH", "MAKEFLAGS",
        "NINJAFLAGS", "PKG_CONFIG_PATH", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "VIRTUAL_ENV",
        "BOOST_ROOT", "Boost_ROOT", "Eigen3_ROOT", "Python_ROOT", "Python3_ROOT",
    }
)  # fmt: skip


def scrubbed(env: Mapping[str, str]) -> dict[str, str]:
    """Return ``env`` without what steers builds and loaders; for verify and every tool."""
    return {name: value for name, value in env.items() if name not in _STEERING}


def tool_environment(env: Mapping[str, str], *, prefix: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which CMake and the compilers run.

    Args:
        env: the process environment.
        prefix: the host environment; its programs, headers and libraries come before the system's.
        extra: what the table sets; it wins.
    """
    tools = os.pathsep.join([str(prefix / "bin"), path_with_tools(env)])
    return {
        **scrubbed(env),
        "PATH": tools,
        # gcc(1) "Environment Variables": searched after -I and -isystem, before the system's own folders.
        "CPLUS_INCLUDE_PATH": str(prefix / "include"),
        "C_INCLUDE_PATH": str(prefix / "include"),
        "LIBRARY_PATH": str(prefix / "lib"),
        "LC_ALL": "C.UTF-8",
        **extra,
    }
