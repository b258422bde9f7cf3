"""The project's own PEP 517 backend, in the isolated environment that it asks for."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from diptych import process
from diptych.build.toolenv import scrubbed
from diptych.errors import PackageError, ProcessError
from diptych.packages.pip import pip_install, pip_list
from diptych.store import Store, digest

if TYPE_CHECKING:
    from build import ProjectBuilder

_KIND = "backends"


def open_backend(source: Path, *, store: Store, env: Mapping[str, str], log: Path) -> ProjectBuilder:
    """Return the backend that ``source/pyproject.toml`` names, ready to be called.

    Args:
        source: the project.
        store: where its environment is kept, by its requirements.
        env: the process environment.
        log: where its output goes.

    Raises:
        PackageError: there is none, or it cannot be installed.
    """
    from build import BuildException, ProjectBuilder  # noqa: PLC0415 -- not needed by a listing

    # It narrates at INFO, which nox lets through.
    logging.getLogger("build").setLevel(logging.WARNING)
    clean = scrubbed(env)

    def runner(
        cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None
    ) -> None:
        process.run(cmd, env={**clean, **(extra_environ or {})}, cwd=Path(cwd or source), log=log)

    try:
        requirements = sorted(ProjectBuilder(source).build_system_requires)
        python = _python(requirements, store=store, env=clean, log=log)
        return ProjectBuilder(source, python_executable=str(python), runner=runner)
    except (BuildException, ProcessError) as error:
        raise refused(source, "could not be started", error) from error


def refused(source: Path, what: str, error: Exception) -> PackageError:
    """Return the error of a backend that did not do what it was asked for."""
    details = error.details if isinstance(error, ProcessError) else [str(error)]
    return PackageError(
        f'the build backend of "{source / "pyproject.toml"}" {what}',
        details=details,
        hint=f"`{Path(sys.executable).name} -m build {source}` shows the same without Diptych",
    )


def backend_versions(source: Path, *, store: Store) -> dict[str, str]:
    """Return the backend's packages and versions, for provenance; empty before the first use."""
    from build import ProjectBuilder  # noqa: PLC0415 -- as above

    entry = store.find(_KIND, _key(sorted(ProjectBuilder(source).build_system_requires)))
    if entry is None:
        return {}
    found = json.loads((entry / "versions.json").read_text(encoding="utf-8").splitlines()[0])
    return {one["name"]: one["version"] for one in found}


def _python(requirements: Sequence[str], *, store: Store, env: Mapping[str, str], log: Path) -> Path:
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

    entry, _ = store.entry(_KIND, _key(requirements), make)
    return entry / "venv" / "bin" / "python"


def _key(requirements: Sequence[str]) -> str:
    return digest(list(requirements), sys.version)
