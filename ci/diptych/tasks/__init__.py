"""The invoke tasks, also the ``diptych`` command. A tasks.py needs one line: import ``namespace``.

Each task is in a module of its name. A command line imports those that it names; only a listing needs all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from diptych import __version__

if TYPE_CHECKING:
    from invoke.collection import Collection

NAMES = (
    "matrix",
    "channel",
    "clean",
    "compare",
    "doctor",
    "environment",
    "explain",
    "init",
    "recipe",
    "relink",
    "release",
    "reproduce",
    "sanitizers",
    "schema",
    "why-rebuilt",
    "why-tag",
    "plan",
    "cell",
    "collect",
    "workflow",
)


def __getattr__(name: str) -> Collection:
    """Make ``namespace``, the collection of all tasks, when it is asked for (PEP 562)."""
    if name == "namespace":
        return _collection(NAMES)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _collection(names: Iterable[str]) -> Collection:
    from invoke.collection import Collection  # noqa: PLC0415 -- 60 ms that --version does not need

    from diptych.tasks.surface import as_task  # noqa: PLC0415 -- as above

    return Collection(*(as_task(_function(name)) for name in names))


def _function(name: str) -> Callable[..., None]:
    """Return a task's function, of the module of its name."""
    attribute = name.replace("-", "_")
    function: Callable[..., None] = getattr(import_module(f"{__name__}.{attribute}"), attribute)
    return function


def main() -> None:
    """Run the ``diptych`` command; the same tasks as ``invoke`` in a checkout that has a tasks.py."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"diptych {__version__}\n")
        return
    try:
        _run(sys.argv)
    except KeyboardInterrupt:
        sys.exit(1)  # as invoke does
    except BrokenPipeError:
        # The reader (`| head`) has seen enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(argv: list[str]) -> None:
    """Run a plain command line as it is, any other with invoke."""
    if len(argv) > 1 and argv[1] in NAMES:
        from diptych.tasks.plain import plain_arguments  # noqa: PLC0415 -- --version needs nothing

        function = _function(argv[1])
        arguments = plain_arguments(function, argv[2:])
        if arguments is not None:
            function(None, **arguments)
            return
    from diptych.tasks.program import Command  # noqa: PLC0415 -- as above

    tasks = _collection(wanted(argv[1:]))
    program = Command(name="diptych", binary="diptych", namespace=tasks, version=__version__)
    program.run(_help_last(argv))


def wanted(words: Sequence[str]) -> tuple[str, ...]:
    """Return the tasks that a command line names; all of them when its first word, but for flags, is none."""
    named = [word for word in words if not word.startswith("-")]
    if not named or named[0] not in NAMES:
        return NAMES
    return tuple(dict.fromkeys(word for word in named if word in NAMES))


def _help_last(argv: list[str]) -> list[str]:
    """Let ``diptych TASK --help`` mean ``diptych --help TASK``: invoke would take it for the task's first word."""
    if len(argv) > 2 and argv[-1] in {"--help", "-h"}:  # noqa: PLR2004 -- program, task, flag
        return [argv[0], "--help", argv[1]]
    return argv
