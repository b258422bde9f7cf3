"""Build all that is released of a cell in a copy of a checkout; a child process of :mod:`diptych.reproduce.run`.

It reads one order, a JSON file named on its command line, and its environment.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from diptych import matrix
from diptych.cell import hosts
from diptych.cell.makers import conda_of, wheel_of
from diptych.cell.packing import packings
from diptych.cell.stages import stage_of
from diptych.errors import DiptychError
from diptych.output import Output
from diptych.packages.metadata import prepare_metadata
from diptych.packages.sdist import make_sdist
from diptych.records import CondaPackages
from diptych.store import write_json
from diptych.workspace import open_workspace


def rebuild(order: dict[str, Any], env: dict[str, str]) -> dict[str, str]:
    """Compile and pack; nothing is tested or published.

    Args:
        order: ``root``, ``cell``, ``prefix`` and ``machine``.
        env: the process environment.

    Returns:
        The paths of "wheel", "sdist" and "conda", and of "library" where the C++ library has a package of its own.

    Raises:
        DiptychError: of the kind of the stage that failed.
    """
    workspace = open_workspace(Path(order["root"]), env=env, machine=order["machine"], output=Output(env=env))
    cell = matrix.find(workspace.cells, order["cell"])
    environment = hosts.ensure(workspace, cell, Path(order["prefix"]))
    wheel, conda = packings(
        workspace,
        cell,
        environment=environment,
        stage=stage_of(workspace, cell, environment),
        metadata=prepare_metadata(workspace.config.source, store=workspace.store, env=workspace.env),
    )
    sdist = make_sdist(
        workspace.config.source, store=workspace.store, env=workspace.env, epoch=workspace.epoch
    )
    packages = CondaPackages.kept(conda_of(conda).artefact.path)
    return {
        "wheel": str(wheel_of(wheel).artefact.path),
        "sdist": str(sdist.path),
        "conda": str(packages.main),
        **({"library": str(packages.library)} if packages.library else {}),
    }


def main(argv: list[str]) -> int:
    """Run the order and leave the paths where it says."""
    order = json.loads(Path(argv[1]).read_text(encoding="utf-8"))
    os.umask(order["umask"])
    try:
        made = rebuild(order, dict(os.environ))  # noqa: TID251 -- a program of its own: this is its surface
    except DiptychError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    write_json(Path(order["made"]), made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
