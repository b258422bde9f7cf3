"""The two packaging stages of a cell, each one entry of the store: relink, pack, and the journal beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from diptych.build.layout import INSTALL_PREFIX
from diptych.build.stage import Stage
from diptych.build.toolenv import declared
from diptych.cell.beside import required_siblings, shared_siblings
from diptych.cell.packing import CondaPacking, Packing, WheelPacking
from diptych.environments import Environment
from diptych.errors import LinkageError, PackageError
from diptych.inputs import inputs_of, made_once
from diptych.packages.conda import CondaJob, Library, make_conda_package
from diptych.packages.depends import RunNeeds
from diptych.packages.elsewhere import check_elsewhere, copy_without, into_prefix, left_out, with_files
from diptych.packages.exports import shared_names
from diptych.packages.metadata import place_metadata
from diptych.packages.needs import needs_of
from diptych.packages.outputs import lay_apart, library_name, split_recipe
from diptych.packages.prefixes import naming
from diptych.packages.recipe import RecipeFacts, recipe, write_recipe
from diptych.packages.wheel import WheelJob, make_wheel
from diptych.process import own_tools
from diptych.pythons import abi_tag, interpreter_tag, is_free_threaded, stable_abi_tag
from diptych.records import Artefact
from diptych.relink import Journal, TreePlan, relink_tree
from diptych.relink.placed import bytes_to_graft, check_placed
from diptych.relink.planners import Tree, plan_for_conda, plan_for_wheel, read_tree
from diptych.store import discard, write_json

_RECIPE, _ELSEWHERE, _LIBRARY_TREE = "recipe", "elsewhere", "library-tree"
_DATA = "data"
_STABLE = re.compile(r"cp3(\d+)-abi3(\.abi3t)?")
_PROGRAMS = PurePosixPath("bin")
_LIBRARY = re.compile(r"lib/[^/]+(\.so(\.[\d.]+)?|\.dylib)")


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
    def bound(self) -> tuple[str, ...]:
        """The files that name the host environment, and will name it wherever they are installed."""
        return tuple(self.journal.get("bound", ()))

    @property
    def unneeded(self) -> tuple[str, ...]:
        """The run dependencies that were left out because nothing needs them, with where they came from."""
        dropped = self.journal.get("run", {}).get("dropped", ())
        return tuple(f"{need['spec']} ({need['source']})" for need in dropped)


def wheel_of(job: WheelPacking) -> Packed:
    """Relink for a wheel, graft and tag.

    Raises:
        RelinkError, PackageError: as the stages say.
    """

    def make(empty: Path) -> None:
        stage = job.stage
        check_elsewhere(stage.extra)
        kept = (stage.site, _PROGRAMS) if stage.whole_prefix else (stage.site,)
        kept_apart = required_siblings(
            job.metadata, job.environment, python=job.python, platform=job.platform
        )
        stage_tree = _tree(job)
        linked = stage_tree.sharing(kept_apart)
        siblings = shared_siblings(job, stage_tree, kept=kept, env=_env(job), log=_log(job, "siblings.log"))
        shared = {name: stage.site / place for one in siblings for name, place in one.libraries.items()}
        tree, journal = _relinked(job, empty, plan_for_wheel(linked, kept=kept, shared=shared))
        cost = None if siblings else _graft_cost(job, tree)
        wheel = make_wheel(
            WheelJob(
                tree=tree / stage.site,
                extra=with_files(stage.extra, tree, job.wheel_include, empty / _DATA, kept=kept),
                programs=tree / _PROGRAMS if stage.whole_prefix else None,
                metadata=job.metadata,
                tag=_wheel_tag(job),
                platform=job.platform,
                environment=job.environment,
                own=(tree / "lib",) if stage.whole_prefix else (),
                libraries=linked.libraries,
                exclude=(*job.exclude_libraries, *sorted(kept_apart), *shared),
                requires=tuple(one.requirement for one in siblings),
                env=_env(job),
                epoch=job.epoch,
                log=_log(job, "wheel.log"),
            ),
            empty,
        )
        left = left_out(wheel, tree, kept=kept)
        bound = [name for place in kept for name, _ in naming(tree / place, _prefixes(job))]
        _finish(empty, tree, {**journal.to_json(), "graft": cost, "left out": left, "bound": bound})

    return _packed(job, "wheel", "*.whl", make)


def conda_of(job: CondaPacking) -> Packed:
    """Relink for a conda package and pack with the project's recipe, or a rendered one.

    Raises:
        RelinkError, PackageError: as the stages say.
        LinkageError: the package links a library that none of its run dependencies brings.
        PackageError: likewise, and a file of the package is one of another package too.
    """

    def make(empty: Path) -> None:
        stage, prefix = job.stage, job.environment.prefix
        check_elsewhere(stage.extra)
        home = PurePosixPath() if stage.whole_prefix else job.site_packages
        tree, journal = _relinked(job, empty, plan_for_conda(_tree(job), home=home))
        if job.platform.startswith("linux"):
            check_placed(tree, prefix=prefix, home=home)
        relinked = read_tree(tree, prefix=prefix)
        place_metadata(job.metadata, tree / stage.site)
        order = _conda_job(job, empty, relinked)
        check_clobbering(order, job.site_packages, job.environment.owners, own=_facts(job).name)
        made = make_conda_package(order, empty)
        for name in (_RECIPE, _ELSEWHERE, _LIBRARY_TREE):
            discard(empty / name)
        python, library = relinked.split((stage.site,))
        check_run_dependencies(made.path, python if made.library else relinked, job.environment)
        if made.library:
            check_run_dependencies(made.library.path, library, job.environment)
        bound = [name for name, is_binary in naming(tree, [prefix]) if is_binary]
        more = {"library run": made.library.settled.to_json()} if made.library else {}
        _finish(empty, tree, {**journal.to_json(), "run": made.settled.to_json(), **more, "bound": bound})

    return _packed(job, "conda", "*.conda", make)


def stable_floor(stage: Stage, python: str) -> str:
    """Return the oldest Python that a stage of the stable ABI serves, such as ``3.10``; empty when it is for one Python.

    The backend's wheel says so; CMake alone does not, and then it is the cell's own.
    """
    if not stage.stable or is_free_threaded(python):
        return ""
    found = _STABLE.fullmatch(stage.tag)
    if found:
        return f"3.{found[1]}"
    return "" if stage.tag else python


def _wheel_tag(job: Packing) -> str:
    """Return interpreter and ABI tag: those of the backend, or the cell's own."""
    return job.stage.tag or own_tag(job.stage, job.python)


