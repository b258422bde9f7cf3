"""The project's own PEP 517 backend, in the isolated environment that it asks for.

In PEP 517's order: the static requirements are installed, the backend is asked for more with ``get_requires_for_build_*``,
those are installed too, and only then is the hook called. Every set of requirements is resolved once, locked with hashes,
and kept in the store for its interpreter.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from diptych import process
from diptych.build.job import LONGER
from diptych.build.pip import install, lock, make_venv, pip_list
from diptych.build.sources import version_variables
from diptych.build.toolenv import declared
from diptych.errors import DiptychError, PackageError, ProcessError
from diptych.interpreters import identity
from diptych.store import Store, digest

if TYPE_CHECKING:
    from build import ProjectBuilder

T = TypeVar("T")
Kind = Literal["wheel", "sdist"]
_KIND = "backends"
_REVISION = 3
_TAIL = 25


@dataclass(frozen=True, kw_only=True)
class Backend:
    """A project's backend and where it runs.

    Attributes:
        source: the project.
        python: the interpreter that is built for; the environment is made of it.
        store: where environments are kept, by interpreter and requirements.
        env: the process environment; what steers builds and loaders is left out unless ``given``.
        log: where the output of tools and hooks goes.
        given: variables that are set on purpose: the cell's compiler, search paths; told the environment's folder.
        settings: PEP 517's config settings.
        isolated: in an environment of its own; else in that of ``python``, which must hold all that the backend asks for.
        limit: seconds that one call of the backend may take.
    """

    source: Path
    python: Path
    store: Store
    env: Mapping[str, str]
    log: Path
    given: Callable[[Path], Mapping[str, str]]
    settings: Mapping[str, str]
    isolated: bool = True
    limit: float | None = None

    def metadata(self, folder: Path) -> Path:
        """Leave a ``.dist-info`` in the folder, by the backend's hook for it or out of a wheel; return its path.

        Raises:
            PackageError: with the backend's last lines.
        """
        return Path(self._called("wheel", "gave no metadata", lambda one: one.metadata_path(folder)))

    def build(self, kind: Kind, folder: Path) -> Path:
        """Build a wheel or a source distribution into the folder; return its path.

        Raises:
            PackageError: with the backend's last lines.
        """
        what = "wheel" if kind == "wheel" else "source distribution"
        return Path(
            self._called(
                kind, f"made no {what}", lambda one: one.build(kind, folder, config_settings=self.settings)
            )
        )

    def _called(self, kind: Kind, what: str, hook: Callable[[ProjectBuilder], T]) -> T:
        try:
            static = self._static()
            first = self._builder(static)
            more = first.get_requires_for_build(kind, self.settings)
            return hook(self._builder(sorted({*static, *more})) if more else first)
        except DiptychError as error:
            raise self._refused(what, error) from error
        except Exception as error:  # build and pyproject_hooks raise classes without a common root
            raise self._refused(what, error) from error

    def _static(self) -> list[str]:
        from build import ProjectBuilder  # noqa: PLC0415 -- not needed by a listing

        return sorted(ProjectBuilder(self.source).build_system_requires)

    def _builder(self, requirements: Sequence[str]) -> ProjectBuilder:
        from build import ProjectBuilder  # noqa: PLC0415 -- as above

        # It narrates at INFO, which nox lets through.
        logging.getLogger("build").setLevel(logging.WARNING)
        python = self._environment(requirements)
        given = self.given(python.parent.parent)
        clean = {**declared(self.env, process.own_tools()), **version_variables(self.env), **given}
        clean["PATH"] = os.pathsep.join([str(python.parent), clean["PATH"]])
        # The environment is an entry of the store: with a compiled file more it would not be what was sealed, and be made again.
        clean["PYTHONPYCACHEPREFIX"] = str(self.store.root / "pycache")

        def runner(
            cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None
        ) -> None:
            environment = {**clean, **(extra_environ or {}), "PATH": clean["PATH"]}
            process.run(cmd, env=environment, cwd=Path(cwd or self.source), log=self.log, timeout=self.limit)

        return ProjectBuilder(self.source, python_executable=str(python), runner=runner)

    def requirements(self, kind: Kind) -> list[str]:
        """Return all that the backend asks for to build; its environment is there afterwards."""
        static = self._static()
        return sorted({*static, *self._builder(static).get_requires_for_build(kind, self.settings)})

    def _environment(self, requirements: Sequence[str]) -> Path:
        if not self.isolated:
            return self.python
        clean = declared(self.env, process.own_tools())
        self.log.parent.mkdir(parents=True, exist_ok=True)

        key = _key(requirements, self.python)

        def make(empty: Path) -> None:
            python = make_venv(self.python, empty / "venv", env=clean, log=self.log)
            locked = empty / "lock.txt"
            if requirements:
                lock(python, requirements, locked, env=clean, log=self.log)
                install(python, ["-r", locked], env=clean, log=self.log)
            # Which versions took part belongs into provenance: the file is read back by `backend_versions`.
            listing = process.run(pip_list(python), env=clean, cwd=empty).output
            (empty / "versions.json").write_text(listing[listing.find("[") :], encoding="utf-8")
            _settle_scripts(empty, self.store.path(_KIND, key))

        entry, _ = self.store.entry(_KIND, key, make)
        return entry / "venv" / "bin" / "python"

    def _refused(self, what: str, error: Exception) -> PackageError:
        """Return our error for one of the backend, of build, or of a command that the hook was."""
        inner = getattr(error, "exception", error)  # build's BuildBackendException holds what happened
        if isinstance(inner, ProcessError) and inner.timed_out:
            return PackageError(
                f'the build backend of "{self.source / "pyproject.toml"}" was ended after {self.limit:g} s',
                details=inner.details,
                hint=LONGER,
            )
        details = inner.details if isinstance(inner, DiptychError) else str(error).splitlines()[-_TAIL:]
        return PackageError(
            f'the build backend of "{self.source / "pyproject.toml"}" {what}',
            details=details or [str(inner)],
            hint=f"`{Path(sys.executable).name} -m build {self.source}` shows the same without Diptych",
        )


def _settle_scripts(made: Path, final: Path) -> None:
    """Let the programs of an environment name the place that it is moved to once it is whole."""
    for script in (made / "venv" / "bin").iterdir():
        if script.is_file() and not script.is_symlink():
            text = script.read_bytes()
            if text.startswith(b"#!") and os.fsencode(made) in text:
                script.write_bytes(text.replace(os.fsencode(made), os.fsencode(final)))


def open_backend(
    source: Path,
    *,
    store: Store,
    env: Mapping[str, str],
    log: Path,
    python: Path | None = None,
) -> Backend:
    """Return the backend that ``source/pyproject.toml`` names; see :class:`Backend`.

    ``python`` is the interpreter that is built for, by default the running one.
    """
    return Backend(
        source=source,
        python=python or Path(sys.executable),
        store=store,
        env=env,
        log=log,
        given=lambda _: {},
        settings={},
    )


def environment_versions(backend: Backend) -> dict[str, str]:
    """Return the packages and versions of the environment that a wheel was built in."""
    if not backend.isolated:
        return {}  # those of the host environment, which provenance lists anyway
    entry = backend.store.find(_KIND, _key(backend.requirements("wheel"), backend.python))
    return _versions(entry) if entry else {}


def _versions(entry: Path) -> dict[str, str]:
    found = json.loads((entry / "versions.json").read_text(encoding="utf-8").splitlines()[0])
    return {one["name"]: one["version"] for one in found}


def backend_versions(source: Path, *, store: Store) -> dict[str, str]:
    """Return the static requirements' packages and versions, for provenance; empty before the first use.

    Raises:
        PackageError: the project's ``pyproject.toml`` cannot be read.
    """
    from build import BuildException, ProjectBuilder  # noqa: PLC0415 -- as above

    try:
        requirements = sorted(ProjectBuilder(source).build_system_requires)
    except (BuildException, UnicodeDecodeError) as error:
        raise PackageError(
            f'the build backend of "{source / "pyproject.toml"}" is not known', details=[str(error)]
        ) from error
    entry = store.find(_KIND, _key(requirements, Path(sys.executable)))
    return _versions(entry) if entry else {}


def _key(requirements: Sequence[str], python: Path) -> str:
    return digest(list(requirements), identity(python), _REVISION)
