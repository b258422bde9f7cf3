"""Write the workflow, or show how the file differs from it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from diptych import __version__
from diptych.config import Config
from diptych.config.files import read_toml
from diptych.errors import ConfigError
from diptych.fanout.plan import plan, require_machines, shards_needed
from diptych.fanout.runners import platform_named
from diptych.matrix import Platform
from diptych.release.destinations import secrets_of
from diptych.store import write_text
from diptych.workflow.render import WorkflowInputs, action_text, platforms_in, workflow_text

WORKFLOW = Path(".github/workflows/diptych.yml")
ACTION = Path("action.yml")
_MOST_LINES = 40


def texts(config: Config, platforms: tuple[str, ...], here: Platform) -> dict[Path, str]:
    """Return the files that the table asks for, by their path below the checkout.

    Args:
        config: the table.
        platforms: those to build for; none: those that the workflow there now was written for.
        here: the platform when that says none either.

    Raises:
        UnsupportedError: a platform is not known.
        ConfigError: GitHub has no machine for one, or none that keeps a cell's floor.
    """
    names = platforms or _written_for(config.root / WORKFLOW) or (here,)
    jobs = plan(config, tuple(map(platform_named, names)))
    require_machines(jobs)
    own = _is_diptych(config.root)
    install = (
        "python -m pip install '.[build]'"
        if own
        else f"python -m pip install 'diptych[build]=={__version__}'"
    )
    wanted = WorkflowInputs(
        install=install,
        source=(config.source.relative_to(config.root) / "**").as_posix(),
        platforms=names,
        shards=shards_needed(len(jobs)),
        secrets=secrets_of(config.release.channel or ""),
        images=any(job.image for job in jobs),
        sanitizers=any(job.cell.sanitizer for job in jobs),
    )
    return {WORKFLOW: workflow_text(wanted), **({ACTION: action_text()} if own else {})}


def write(root: Path, files: Mapping[Path, str]) -> tuple[Path, ...]:
    """Write what differs.

    Returns:
        The files that were written.

    Raises:
        StoreError: a folder cannot be written.
    """
    stale = tuple(path for path, text in files.items() if _read(root / path) != text)
    for path in stale:
        write_text(root / path, files[path])
    return stale


def check(root: Path, files: Mapping[Path, str]) -> None:
    """Refuse files that are not as the table asks.

    Raises:
        ConfigError: with the difference of each.
    """
    stale = [(path, _read(root / path), text) for path, text in files.items() if _read(root / path) != text]
    if stale:
        lines = [line for path, old, new in stale for line in _difference(path, old, new)]
        cut = [f"… {len(lines) - _MOST_LINES} lines more"] if len(lines) > _MOST_LINES else []
        raise ConfigError(
            f"not as the table asks: {', '.join(str(path) for path, _, _ in stale)}",
            details=[*lines[:_MOST_LINES], *cut],
            hint="run: diptych workflow",
        )


def _difference(path: Path, old: str, new: str) -> list[str]:
    return [
        line.rstrip("\n")
        for line in difflib.unified_diff(
            old.splitlines(), new.splitlines(), f"{path} (now)", f"{path} (by the table)", lineterm="", n=1
        )
    ]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _written_for(path: Path) -> tuple[str, ...]:
    return platforms_in(_read(path))


def _is_diptych(root: Path) -> bool:
    """Tell whether the checkout is Diptych's own, which is installed from where it stands."""
    return bool(read_toml(root / "pyproject.toml").get("project", {}).get("name") == "diptych")
