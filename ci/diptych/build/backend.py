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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from diptych import process
from diptych.build.job import LONGER, BuildEnvironment
from diptych.build.pip import install, installed_versions, lock, make_venv
from diptych.build.sources import Sources, version_variables
from diptych.build.toolenv import declared, system_of
from diptych.errors import DiptychError, PackageError, ProcessError
from diptych.inputs import PLACE, By
from diptych.interpreters import identity
from diptych.store import Store, digest

if TYPE_CHECKING:
    from build import ProjectBuilder

Kind = Literal["wheel", "sdist"]
_KIND, _ASKED = "backends", "backend-requires"
_LOCK, _VERSIONS, _ANSWER = "lock.txt", "versions.json", "requires.json"
_REVISION = 5
_TAIL = 25


@dataclass(frozen=True, kw_only=True)
class Backend:
    """A project's backend and where it runs.

    Attributes:
        project: where its ``pyproject.toml`` is read.
        source: the folder that it works in: the project, or a copy.
        python: the interpreter that is built for; the environment is made of it.
        store: where environments are kept, by interpreter and requirements.
        env: the process environment; what steers builds and loaders is left out unless ``given``.
        log: where the output of tools and hooks goes.
        given: variables that are set on purpose: the cell's compiler, search paths; told the environment's folder.
        settings: PEP 517's config settings.
        isolated: in an environment of its own; else in that of ``python``, which must hold all that the backend asks for.
        limit: seconds that one call of the backend may take.
        bring: brings ``source`` up to date; called before the backend.
    """

    project: Path
    source: Path
    python: Path
    store: Store
    env: Mapping[str, str]
    log: Path
    given: Callable[[Path], Mapping[str, str]]
    settings: Mapping[str, str]
    isolated: bool = True
    limit: float | None = None
    bring: Callable[[], None] = lambda: None

    def environment(self, kind: Kind, facts: Mapping[str, object]) -> BuildEnvironment:
        """Return what the backend builds in, with all that it asks for, made unless it is there.

        Args:
            kind: what is to be built.
            facts: what the backend's answer depends on, JSON-able; for the same facts it is asked once.

        Raises:
            PackageError: with the last lines of the backend, pip or uv.
        """
        with self._telling("says not what it needs"):
            static = sorted(_static(self.project))
            first = self._environment(static)
            more = self._asked(kind, first, facts)
            return self._environment(sorted({*static, *more})) if more else first

    def metadata(self, folder: Path, within: BuildEnvironment) -> Path:
        """Leave a ``.dist-info`` in the folder, by the backend's hook for it or out of a wheel; return its path.

        Raises:
            PackageError: with the backend's last lines.
        """
        with self._telling("gave no metadata"):
            return Path(self._builder(within).metadata_path(folder))

    def build(self, kind: Kind, folder: Path, within: BuildEnvironment) -> Path:
        """Build a wheel or a source distribution into the folder; return its path.

        Raises:
            PackageError: with the backend's last lines.
        """
        with self._telling(f"made no {'wheel' if kind == 'wheel' else 'source distribution'}"):
            return Path(self._builder(within).build(kind, folder, config_settings=self.settings))

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # build and pyproject_hooks raise classes without a common root
            raise self._refused(what, error) from error

    def _asked(self, kind: Kind, first: BuildEnvironment, facts: Mapping[str, object]) -> list[str]:
        """Return what ``get_requires_for_build_*`` says (PEP 517), asked once for these facts."""

        def make(empty: Path) -> None:
            found = sorted(self._builder(first).get_requires_for_build(kind, self.settings))
            (empty / _ANSWER).write_text(json.dumps(found), encoding="utf-8")

        key = digest(kind, first.lock, identity(self.python), dict(self.settings), dict(facts))
        entry, _ = self.store.entry(_ASKED, key, make)
        return list(json.loads((entry / _ANSWER).read_text(encoding="utf-8")))

    def _builder(self, within: BuildEnvironment) -> ProjectBuilder:
        from build import ProjectBuilder  # noqa: PLC0415 -- as above

        self.bring()
        # It narrates at INFO, which nox lets through.
        logging.getLogger("build").setLevel(logging.WARNING)
        python = within.python
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

    def _environment(self, requirements: Sequence[str]) -> BuildEnvironment:
        if not self.isolated:
            return BuildEnvironment(python=self.python, lock="", versions={})
        clean = declared(self.env, process.own_tools())
        self.log.parent.mkdir(parents=True, exist_ok=True)
        key = digest(list(requirements), identity(self.python), _REVISION)

        def make(empty: Path) -> None:
            python = make_venv(self.python, empty / "venv", env=clean, log=self.log)
            locked = empty / _LOCK
            if requirements:
                lock(python, requirements, locked, env=clean, log=self.log)
                install(python, ["-r", locked], env=clean, log=self.log)
            else:
                locked.touch()
            versions = json.dumps(installed_versions(empty / "venv"))
            (empty / _VERSIONS).write_text(versions, encoding="utf-8")
            _settle_scripts(empty, self.store.path(_KIND, key))

        entry, _ = self.store.entry(_KIND, key, make)
        return BuildEnvironment(
            python=entry / "venv" / "bin" / "python",
            lock=(entry / _LOCK).read_text(encoding="utf-8"),
            versions=json.loads((entry / _VERSIONS).read_text(encoding="utf-8")),
        )

    def _refused(self, what: str, error: Exception) -> PackageError:
        """Return our error for one of the backend, of build, or of a command that the hook was."""
        inner = getattr(error, "exception", error)  # build's BuildBackendException holds what happened
        if isinstance(inner, ProcessError) and inner.timed_out:
            return PackageError(
                f'the build backend of "{self.project / "pyproject.toml"}" was ended after {self.limit:g} s',
                details=inner.details,
                hint=LONGER,
            )
        details = inner.details if isinstance(inner, DiptychError) else str(error).splitlines()[-_TAIL:]
        return PackageError(
            f'the build backend of "{self.project / "pyproject.toml"}" {what}',
            details=details or [str(inner)],
            hint=f"`{Path(sys.executable).name} -m build {self.project}` shows the same without Diptych",
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
        project=source,
        source=source,
        python=python or Path(sys.executable),
        store=store,
        env=env,
        log=log,
        given=lambda _: {},
        settings={},
    )


