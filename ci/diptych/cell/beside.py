"""Which libraries of other wheels a wheel finds beside itself in site-packages."""

from __future__ import annotations

from diptych.environments import Environment
from diptych.packages.metadata import Metadata
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