def own_tag(stage: Stage, python: str) -> str:
    """Return interpreter and ABI tag of a stage that no backend has tagged: CMake's modules say by their names what they are."""
    free = is_free_threaded(python) and any(name.endswith(".abi3t.so") for name in stage.files)
    stable = stage.stable and (free or stable_floor(stage, python))
    return f"{interpreter_tag(python)}-{stable_abi_tag(python) if stable else abi_tag(python)}"


def _conda_job(job: CondaPacking, empty: Path, relinked: Tree) -> CondaJob:
    """Lay out what goes elsewhere than site-packages, and return the inputs of the package."""
    stage = job.stage
    elsewhere = empty / _ELSEWHERE
    into_prefix(stage.extra, elsewhere, python=job.python, metadata=job.metadata)
    library = _library(job, empty, relinked)
    if stage.whole_prefix and library is None:
        copy_without(relinked.root, relinked.root / stage.site, elsewhere)
    needing = relinked if library is None else relinked.split((stage.site,))[0]
    return CondaJob(
        tree=relinked.root / stage.site,
        elsewhere=elsewhere,
        prefixes=_prefixes(job),
        recipe=job.recipe.file if job.recipe else _rendered(job, empty, library),
        source=job.source,
        python=job.python,
        interpreter=job.environment.python,
        names=_names(job),
        channels=job.channels,
        platform=job.platform,
        found=_run_needs(needing, job.environment),
        library=library,
        env=_env(job),
        epoch=job.epoch,
        log=_log(job, "conda.log"),
    )


def _library(job: CondaPacking, empty: Path, relinked: Tree) -> Library | None:
    """Lay out the C++ library that becomes a package of its own, if the table says so."""
    if not job.split:
        return None
    stage, tree = job.stage, empty / _LIBRARY_TREE
    lay_apart(relinked.root, stage.site, tree, empty / _ELSEWHERE)
    return Library(
        name=library_name(_facts(job).name),
        tree=tree,
        found=_run_needs(relinked.split((stage.site,))[1], job.environment),
    )


def _prefixes(job: Packing) -> tuple[Path, ...]:
    """Return what a file of the stage may name as its prefix: the host environment, and what CMake was told."""
    return (job.environment.prefix, INSTALL_PREFIX)


def _run_needs(tree: Tree, environment: Environment) -> RunNeeds:
    owners = environment.owners
    linked = {owner_of(needed, owners, tree.siblings) for _, needed in _outside(tree)}
    return RunNeeds(needs=needs_of(tree.binaries), idle=libraries_alone(owners) - linked)


def owner_of(
    needed: str, owners: Mapping[str, str], beside: Mapping[str, PurePosixPath] | None = None
) -> str | None:
    """Return the package whose library a needed name means: by name, or below a run path (Mach-O's ``@rpath``).

    Args:
        needed: as the binary has it.
        owners: file in the prefix → package.
        beside: libraries that packages keep below site-packages.
    """
    name = needed.rpartition("/")[2] if needed.startswith("@") else needed
    return owners.get(f"lib/{name}") or owners.get(str((beside or {}).get(name)))


