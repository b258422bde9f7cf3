"""The wheel's metadata, as the project's own PEP 517 backend prepares it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from diptych.build.backend import BackendJob, backend_job
from diptych.errors import PackageError
from diptych.inputs import inputs_of
from diptych.store import Store

_KIND = "metadata"


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """A prepared ``.dist-info`` folder.

    Attributes:
        folder: the ``NAME-VERSION.dist-info`` folder, with METADATA and licence files.
        name: the distribution's name as the backend spells it in METADATA.
        version: its version.
        backend: packages and versions of the environment that it was prepared in, where it was prepared for itself.
    """

    folder: Path
    name: str
    version: str
    backend: Mapping[str, str] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """Return ``NAME-VERSION`` as file names spell it."""
        return self.folder.name.removesuffix(".dist-info")

    @property
    def requires(self) -> tuple[str, ...]:
        """Return its requirements as METADATA has them (core metadata, Requires-Dist)."""
        from packaging.metadata import parse_email  # noqa: PLC0415 -- not needed by a listing

        raw, _ = parse_email((self.folder / "METADATA").read_bytes())
        return tuple(raw.get("requires_dist", ()))


def prepare_metadata(source: Path, *, store: Store, env: Mapping[str, str]) -> Metadata:
    """Ask the backend that ``source/pyproject.toml`` names for the metadata; a run in an isolated environment.

    Args:
        source: the project.
        store: where the environment (by its requirements) and the metadata (by the sources) are kept.
        env: the process environment.

    Raises:
        PackageError: no backend, it cannot be installed, or it refuses.
    """
    job = backend_job("wheel", source, store=store, env=env, log=store.root / "logs" / "metadata.log")
    entry, _ = store.entry(_KIND, inputs_of(_KIND, job).key, partial(_make, job))
    return replace(read_metadata(next(entry.glob("*.dist-info"))), backend=job.within.versions)


def _make(job: BackendJob, empty: Path) -> None:
    job.backend.metadata(empty, job.within)


def read_metadata(folder: Path) -> Metadata:
    """Read name and version from a ``.dist-info`` folder.

    Raises:
        PackageError: METADATA is missing or not valid.
    """
    from packaging.metadata import parse_email  # noqa: PLC0415 -- as above

    try:
        raw, _ = parse_email((folder / "METADATA").read_bytes())
        return Metadata(folder=folder, name=raw["name"], version=raw["version"])
    except (OSError, KeyError) as error:
        raise PackageError(f'"{folder / "METADATA"}" is missing or lacks {error}') from error


def place_metadata(metadata: Metadata, tree: Path) -> None:
    """Put the metadata into a tree that conda will install, so that pip and importlib.metadata know the package.

    INSTALLER says who installs it (PEP 376). There is no RECORD: without one pip leaves the package alone
    (PEP 627), and conda keeps a record of its own.
    """
    target = tree / metadata.folder.name
    shutil.copytree(metadata.folder, target)
    # Its tags are those of the Python that prepared the metadata, not of this cell's; only a wheel needs them.
    (target / "WHEEL").unlink(missing_ok=True)
    (target / "RECORD").unlink(missing_ok=True)  # of the backend's own wheel
    (target / "INSTALLER").write_text("conda\n", encoding="utf-8")
