"""Declare the sessions of the matrix. Nothing here contacts a channel or looks for a compiler."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import nox
from nox import registry

from diptych.errors import ConfigError
from diptych.matrix import Cell, session_kinds
from diptych.output import Output
from diptych.pythons import numbers
from diptych.sessions import run
from diptych.sessions.hostenv import BACKEND, HostParams, register
from diptych.workspace import Workspace, open_workspace

Body = Callable[[nox.Session, Workspace, Cell, HostParams], None]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of session, declared for every cell.

    Attributes:
        name: before the hyphen.
        sentence: what ``nox -l`` shows.
        body: what it does.
        hosted: whether it runs against the cell's host environment.
        default: whether a plain ``nox`` runs it.
        after_build: whether the cell's build comes first.
    """

    name: str
    sentence: str
    body: Body
    hosted: bool = False
    default: bool = False
    after_build: bool = False


KINDS = (
    Kind(
        name="build",
        sentence="Compile once, test in source, relink, leave a wheel and a conda package, compare them.",
        body=run.build,
        hosted=True,
        default=True,
    ),
    Kind(
        name="test",
        sentence="Compile if needed, then the in-source tests; arguments after -- reach the test command.",
        body=run.test,
        hosted=True,
    ),
    Kind(
        name="shell",
        sentence="A shell in which the package imports from source.",
        body=run.shell,
        hosted=True,
    ),
    Kind(
        name="verify",
        sentence="Both packages into clean environments, the tests against what was installed.",
        body=run.verify,
        default=True,
        after_build=True,
    ),
)


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What all sessions of a noxfile share.

    Attributes:
        workspace: the checkout.
        hosts: the host environment of each cell.
        names: what the sessions of each kind are called.
    """

    workspace: Workspace
    hosts: Mapping[str, HostParams]
    names: Mapping[str, str]


class CellParams(Sequence[Any]):
    """The parameters of one session function: a compiler each.

    nox reads ``venv_params`` and ``requires`` from the function once for every parameter that it goes through. They
    differ from cell to cell, so each is set on the function just before its parameter is handed out.
    """

    def __init__(
        self,
        function: Any,  # noqa: ANN401 -- nox's Func has no public name
        kind: Kind,
        cells: Sequence[Cell],
        declared: Declared,
    ) -> None:
        self._function = function
        self._kind = kind
        self._cells = cells
        self._declared = declared

    def __iter__(self) -> Iterator[Any]:
        for cell in self._cells:
            if self._kind.hosted:
                self._function.venv_params = self._declared.hosts[cell.id]
            if self._kind.after_build:
                self._function.requires = [
                    f"{self._declared.names['build']}-{cell.python}({cell.compiler.name})"
                ]
            compiler = cell.compiler.name
            yield nox.parametrize(
                "compiler", [nox.param(compiler, id=compiler, tags=_tags(self._kind, cell))]
            )(_Holder()).parametrize[0]

    def __len__(self) -> int:
        return len(self._cells)

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 -- as in Sequence
        return list(self)[index]


class _Holder:
    """What nox.parametrize leaves a parameter on."""

    parametrize: list[Any]


def define(noxfile: str) -> None:
    """Define ``build``, ``test``, ``verify``, ``shell`` for every cell, and ``compare``.

    Call it behind the noxfile's own sessions: a name that one of them has is not taken, ours is then ``diptych-test-3.11``.

    Args:
        noxfile: the noxfile's ``__file__``; ``pyproject.toml`` stands beside it.
    """
    register()
    root = Path(noxfile).resolve().parent
    env = dict(os.environ)  # noqa: TID251 -- the surface: read once, here
    output = Output(env=env)
    workspace = run.or_exit(
        output, lambda: open_workspace(root, env=env, machine=platform.machine(), output=output)
    )
    pythons = list(dict.fromkeys(cell.python for cell in workspace.cells))
    declared = Declared(
        workspace=workspace,
        hosts={cell.id: HostParams(workspace, cell) for cell in workspace.cells},
        names=session_kinds(pythons, registry.get()),
    )
    for kind in KINDS:
        for python in pythons:
            _declare(kind, python, [cell for cell in workspace.cells if cell.python == python], declared)
    _declare_compare(declared)
    _declare_missing(workspace)
    if _asks_for_here(sys.argv):
        # Of the one cell asked for, what this machine lacks is no reason to skip: nothing would be done, with exit code 0.
        nox.options.error_on_missing_interpreters = True


def _asks_for_here(arguments: Sequence[str]) -> bool:
    """Tell whether ``-t here`` stands on nox's command line; nox tells noxfiles nothing of it."""
    return "here" in takewhile(lambda word: word != "--", arguments)


def _declare(kind: Kind, python: str, cells: Sequence[Cell], declared: Declared) -> None:
    """Declare one session function for a Python, with its compilers as parameters."""
    by_compiler = {cell.compiler.name: cell for cell in cells}
    workspace = declared.workspace

    def session(session: nox.Session, compiler: str) -> None:
        cell = by_compiler[compiler]
        with run.session_errors(workspace):
            kind.body(session, workspace, cell, declared.hosts[cell.id])

    session.__doc__ = kind.sentence
    function: Any = nox.session(
        name=f"{declared.names[kind.name]}-{python}",
        python=python,
        venv_backend=BACKEND if kind.hosted else "none",
        reuse_venv=True,
        tags=[kind.name],
        default=kind.default,
        allow_parallel=True,
    )(session)
    function.parametrize = CellParams(function, kind, cells, declared)


def _declare_compare(declared: Declared) -> None:
    workspace = declared.workspace

    def compare(session: nox.Session) -> None:
        with run.session_errors(workspace):
            run.compare(session, workspace)

    compare.__doc__ = "Every built cell side by side: wheel | conda package."
    nox.session(name=declared.names["compare"], python=False, tags=["compare"], venv_backend="none")(compare)


def _declare_missing(workspace: Workspace) -> None:
    """Where the table lacks the Python that runs nox, let ``-t here`` select a session that says so.

    Without one, nox finds nothing to run and ends with exit code 0.
    """
    here = _running()
    known = list(dict.fromkeys(cell.python for cell in workspace.cells))
    if here in known:
        return

    def missing(_session: nox.Session) -> None:
        with run.session_errors(workspace):
            raise ConfigError(
                f"the table has no Python {here}, which runs nox; it has {', '.join(known)}",
                hint=f"in {workspace.root / 'pyproject.toml'}, [tool.diptych]: "
                f"python = {json.dumps(sorted([*known, here], key=numbers))}",
            )

    missing.__doc__ = f"Says that the table has no Python {here}."
    nox.session(name=f"here-{here}", python=False, tags=["here"], default=False, venv_backend="none")(missing)


def _running() -> str:
    free_threaded = "t" if "t" in getattr(sys, "abiflags", "") else ""
    return f"{sys.version_info.major}.{sys.version_info.minor}{free_threaded}"


def _tags(kind: Kind, cell: Cell) -> list[str]:
    """Return the tags of a cell's session: its compiler, and ``here`` for the quickest way to see it all work."""
    quick = cell.first_compiler and cell.python == _running() and kind.default
    return [cell.compiler.name, *(["here"] if quick else [])]
