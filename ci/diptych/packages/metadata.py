"""The wheel's metadata, as the project's own PEP 517 backend prepares it."""

from __future__ import annotations

import json
import logging
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diptych import process
from diptych.build.sources import source_hash
from diptych.build.toolenv import scrubbed
from diptych.errors import PackageError, ProcessError
from diptych.packages.pip import pip_install, pip_list
from diptych.store import Store, digest

_BACKENDS = "backends"


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """A prepared ``.dist-info`` folder.

    Attributes:
        folder: the ``NAME-VERSION.dist-info`` folder, with METADATA and licence files.
        name: the distribution's name as the backend spells it in METADATA.
        version: its version.
    """

    folder: Path
    name: str
    version: str

    @property
    def stem(self) -> str:
        """Return ``NAME-VERSION`` as file names spell it."""
        return self.folder.name.removesuffix(".dist-info")


def prepare_metadata(source: Path, *, store: Store, env: Mapping[str, str]) -> Metadata:
    """Ask the backend that ``source/pyproject.toml`` names for the metadata; a run in an isolated environment.

    Args:
        source: the project.
        store: where the environment (by its requirements) and the metadata (by the sources) are kept.
        env: the process environment.

    Raises:
        PackageError: no backend, it cannot be installed, or it refuses.
    """
    from build import BuildException, ProjectBuilder  # noqa: PLC0415 -- not needed by a listing

    # It narrates at INFO, which nox lets through.
    logging.getLogger("build").setLevel(logging.WARNING)
    clean = scrubbed(env)
    log = store.root / "logs" / "metadata.log"

    def runner(
        cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None
    ) -> None:
        process.run(cmd, env={**clean, **(extra_environ or {})}, cwd=Path(cwd or source), log=log)

    def make(empty: Path) -> None:
        try:
            requirements = sorted(ProjectBuilder(source).build_system_requires)
            python = _backend_python(requirements, store=store, env=clean, log=log)
            builder = ProjectBuilder(source, python_executable=str(python), runner=runner)
            builder.metadata_path(empty)
        except (BuildException, ProcessError) as error:
            details = error.details if isinstance(error, ProcessError) else [str(error)]
            raise PackageError(
                f'the build backend of "{source / "pyproject.toml"}" gave no metadata',
                details=details,
                hint=f"`{Path(sys.executable).name} -m build {source}` shows the same without Diptych",
            ) from error

    entry, _ = store.entry("metadata", digest(source_hash(source, env=env)), make)
    return read_metadata(next(entry.glob("*.dist-info")))


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
    (target / "INSTALLER").write_text("conda\n", encoding="utf-8")


def _backend_python(requirements: Sequence[str], *, store: Store, env: Mapping[str, str], log: Path) -> Path:
    """Make the isolated environment that PEP 517 asks for, once per set of requirements."""

    def make(empty: Path) -> None:
        process.run(
            [sys.executable, "-m", "venv", "--without-pip", empty / "venv"], env=env, cwd=empty, log=log
        )
        python = empty / "venv" / "bin" / "python"
        process.run([*pip_install(python), *requirements], env=env, cwd=empty, log=log)
        # Which versions took part belongs into provenance: the file is read back by `backend_versions`.
        listing = process.run(pip_list(python), env=env, cwd=empty)
        (empty / "versions.json").write_text(listing.output[listing.output.find("[") :], encoding="utf-8")

    key = digest(list(requirements), sys.version)
    entry, _ = store.entry(_BACKENDS, key, make)
    return entry / "venv" / "bin" / "python"


def backend_versions(source: Path, *, store: Store) -> dict[str, str]:
    """Return the backend's packages and versions, for provenance; empty before the first use."""
    from build import ProjectBuilder  # noqa: PLC0415 -- as above

    key = digest(sorted(ProjectBuilder(source).build_system_requires), sys.version)
    entry = store.find(_BACKENDS, key)
    if entry is None:
        return {}
    found = json.loads((entry / "versions.json").read_text(encoding="utf-8").splitlines()[0])
    return {one["name"]: one["version"] for one in found}
