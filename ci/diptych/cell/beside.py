"""Which libraries of other wheels a wheel finds beside itself in site-packages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

from diptych.cell.packing import WheelPacking
from diptych.environments import Environment
from diptych.packages.metadata import Metadata
from diptych.packages.share import Sibling, SiblingJob, find_siblings
from diptych.relink.planners import Tree, plan_for_wheel
from diptych.siblings import siblings
from diptych.specs import of_requirements


def required_siblings(
    metadata: Metadata, environment: Environment, *, python: str, platform: str
) -> frozenset[str]:
    """Return the libraries that a wheel finds beside itself: those of packages that its metadata requires.

    A second copy of such a library, grafted, would be another one for the loader: with Boost.Python, a second registry of types.

    Raises:
        PackageError: a requirement cannot be read.
    """
    beside = siblings(environment.prefix)
    if not beside:
        return frozenset()
    required = {
        spec.split()[0] for spec in of_requirements(metadata.requires, python=python, platform=platform)
    }
    return frozenset(
        name for name, path in beside.items() if environment.owners.get(path.as_posix()) in required
    )


def shared_siblings(
    job: WheelPacking, tree: Tree, *, kept: Collection[PurePosixPath], env: Mapping[str, str], log: Path
) -> tuple[Sibling, ...]:
    """Return the distributions that the table's ``share`` names, with what the wheel's modules take from them.

    Args:
        job: the wheel.
        tree: what it is made of.
        kept: the folders of the tree that the wheel holds.
        env: the environment of pip.
        log: where its output goes.

    Raises:
        UnsupportedError, PackageError: as :func:`diptych.packages.share.find_siblings` says.
    """
    if not job.share:
        return ()
    own, _ = tree.split(kept)
    dropped = {one.name: one.drop for one in plan_for_wheel(tree, kept=kept).files}
    return find_siblings(
        SiblingJob(
            projects=job.share,
            platform=job.platform,
            environment=job.environment,
            binaries=own.binaries,
            needed={
                name: tuple(needed for needed in binary.needed if needed not in dropped.get(name, ()))
                for name, binary in own.binaries.items()
            },
            store=job.store,
            env=env,
            log=log,
        )
    )
