"""The invoke tasks, also the ``diptych`` command. A tasks.py needs one line: import ``namespace``."""

from __future__ import annotations

import os
import sys

from invoke.collection import Collection
from invoke.program import Program

from diptych import __version__
from diptych.tasks.cell import cell
from diptych.tasks.channel import channel
from diptych.tasks.clean import clean
from diptych.tasks.collect import collect
from diptych.tasks.compare import compare
from diptych.tasks.doctor import doctor
from diptych.tasks.environment import environment
from diptych.tasks.explain import explain
from diptych.tasks.init import init
from diptych.tasks.matrix import matrix
from diptych.tasks.plan import plan
from diptych.tasks.recipe import recipe
from diptych.tasks.release import release
from diptych.tasks.relink import relink
from diptych.tasks.reproduce import reproduce
from diptych.tasks.schema import schema
from diptych.tasks.why_tag import why_tag
from diptych.tasks.workflow import workflow

__all__ = ["main", "namespace"]

namespace = Collection(
    matrix,
    channel,
    clean,
    compare,
    doctor,
    environment,
    explain,
    init,
    recipe,
    relink,
    release,
    reproduce,
    schema,
    why_tag,
    plan,
    cell,
    collect,
    workflow,
)


def main() -> None:
    """Run the ``diptych`` command; the same tasks as ``invoke`` in a checkout that has a tasks.py."""
    program = Program(name="diptych", binary="diptych", namespace=namespace, version=__version__)
    try:
        program.run(_help_last(sys.argv))
    except BrokenPipeError:
        # The reader (`| head`) has seen enough. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _help_last(argv: list[str]) -> list[str]:
    """Let ``diptych TASK --help`` mean ``diptych --help TASK``: invoke would take it for the task's first word."""
    if len(argv) > 2 and argv[-1] in {"--help", "-h"}:  # noqa: PLR2004 -- program, task, flag
        return [argv[0], "--help", argv[1]]
    return argv
