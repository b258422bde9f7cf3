"""What all tasks share: the process is read here, and errors become text and an exit code here."""

from __future__ import annotations

import functools
import inspect
import os
import platform
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diptych.errors import ConfigError, DiptychError, MissingToolError
from diptych.output import Output
from diptych.store import told_errors

_OF_EXTRA_BUILD = ("build", "nox", "rattler", "rattler_build", "yaml")

if TYPE_CHECKING:
    from invoke.tasks import Task

    from diptych.workspace import Workspace


def surface(*, builds: bool = False, **options: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:  # noqa: ANN401 -- invoke's own options
    """Make a function ready to become a task; an error of ours is shown once and ends with its exit code.

    Args:
        builds: the task needs the extra ``build``.
        options: of :func:`invoke.task`, such as ``help``.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def told(*args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- passed through
            try:
                with told_errors(Path.cwd()):
                    if builds:
                        require_build_extra()
                    function(*args, **kwargs)
            except DiptychError as error:
                process_output().error(error)
                raise SystemExit(error.exit_code) from error

        told.__dict__["options"] = options
        return told

    return decorate


def task_options(function: Callable[..., None]) -> dict[str, Any]:
    """Return what a function's ``surface`` was given for invoke."""
    options: dict[str, Any] = function.__dict__["options"]
    return options


def as_task(function: Callable[..., None]) -> Task[Callable[..., None]]:
    """Make the invoke task. Apart from ``surface``, since to import invoke takes as long as to look at a small wheel."""
    from invoke.tasks import Task, task  # noqa: PLC0415 -- see above

    from diptych.tasks.positional import PositionalTask  # noqa: PLC0415 -- as above

    options = task_options(function)
    klass = PositionalTask if "words" in inspect.signature(function).parameters else Task
    made: Task[Callable[..., None]] = task(klass=klass, **options)(function)
    return made


def require_build_extra() -> None:
    """Refuse a task that makes something when what builds packages is not installed.

    Raises:
        MissingToolError: names what is not there.
    """
    missing = [name for name in _OF_EXTRA_BUILD if find_spec(name) is None]
    if missing:
        raise MissingToolError(
            f"this task builds packages, and {', '.join(missing)} cannot be imported",
            hint="pip install 'diptych[build]'",
        )


def process_env() -> dict[str, str]:
    """Return the process environment: read here, an argument everywhere else."""
    return dict(os.environ)  # noqa: TID251 -- the surface


def process_output(*, aside: bool = False) -> Output:
    """Return the place that prints, for this process; with ``aside``, standard output is left to JSON."""
    return Output(env=process_env(), aside=aside)


def find_root(start: Path) -> Path:
    """Return the nearest folder, from ``start`` upwards, whose ``pyproject.toml`` has our table.

    Raises:
        ConfigError: there is none.
    """
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file() and "[tool.diptych" in file.read_text(encoding="utf-8", errors="replace"):
            return folder
    raise ConfigError(
        f'no pyproject.toml with a [tool.diptych] table in "{start}" or above it',
        hint="go to the checkout, or add the table: see docs/how-to/adopt.md",
    )


def process_workspace(*, aside: bool = False) -> Workspace:
    """Open the workspace around the working folder.

    Args:
        aside: what is told on the way goes to standard error, since the answer is JSON.

    Raises:
        ConfigError: there is no table, or it has faults.
    """
    from diptych.workspace import open_workspace  # noqa: PLC0415 -- the doctor of a file reads no table

    return open_workspace(
        find_root(Path.cwd()),
        env=process_env(),
        machine=platform.machine(),
        output=process_output(aside=aside),
    )
