"""Install conda packages as pixi does, through py-rattler, and see what lies in an environment."""

from __future__ import annotations

import asyncio
import subprocess  # noqa: TID251 -- programs of the environment
from pathlib import Path

import rattler

SHORT, LONG = "e", "an-environment-with-a-long-name-" * 4


def install(prefix: Path, specs: list[str], channels: list[str], cache: Path) -> None:
    """Solve and link as pixi does: what is there already is updated or removed."""

    async def run() -> None:
        gateway = rattler.Gateway(cache_dir=cache)
        records = await rattler.solve(
            channels,
            [rattler.MatchSpec(spec) for spec in specs],
            gateway=gateway,
            virtual_packages=rattler.VirtualPackage.detect(),
        )
        await rattler.install(records, prefix, show_progress=False, cache_dir=cache)

    asyncio.run(run())


def files_of(prefix: Path) -> set[str]:
    """Return what lies in a prefix, but for the records of the installer and what Python writes when it runs."""
    return {
        path.relative_to(prefix).as_posix()
        for path in prefix.rglob("*")
        if not path.is_dir() and "conda-meta" not in path.parts
    }


def said_by(*command: Path | str) -> str:
    # Compiled files of the standard library would be left behind where its package brings none.
    env = {"PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, text=True, capture_output=True, check=True, env=env).stdout.strip()
