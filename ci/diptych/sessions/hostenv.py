"""Host environments in nox: its rattler backend, made careful; or conda, mamba, micromamba when forced.

nox makes a session's environment before the session's function runs, from ``venv_params``. Two things need more
than a fixed list: the channels are known only when the session really runs (a listing must contact nobody),
and a failure has to be told like any other of ours. So the sessions name a backend of their own, a
subclass of nox's; and their ``venv_params`` are worked out when somebody reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import nox.command
import nox.virtualenv

from diptych.errors import DiptychError, MissingToolError
from diptych.matrix import Cell
from diptych.store import told_errors
from diptych.workspace import Workspace

if TYPE_CHECKING:
    from diptych.cell.hosts import Host
    from diptych.environments import Environment

BACKEND = "diptych"


class Unavailable(nox.virtualenv.InterpreterNotFound):
    """A Python or compiler is not there: nox skips the session with the reason, or fails it where CI is set."""

    def __init__(self, reason: str) -> None:
        OSError.__init__(self, reason)
        self.interpreter = reason


@contextmanager
def told(workspace: Workspace) -> Iterator[None]:
    """Show an error of ours in our words, and let nox count the session as skipped or failed without a traceback."""
    try:
        with told_errors(workspace.store.root):
            yield
    except MissingToolError as error:
        raise Unavailable(f"{error.summary} ({error.hint})" if error.hint else error.summary) from error
    except DiptychError as error:
        workspace.output.error(error)
        raise nox.command.CommandFailed(reason=error.summary) from error


class HostParams(Sequence[str]):
    """The arguments of ``conda create`` for one cell, resolved when they are first read."""

    def __init__(self, workspace: Workspace, cell: Cell) -> None:
        self.workspace = workspace
        self.cell = cell
        self._host: Host | None = None
        self.environment: Environment | None = None
        """What the backend made or found: looked at once a session, since its thousands of files are counted."""

    @property
    def host(self) -> Host:
        """The resolved request."""
        if self._host is None:
            from diptych.cell import hosts

            with told(self.workspace):
                self._host = hosts.resolve(self.workspace, self.cell)
        return self._host

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self.host.request.parameters()[index]

    def __len__(self) -> int:
        return len(self.host.request.parameters())


class HostEnv(nox.virtualenv.RattlerEnv):
    """nox's rattler environment with a lock, a stamp that tells when it is stale, and errors told plainly."""

    def __init__(self, *args: Any, venv_params: Sequence[str] = (), **kwargs: Any) -> None:  # noqa: ANN401 -- nox's own signature
        if not isinstance(venv_params, HostParams):
            raise TypeError("the diptych backend is for the sessions that diptych defines")
        self.params = venv_params
        super().__init__(*args, venv_params=(), **kwargs)

    def create(self) -> bool:
        """Make the environment unless it is current; tell nox whether anything was made."""
        from diptych.cell import hosts

        workspace, cell = self.params.workspace, self.params.cell
        own = Path(self.location)
        own.parent.mkdir(parents=True, exist_ok=True)
        (own.parent / ".gitignore").write_text("*\n", encoding="utf-8")
        with told(self.params.workspace):
            if not cell.compiler.packages:  # before the long work; one from a channel is looked for after it
                workspace.compiler_of(cell)
            # The build session's environment, if it is current: test and shell then share its build tree too.
            shared = hosts.current(workspace, cell, own.with_name(f"build-{own.name.partition('-')[2]}"))
            self._reused = shared is not None
            self.params.environment = shared or hosts.ensure(workspace, cell, own)
        self.location = str(self.params.environment.prefix)
        return not self._reused


def environment_of(session: nox.Session, params: HostParams) -> Environment:
    """Return the host environment of a running session, whichever backend made it.

    Raises:
        HostEnvironmentError: a forced conda, mamba or micromamba made something else.
    """
    from diptych.cell import hosts

    if params.environment is not None:
        return params.environment
    prefix = Path(session.virtualenv.location)
    workspace, cell = params.workspace, params.cell
    if isinstance(session.virtualenv, nox.virtualenv.CondaEnv) and not isinstance(
        session.virtualenv, HostEnv
    ):
        return hosts.current(workspace, cell, prefix) or hosts.take_over(workspace, cell, prefix, params.host)
    return hosts.ensure(workspace, cell, prefix)


def register() -> None:
    """Make the backend known to nox (``nox.virtualenv.ALL_VENVS`` is its table of backends)."""
    nox.virtualenv.ALL_VENVS[BACKEND] = HostEnv
