"""``diptych recipe``: a recipe for conda-forge, which builds the project without Diptych."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from diptych.config import Config
from diptych.config.buildsystem import build_system_of
from diptych.errors import ConfigError, PackageError
from diptych.inputs import part
from diptych.matrix import Cell, with_packages
from diptych.packages.standalone import Archive
from diptych.records import OUTSIDE, read_record
from diptych.store import sha256_file
from diptych.tasks.surface import process_workspace, surface
from diptych.workspace import Workspace

if TYPE_CHECKING:
    from invoke.context import Context

    from diptych.packages.standalone_outputs import Installs


@surface(
    builds=True,
    help={
        "sdist": "the source distribution as it was uploaded; default: the one that a release of this checkout has",
        "url": "where it can be fetched; default: its place on PyPI",
        "maintainer": "a name on GitHub, for recipe-maintainers; repeatable",
    },
    iterable=["maintainer"],
)
def recipe(_context: Context, maintainer: list[str], sdist: str = "", url: str = "") -> None:
    """Print a recipe.yaml for conda-forge's staged-recipes, and say what a reviewer would ask for."""
    from diptych.packages.lint import lint  # noqa: PLC0415 -- not for --list
    from diptych.packages.metadata import prepare_metadata  # noqa: PLC0415 -- as above
    from diptych.packages.rattler import check_recipe  # noqa: PLC0415 -- as above
    from diptych.packages.recipe import RecipeFacts, RecipeSettings, to_yaml  # noqa: PLC0415 -- as above
    from diptych.packages.standalone import standalone_recipe  # noqa: PLC0415 -- as above
    from diptych.packages.standalone_outputs import standalone_cmake, standalone_outputs  # noqa: PLC0415 -- as above

    workspace = process_workspace(aside=True)
    config: Config = workspace.config
    metadata = prepare_metadata(config.source, store=workspace.store, env=workspace.env)
    cell = with_packages(workspace.cells)[-1]
    facts = RecipeFacts(
        python=cell.python,
        platform=cell.platform,
        settings=part(RecipeSettings, cell.settings),
        metadata=metadata,
        source=config.source,
        package=config.package,
    )
    archive = _archive(workspace, sdist, url)
    if config.split or not build_system_of(config.source):
        installs, libraries = _installs(workspace, cell)
        render = standalone_outputs if config.split else standalone_cmake
        values = render(replace(facts, libraries=libraries), archive, installs, tuple(maintainer))
    else:
        values = standalone_recipe(facts, archive, tuple(maintainer))
    text = to_yaml(values)
    if fault := check_recipe(text):
        raise PackageError(
            "rattler-build cannot read the recipe that follows from table and metadata", details=[fault]
        )
    for word in lint(values):
        workspace.output.note(word)
    schema = "# yaml-language-server: $schema=https://raw.githubusercontent.com/prefix-dev/recipe-format/main/schema.json"
    workspace.output.raw(f"{schema}\n{text}")


def _installs(workspace: Workspace, cell: Cell) -> tuple[Installs, tuple[str, ...]]:
    """Return what CMake is told and what it installs, and the names of the libraries: that is known once the cell was built.

    Raises:
        ConfigError: it is not built.
    """
    from diptych.packages.exports import shared_names  # noqa: PLC0415 -- as above
    from diptych.packages.standalone_outputs import Installs  # noqa: PLC0415 -- as above

    record = read_record(workspace.store, cell.id)
    if record is None or OUTSIDE not in record.provenance:
        raise ConfigError(
            f"where CMake installs what is known from a build of {cell.id}, and there is none",
            hint=f'run: nox -s "build-{cell.python}({cell.compiler.name})"',
        )
    settings = cell.settings
    installs = Installs(
        build_type=settings.build_type,
        arguments=settings.cmake_args,
        files=tuple(map(str, record.provenance[OUTSIDE])),
    )
    return installs, shared_names(record.stage)


def _archive(workspace: Workspace, given: str, url: str) -> Archive:
    from diptych.packages.sdist import make_sdist  # noqa: PLC0415 -- as above
    from diptych.release.checkout import check_backend  # noqa: PLC0415 -- as above

    if given and not Path(given).is_file():
        raise ConfigError(f'"{given}" is no file', hint="name the .tar.gz that was uploaded")
    if not given and (fault := check_backend(workspace.config.source, workspace.cells).fault):
        raise ConfigError(
            "the source distribution would hold no C++",
            details=[fault],
            hint="name an archive that does: --sdist FILE",
        )
    path = (
        Path(given)
        if given
        else make_sdist(
            workspace.config.source, store=workspace.store, env=workspace.env, epoch=workspace.epoch
        ).path
    )
    return Archive(filename=path.name, sha256=sha256_file(path), url=url)
