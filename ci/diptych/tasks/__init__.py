"""Floor 5: the invoke tasks, also the ``diptych`` command. A tasks.py needs one line: import ``namespace``."""

from __future__ import annotations

import sys

from invoke.collection import Collection
from invoke.program import Program

from diptych import __version__
from diptych.tasks.channel import channel
from diptych.tasks.clean import clean
from diptych.tasks.doctor import doctor
from diptych.tasks.explain import explain
from diptych.tasks.matrix import matrix
from diptych.tasks.relink import relink
from diptych.tasks.schema import schema
from diptych.tasks.why_tag import why_tag

__all__ = ["main", "namespace"]

namespace = Collection(matrix, channel, clean, doctor, explain, relink, schema, why_tag)


def main() -> None:
    """Run the ``diptych`` command; the same tasks as ``invoke`` in a checkout that has a tasks.py."""
    program = Program(name="diptych", binary="diptych", namespace=namespace, version=__version__)
    program.run(sys.argv)