def libraries_alone(owners: Mapping[str, str]) -> frozenset[str]:
    """Return the packages that are there to be linked: they have shared libraries, and neither programs nor modules.

    Args:
        owners: file in the prefix → package.
    """
    libraries = {package for file, package in owners.items() if _LIBRARY.fullmatch(file)}
    others = {package for file, package in owners.items() if file.startswith(("bin/", "lib/python"))}
    return frozenset(libraries - others)


def check_clobbering(job: CondaJob, site: PurePosixPath, owners: Mapping[str, str], *, own: str = "") -> None:
    """Refuse a package that brings a file which a package of its host environment has already.

    rattler-build leaves such a file out, as it is not new. Of two packages with one file, conda warns with a ClobberError or stops, as
    ``path_conflict`` says; rattler, and so pixi, keeps the first one's and says nothing.

    Args:
        job: the inputs of the package.
        site: site-packages, relative to the prefix.
        owners: file in the host environment → package.
        own: the package's name: one of that name, which what the tests need has brought, is replaced by it.

    Raises:
        PackageError: naming each file and its other owner.
    """
    laid = [(job.tree, site), (job.elsewhere, PurePosixPath())]
    laid += [(job.library.tree, PurePosixPath())] if job.library else []
    names = {
        (home / path.relative_to(tree).as_posix()).as_posix()
        for tree, home in laid
        for path in tree.rglob("*")
        if path.is_symlink() or path.is_file()
    }
    foreign = {name for name, owner in owners.items() if owner != own}
    if faults := [f"{name} belongs to {owners[name]}" for name in sorted(names & foreign)]:
        raise PackageError(
            "the conda package would bring files that other packages have, beside which it is installed",
            details=faults,
            hint="leave them out of what the project installs; it often is a top-level folder such as tests or examples",
        )


def check_run_dependencies(package: Path, tree: Tree, environment: Environment) -> None:
    """Hold the package's run dependencies against what its binaries link (overlinking).

    Raises:
        LinkageError: naming library, the package that brings it, and the dependency to add.
    """
    from diptych.archives import open_package  # noqa: PLC0415 -- only when a package was made

    with open_package(package) as opened:
        depends = {spec.split()[0] for spec in opened.metadata.index.get("depends", ())}
    owners = environment.owners
    faults = [
        f"{name} needs {needed}, which {owner} brings; the package does not depend on it"
        for name, needed in _outside(tree)
        if (owner := owner_of(needed, owners, tree.siblings)) is not None and owner not in depends
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


def _rendered(job: CondaPacking, empty: Path, library: Library | None) -> Path:
    """Render a recipe into a folder of its own: rattler-build keeps all that lies beside a recipe in the package."""
    folder = empty / _RECIPE
    folder.mkdir()
    facts = _facts(job)
    if library is None:
        return write_recipe(recipe(facts), folder)
    files = [path.relative_to(library.tree).as_posix() for path in library.tree.rglob("*") if path.is_file()]
    return write_recipe(split_recipe(facts, files, job.environment.owners), folder)


def _facts(job: CondaPacking) -> RecipeFacts:
    return RecipeFacts(
        python=job.python,
        platform=job.platform,
        settings=job.settings,
        metadata=job.metadata,
        source=job.source,
        package=job.package,
        libraries=shared_names(job.stage.root) if job.stage.whole_prefix else (),
        stable=stable_floor(job.stage, job.python),
    )


def _graft_cost(job: Packing, tree: Path) -> dict[str, int] | None:
    """Measure the libraries that the wheel would have to bring without the relink, and those that it brings."""
    if not job.platform.startswith("linux"):
        return None
    prefix = job.environment.prefix
    return {
        "before": bytes_to_graft(job.stage.root, prefix=prefix, own=job.stage.libraries),
        "after": bytes_to_graft(tree, prefix=prefix, own=(tree / "lib",)),
    }


def _names(job: Packing) -> dict[Path, str]:
    """Return the folders of this machine that a packer may note, and what the package says instead."""
    return {
        job.root: "$CHECKOUT",
        job.source: "$SOURCE",
        job.metadata.folder: "$METADATA",
        job.environment.prefix: "$HOST",
    }


def _finish(empty: Path, tree: Path, journal: dict[str, Any]) -> None:
    discard(tree)
    write_json(empty / "journal.json", journal)


def _packed(job: Packing, kind: str, glob: str, make: Callable[[Path], None]) -> Packed:
    inputs = inputs_of(kind, job)
    entry, made = made_once(job.store, job.cell, inputs, make)
    path = next(entry.glob(glob))
    return Packed(
        key=inputs.key,
        artefact=Artefact.of(kind, path),
        journal=json.loads((entry / "journal.json").read_text(encoding="utf-8")),
        kept=not made,
    )


def _env(job: Packing) -> dict[str, str]:
    return declared(job.env, own_tools())


def _log(job: Packing, name: str) -> Path:
    log = job.store.root / "logs" / job.cell / name
    log.unlink(missing_ok=True)
    return log
