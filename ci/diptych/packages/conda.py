"""From the relinked tree to a ``.conda``, by rattler-build with the project's recipe or a rendered one."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from diptych import process
from diptych.errors import PackageError, ProcessError
from diptych.packages.depends import RunNeeds, Settled
from diptych.packages.neutral import Neutral, local_names
from diptych.packages.repack import RepackJob, repack
from diptych.pythons import match_spec, plain
from diptych.recipes.handed import ELSEWHERE_VARIABLE, LIBRARY_VARIABLE, STAGE_VARIABLE
from diptych.recipes.staged import staged_recipe
from diptych.records import LIBRARY
from diptych.store import discard

# What rattler-build appends to it: output/bld/rattler-build_NAME/host_env_….
_DEEPEST = 140


@dataclass(frozen=True, kw_only=True)
class Library:
    """What goes into the package of a C++ library.

    Attributes:
        name: of the package.
        tree: its files, laid out as below the prefix.
        found: what its binaries say of the run dependencies.
    """

    name: str
    tree: Path
    found: RunNeeds


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
        library: a C++ library that becomes a package of its own; None where the recipe has one output.
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
    library: Library | None = None
    env: Mapping[str, str]
    epoch: int
    log: Path


@dataclass(frozen=True, kw_only=True)
class CondaPackage:
    """A package as made.

    Attributes:
        path: the ``.conda`` file.
        settled: its run dependencies, and where they come from.
        library: the package of its C++ library, if that was to be one of its own.
    """

    path: Path
    settled: Settled
    library: CondaPackage | None = None


def make_conda_package(job: CondaJob, folder: Path) -> CondaPackage:
    """Render the recipe for this Python and pack the tree; the same inputs give the same bytes.

    Args:
        job: the inputs.
        folder: an existing folder; the package is left in it, that of a library in a folder of it.

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
        **({LIBRARY_VARIABLE: str(job.library.tree)} if job.library else {}),
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
    return _finished(json.loads((work / "made.json").read_text(encoding="utf-8")), work, job, folder)


def _finished(made: list[str], work: Path, job: CondaJob, folder: Path) -> CondaPackage:
    """Move the packages out of the work folder and give each its one form."""
    expected = 2 if job.library else 1
    if len(made) != expected:
        raise PackageError(
            f'the recipe "{job.recipe}" gave {len(made)} packages; {expected} expected', details=made
        )
    library = None
    for path in map(Path, made):
        if job.library and path.name.rsplit("-", 2)[0] == job.library.name:
            library = _moved(path, folder / LIBRARY, _repacking(job, work, job.library.found))
    (main,) = (Path(path) for path in made if library is None or Path(path).name != library.path.name)
    package = _moved(main, folder, _repacking(job, work, job.found))
    return replace(package, library=library)


def _moved(made: Path, folder: Path, job: RepackJob) -> CondaPackage:
    folder.mkdir(exist_ok=True)
    package = folder / made.name
    shutil.move(made, package)
    return CondaPackage(path=package, settled=repack(package, job))


def _repacking(job: CondaJob, work: Path, found: RunNeeds) -> RepackJob:
    folders = {
        job.source: "$SOURCE",
        **job.names,
        job.recipe.parent: "$RECIPE_DIR",
        work: "$WORK",
        work / "recipe": "$RECIPE_DIR",
        work / "source": "$SOURCE",
        job.tree: f"${STAGE_VARIABLE}",
        job.elsewhere: f"${ELSEWHERE_VARIABLE}",
        **({job.library.tree: f"${LIBRARY_VARIABLE}"} if job.library else {}),
    }
    resolved = {folder.resolve(): word for folder, word in folders.items()}
    return RepackJob(
        neutral=Neutral(names=local_names({**resolved, **folders}, job.channels), epoch=job.epoch),
        python=job.interpreter,
        tag=f"cpython-{plain(job.python).replace('.', '')}",
        env=job.env,
        log=job.log,
        found=found,
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