@dataclass(frozen=True, kw_only=True)
class BackendJob:
    """The inputs of what the backend makes of a project outside any cell: its metadata, its source distribution.

    Attributes:
        sources: the project.
        python: the interpreter that the environment is made of.
        within: what the backend runs in.
        env: what :func:`diptych.build.toolenv.system_of` lets in of the process environment, and what forces a version.
        store: where results go.
        log: where the output of tools and hooks goes.
    """

    sources: Annotated[Sources, By(lambda one: one.facts)]
    python: Annotated[Path, By(identity)]
    within: Annotated[BuildEnvironment, By(lambda one: one.lock)]
    env: Annotated[Mapping[str, str], By(version_variables)]
    store: Annotated[Store, PLACE]
    log: Annotated[Path, PLACE]

    @property
    def backend(self) -> Backend:
        """The project's backend."""
        return open_backend(
            self.sources.folder, store=self.store, env=self.env, log=self.log, python=self.python
        )


def backend_job(kind: Kind, source: Path, *, store: Store, env: Mapping[str, str], log: Path) -> BackendJob:
    """Return the inputs, out of the process environment ``env``; the backend was asked what it needs for ``kind``.

    Raises:
        PackageError: with the last lines of the backend, pip or uv.
    """
    seen = {**system_of(env), **version_variables(env)}
    python = Path(sys.executable)
    sources = Sources(folder=source, env=seen, versioned=True)
    backend = open_backend(source, store=store, env=seen, log=log, python=python)
    within = backend.environment(kind, sources.facts)
    return BackendJob(sources=sources, python=python, within=within, env=seen, store=store, log=log)


def _static(source: Path) -> set[str]:
    from build import ProjectBuilder  # noqa: PLC0415 -- not needed by a listing

    return set(ProjectBuilder(source).build_system_requires)
