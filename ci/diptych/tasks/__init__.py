"""The invoke tasks, also the ``diptych`` command. A tasks.py needs one line: import ``namespace``.

Each task is in a module of its name. A command line imports those that it names; only a listing needs all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
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

    attributes = [name.replace("-", "_") for name in names]
    return Collection(*(getattr(import_module(f"{__name__}.{one}"), one) for one in attributes))


def main() -> None:
    """Run the ``diptych`` command; the same tasks as ``invoke`` in a checkout that has a tasks.py."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"diptych {__version__}\n")
        return
    from invoke.program import Program  # noqa: PLC0415 -- as above

    tasks = _collection(wanted(sys.argv[1:]))
    program = Program(name="diptych", binary="diptych", namespace=tasks, version=__version__)
    try:
        program.run(_help_last(sys.argv))
    except BrokenPipeError:
        # The reader (`| head`) has seen enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
