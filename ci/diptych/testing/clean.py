"""Install a package with what it needs into a clean environment, as its users do."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from diptych import process
from diptych.build.pip import install, make_venv
from diptych.build.toolenv import declared
from diptych.environments import HostRequest, create
from diptych.errors import PackageError, ProcessError
from diptych.packages.channel_folder import index_folder
from diptych.records import CondaPackages


def wheel_prefix(
    wheel: Path, scratch: Path, *, python: Path, env: Mapping[str, str], log: Path, also: Sequence[str] = ()
) -> Path:
    """Make a plain virtual environment below ``scratch`` with the wheel and ``also``; return its folder.

    Args:
        wheel: the wheel.
        scratch: an existing folder.
        python: the interpreter that the environment borrows from.
        env: the process environment; what steers builds and loaders is left out.
        log: where uv's or pip's words go.
        also: further requirements.

    Raises:
        PackageError: it cannot be installed.
    """
    prefix = scratch / "venv"
    clean = declared(env, process.own_tools())
    try:
        interpreter = make_venv(python, prefix, env=clean, log=log)
        install(interpreter, [wheel, *also], env=clean, log=log)
    except ProcessError as error:
        raise PackageError(f"{wheel.name} cannot be installed", details=error.details) from error
    return prefix


def conda_prefix(
    packages: CondaPackages,
    scratch: Path,
    *,
    python: str,
    platform: str,
    channels: Sequence[str],
    env: Mapping[str, str],
    also: Sequence[str] = (),
) -> Path:
    """Make a conda environment below ``scratch`` with the packages and ``also``; return its folder.

    The main one is asked for by exact name, version and build, from a channel that holds just these, then the others.

    Args:
        packages: those of a cell.
        scratch: an existing folder.
        python: such as ``3.11``.
        platform: conda's name of it.
        channels: where dependencies come from.
        env: the process environment.
        also: further match specs.

    Raises:
        HostEnvironmentError: there is no solution, or a dependency cannot be fetched.
    """
    channel = scratch / "channel"
    target = channel / platform
    target.mkdir(parents=True)
    (channel / "noarch").mkdir()
    for one in packages.files:
        shutil.copy2(one, target)
    index_folder(channel)
    name, version, build = packages.main.name.removesuffix(".conda").rsplit("-", 2)
    request = HostRequest(
        python=python,
        specs=(f"{name} =={version} {build}", *also),
        channels=(channel.as_uri(), *channels),
    )
    prefix = scratch / "prefix"
    create(request, prefix, env=env)
    return prefix
