"""From the relinked tree to a ``.conda``, by rattler-build with the project's recipe or a rendered one."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from diptych import process
from diptych.errors import PackageError, ProcessError
from diptych.packages.bytecode import cache_tag
from diptych.packages.depends import RunNeeds, Settled
from diptych.packages.neutral import Neutral, local_names
from diptych.packages.repack import RepackJob, repack
from diptych.pythons import match_spec
from diptych.recipes.handed import ELSEWHERE_VARIABLE, STAGE_VARIABLE
from diptych.recipes.staged import staged_recipe
from diptych.store import discard

# What rattler-build appends to it: output/bld/rattler-build_NAME/host_env_….
_DEEPEST = 140


@dataclass(frozen=True, kw_only=True)
class CondaJob:
    """The inputs of a conda package.

    Attributes:
        tree: the relinked tree, laid out as site-packages.
        elsewhere: a folder with what goes elsewhere, laid out as below the prefix; it may be empty.
        prefixes: what a file may name as its prefix: the host environment, and what CMake was told.
        recipe: the recipe to render.
        source: the project that the recipe is of.
        python: "3.11".
        interpreter: the host environment's.
        names: folders of this machine that may be named in the package, and the words for them.
        channels: for the build's own host environment.
        platform: conda's name of the platform.
        found: what the binaries say of the run dependencies.
        env: the tools' environment.
        epoch: SOURCE_DATE_EPOCH, seconds.
        log: where rattler-build's output goes.
    """

    tree: Path
    elsewhere: Path
    prefixes: tuple[Path, ...]
    recipe: Path
    source: Path
    python: str
    interpreter: Path
    names: Mapping[Path, str]
    channels: tuple[str, ...]
    platform: str
    found: RunNeeds
    env: Mapping[str, str]
    epoch: int
    log: Path


@dataclass(frozen=True, kw_only=True)
class CondaPackage:
    """A package as made.

    Attributes:
        path: the ``.conda`` file.
        settled: its run dependencies, and where they come from.
    """

    path: Path
    settled: Settled


def make_conda_package(job: CondaJob, folder: Path) -> CondaPackage:
    """Render the recipe for this Python and pack the tree; the same inputs give the same bytes.

    Args:
        job: the inputs.
        folder: an existing folder; the package is left in it.

    Raises:
        PackageError: the recipe is wrong, its requirements have no solution, its run dependencies contradict each other, or
            packing failed.
    """
    with _work_folder(folder) as work:
        return _made_in(work, job, folder)


@contextmanager
def _work_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder for rattler-build, beside the package if that is not too deep.

    The prefix that it builds in is padded to 255 characters (CEP 34, "prefix placeholder"); one that is longer from the
    start makes rattler-build 0.73 panic. A deep checkout therefore builds in the system's temporary folder.
    """
    if len(str(folder)) <= _DEEPEST:
        work = folder / "work"
        work.mkdir()
        yield work
        discard(work)
        return
    with tempfile.TemporaryDirectory(prefix="diptych-conda-") as name:
        yield Path(name).resolve()


def _made_in(work: Path, job: CondaJob, folder: Path) -> CondaPackage:
    more = any(job.elsewhere.iterdir())
    recipe = staged_recipe(job.recipe, source=job.source, folder=work, elsewhere=more)
    order = work / "order.json"
    order.write_text(json.dumps(_order(job, recipe, work)), encoding="utf-8")
    env = {
        **job.env,
        STAGE_VARIABLE: str(job.tree),
        ELSEWHERE_VARIABLE: str(job.elsewhere),
        "SOURCE_DATE_EPOCH": str(job.epoch),
        "RATTLER_BUILD_COLOR": "never",
    }
    try:
        # A process of its own: the library writes to the terminal and reads the environment.
        process.run([sys.executable, "-m", "diptych.packages.rattler", order], env=env, cwd=work, log=job.log)
    except ProcessError as error:
        raise PackageError(
            f'the recipe "{job.recipe}" gave no package for Python {job.python}', details=error.details
        ) from error
    made = json.loads((work / "made.json").read_text(encoding="utf-8"))
    if len(made) != 1:
        raise PackageError(
            f'the recipe "{job.recipe}" gave {len(made)} packages; one is expected', details=made
        )
    package = folder / Path(made[0]).name
    shutil.move(made[0], package)
    return CondaPackage(path=package, settled=repack(package, _repacking(job, work)))


def _repacking(job: CondaJob, work: Path) -> RepackJob:
    folders = {
        job.source: "$SOURCE",
        **job.names,
        job.recipe.parent: "$RECIPE_DIR",
        work: "$WORK",
        work / "recipe": "$RECIPE_DIR",
        work / "source": "$SOURCE",
        job.tree: f"${STAGE_VARIABLE}",
        job.elsewhere: f"${ELSEWHERE_VARIABLE}",
    }
    resolved = {folder.resolve(): word for folder, word in folders.items()}
    return RepackJob(
        neutral=Neutral(names=local_names({**resolved, **folders}, job.channels), epoch=job.epoch),
        python=job.interpreter,
        tag=cache_tag(job.python),
        env=job.env,
        log=job.log,
        found=job.found,
        prefixes=job.prefixes,
    )


def _order(job: CondaJob, recipe: Path, work: Path) -> dict[str, object]:
    return {
        "recipe": str(recipe),
        "variant": {"python": [match_spec(job.python).removeprefix("python ")]},
        "channels": list(job.channels),
        "platform": job.platform,
        "output": str(work / "output"),
        "made": str(work / "made.json"),
    }
