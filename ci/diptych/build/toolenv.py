"""The environment of compilers and build tools: what is declared, and nothing else of the user's shell."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from diptych.build.sources import version_variables
from diptych.process import composed_path, own_tools, which
from diptych.siblings import inner_prefixes

# What the system needs to work, and what programs show themselves by; no byte of a result depends on it, so it is in no key.
_SYSTEM = frozenset(
    {
        "ALL_PROXY", "CARGO_HOME", "CI", "COLORTERM", "COLUMNS", "CURL_CA_BUNDLE", "DISPLAY", "FORCE_COLOR", "FTP_PROXY", "HOME", "HTTPS_PROXY",
        "HTTP_PROXY", "LANG", "LOGNAME", "NETRC", "NO_COLOR", "NO_PROXY", "PYTEST_ADDOPTS", "REQUESTS_CA_BUNDLE", "RUSTUP_HOME", "SHELL",
        "SSL_CERT_DIR", "SSL_CERT_FILE", "TEMP", "TERM", "TMP", "TMPDIR", "TZ", "USER", "WAYLAND_DISPLAY", "XAUTHORITY",
        "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR",
    }
)  # fmt: skip
# Where packages come from, and where a compiler launcher keeps its cache and how it talks to it.
_SYSTEM_PREFIXES = ("CCACHE_", "GIT_", "LC_", "PIP_", "RATTLER_", "SCCACHE_", "UV_")

# What a person sets on purpose: honoured, and in the key of all that is compiled.
_CHOSEN = frozenset(
    {
        "CCC_OVERRIDE_OPTIONS", "CFLAGS", "CPPFLAGS", "CXXFLAGS", "DEVELOPER_DIR", "LDFLAGS",
        "MACOSX_DEPLOYMENT_TARGET", "SDKROOT", "SOURCE_DATE_EPOCH",
    }
)  # fmt: skip


# Variables by which a shell steers compilers, linkers, CMake, Python and loaders. With one of them set, two machines would
# build two things from one table.
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


def chosen(env: Mapping[str, str]) -> dict[str, str]:
    """Return what a person set on purpose to shape what is compiled: flags, SDK, target, launchers of the compiler."""
    return {name: value for name, value in sorted(env.items()) if name in _CHOSEN or _launcher(name)}


def launches(env: Mapping[str, str]) -> bool:
    """Tell whether a person has set a compiler launcher of their own."""
    return any(map(_launcher, env))


def _launcher(name: str) -> bool:
    # cmake-envvars(7): CMAKE_<LANG>_COMPILER_LAUNCHER and CMAKE_<LANG>_LINKER_LAUNCHER.
    return name.startswith("CMAKE_") and name.endswith("_LAUNCHER")


def _system(env: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in env.items()
        if name.upper() in _SYSTEM or name.startswith(_SYSTEM_PREFIXES)
    }


def system_of(env: Mapping[str, str]) -> dict[str, str]:
    """Return what every stage may see of the process environment: what the system needs, and where programs are found.

    No byte of a result may depend on it. PATH only serves to find git and the interpreters: children get one of their own.
    """
    return {**_system(env), **({"PATH": env["PATH"]} if "PATH" in env else {})}


def admitted(env: Mapping[str, str]) -> dict[str, str]:
    """Return what a compiling stage may see: :func:`system_of`, and what :func:`steering` puts into its key."""
    return {**system_of(env), **steering(env)}


def steering(env: Mapping[str, str]) -> dict[str, str]:
    """Return what shapes what is compiled: :func:`chosen`, and what forces a version on the backend."""
    return {**chosen(env), **version_variables(env)}


def without_steering(env: Mapping[str, str]) -> dict[str, str]:
    """Return a person's own environment for an interactive shell, without what steers builds and loaders."""
    return {name: value for name, value in env.items() if name not in _STEERING}


def declared(
    env: Mapping[str, str], *folders: Path, extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the environment of a child process: what the system needs, a PATH of these folders, and what the table sets.

    Args:
        env: the process environment.
        folders: first on PATH; POSIX's own utilities come after them, and nothing else.
        extra: what the table sets; it wins.
    """
    return {**_system(env), "PATH": composed_path(*folders), **(extra or {})}


def tool_environment(
    env: Mapping[str, str], *, prefix: Path, compiler: Path, extra: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment in which CMake and the compilers run.

    Args:
        env: the process environment; only what the system needs and what :func:`chosen` names is taken from it.
        prefix: the host environment; its programs, headers and libraries come before the system's.
        compiler: the C++ compiler; its folder has the binutils that belong to it.
        extra: what the table sets; it wins.
    """
    prefixes = (prefix, *inner_prefixes(prefix))
    return {
        **declared(env, prefix / "bin", own_tools(), compiler.parent),
        **{name: _launched(value, env) if _launcher(name) else value for name, value in chosen(env).items()},
        # gcc(1) "Environment Variables": searched after -I and -isystem, before the system's own folders.
        "CPLUS_INCLUDE_PATH": _path(prefixes, "include"),
        "C_INCLUDE_PATH": _path(prefixes, "include"),
        "LIBRARY_PATH": _path(prefixes, "lib"),
        "LC_ALL": "C.UTF-8",
        **extra,
    }


def _path(prefixes: Sequence[Path], folder: str) -> str:
    return os.pathsep.join(str(one / folder) for one in prefixes)


def _launched(value: str, env: Mapping[str, str]) -> str:
    """Name a compiler launcher by its path: the PATH on which the person has it is not the build's."""
    program, *words = value.split(";")
    return ";".join([str(which(program, env) or program), *words])
