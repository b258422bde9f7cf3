"""From a cell to its host environment: which channels, which specs, and a prefix that can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from diptych import channel as channels
from diptych import libraries
from diptych.config.project import ProjectInfo
from diptych.environments import Environment, HostRequest, adopt, create, read_lock, usable
from diptych.matrix import Cell
from diptych.specs import of_requirements
from diptych.store import digest, read_json, write_json
from diptych.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Host:
    """A resolved request for a cell's host environment.

    Attributes:
        request: Python, specs and the channels that will serve them.
        fallback: why the local channel stands in, or empty.
    """

    request: HostRequest
    fallback: str


def specs_of(cell: Cell, project: ProjectInfo) -> tuple[str, ...]:
    """Return the match specs of the cell's host environment, beside Python."""
    settings = cell.settings
    # The tests in source import the project's own dependencies.
    depends = of_requirements(
        project.dependencies, python=cell.python, platform=cell.platform, known=settings.names
    )
    # What a conda-forge compiler exports to all that it compiles; a package may depend on either.
    runtimes = ("libgcc", "libstdcxx") if cell.platform.startswith("linux") else ()
    specs = (*settings.host, *settings.test_requires, *settings.run, *depends, *runtimes)
    return tuple(dict.fromkeys((*specs, "pip", *cell.compiler.packages)))


def resolve(workspace: Workspace, cell: Cell) -> Host:
    """Choose the channels and, where the local one stands in, make the packages that are missing in it.

    Raises:
        ChannelError: a channel is down, or nobody has a package.
        MissingToolError: the local channel needs an interpreter that this machine lacks.
    """
    choice = channels.choose(cell.settings.channels, env=workspace.env, ci=workspace.ci)
    specs = specs_of(cell, workspace.config.project)
    plan = plan_of(workspace, cell, specs)
    try:
        urls, fallback = _channels(workspace, cell, plan.others(specs) if plan else specs, choice)
    except channels.NoWheelError as error:
        plan = plan or plan_of(workspace, cell, specs, lacking=error.project == channels.BOOST)
        if plan is None or error.project != channels.BOOST:
            raise
        urls, fallback = _channels(workspace, cell, plan.others(specs), choice)
    if plan:
        urls = (_compiled(workspace, cell, plan, urls), *urls)
    return Host(request=_request(cell, specs, urls), fallback=fallback)


def _channels(
    workspace: Workspace, cell: Cell, specs: tuple[str, ...], choice: channels.ChannelChoice
) -> tuple[tuple[str, ...], str]:
    """Return the channels by name or URL, the local one filled, and why it stands in."""
    if channels.LOCAL not in choice.channels:
        return choice.channels, ""
    if choice.reason:
        workspace.output.note(choice.reason)
    with workspace.output.step("local channel") as step:
        local = channels.ensure(
            specs,
            python=cell.python,
            root=workspace.store.root / "channel",
            store=workspace.store,
            env=workspace.env,
            say=step.progress,
        )
        step.text, step.kept = summary_of(local), not any(package.made for package in local.packages)
    urls = tuple(local.url if name == channels.LOCAL else name for name in choice.channels)
    return urls, choice.reason or "named in the table"


def plan_of(
    workspace: Workspace, cell: Cell, specs: tuple[str, ...], *, lacking: bool = False
) -> libraries.Plan | None:
    """Return which host packages the cell's own compiler has to compile; None where those of the channels fit.

    A compiler that is itself a package fits the packages of its channel. What a person has added to the local channel is taken, fitting or
    not: whether it fits is judged once it is there.

    Args:
        workspace: the checkout.
        cell: the cell.
        specs: its host environment.
        lacking: the channels have no Boost.Python for the cell's Python.

    Raises:
        MissingToolError: the compiler is not there, or its ABI cannot be told.
    """
    known = workspace.config.libraries
    if not cell.platform.startswith("linux") or cell.compiler.packages or not libraries.asks(specs, known):
        return None
    compiler = workspace.compiler_of(cell)
    return libraries.planned(
        specs,
        known,
        compiler=compiler,
        flags=cell.compiler.flags,
        lacking=lacking,
        by_hand=channels.added(workspace.store.root / "channel"),
    )


def _compiled(workspace: Workspace, cell: Cell, plan: libraries.Plan, urls: tuple[str, ...]) -> str:
    """Return the channel of what the cell's compiler has compiled: first of all channels, so that no other package of a name is taken."""
    base = HostRequest(python=cell.python, specs=("numpy",), channels=urls)
    with workspace.output.step("own libraries") as step:
        done = libraries.ensure(
            libraries.Request(
                plan=plan,
                python=cell.python,
                platform=cell.platform,
                compiler_env=cell.compiler.env,
                environment=lambda prefix: create(base, prefix, env=workspace.env),
                root=workspace.root,
                store=workspace.store,
                env=workspace.env,
                logs=workspace.logs(cell),
                say=step.progress,
            )
        )
        names = ", ".join(f"{file.name} {file.version}" for file in done.packages)
        step.text, step.kept = f"{names} of ABI {plan.abi}", not done.made
    return done.url


def summary_of(local: channels.LocalChannel) -> str:
    """Say in a few words what the local channel holds for a request."""
    made = sum(package.made for package in local.packages)
    return f"{len(local.packages)} packages, {made} made now"


def current(workspace: Workspace, cell: Cell, prefix: Path) -> Environment | None:
    """Return the environment in ``prefix`` if it was finished for what the table says now; nothing is contacted."""
    note = read_json(_note_path(workspace, prefix))
    if note.get("table") != _table_key(workspace, cell):
        return None
    request = HostRequest(
        python=cell.python, specs=specs_of(cell, workspace.config.project), channels=tuple(note["channels"])
    )
    if not usable(prefix, request):
        return None
    lock = read_lock(prefix)
    if not all(_still_there(workspace, package.url) for package in lock):
        return None
    return Environment(
        prefix=prefix,
        python=prefix / "bin" / "python",
        version=cell.python,
        lock=lock,
        channels=request.channels,
        fallback=note["fallback"],
    )


def _still_there(workspace: Workspace, url: str) -> bool:
    """Tell whether a channel of ours still has what it gave: packing solves against it once more.

    Another version of Diptych makes its packages anew.
    """
    roots = tuple(f"{(workspace.store.root / name).as_uri()}/" for name in ("channel", "compiled"))
    return not url.startswith(roots) or Path(unquote(urlsplit(url).path)).is_file()


def ensure(workspace: Workspace, cell: Cell, prefix: Path) -> Environment:
    """Return the cell's host environment in ``prefix``, made afresh unless it is current.

    Raises:
        ChannelError, MissingToolError: as :func:`resolve`.
        HostEnvironmentError: the request has no solution.
    """
    with workspace.store.lock(f"host-{digest(str(prefix))}"):
        if found := current(workspace, cell, prefix):
            return found
        host = resolve(workspace, cell)
        with workspace.output.step("host environment") as step:
            environment = create(host.request, prefix, env=workspace.env, fallback=host.fallback)
            step.text = f"{len(environment.lock)} packages"
        remember(workspace, cell, environment)
        return environment


def take_over(workspace: Workspace, cell: Cell, prefix: Path, host: Host) -> Environment:
    """Adopt a prefix that conda, mamba or micromamba has made for this host.

    Raises:
        HostEnvironmentError: it does not hold what was asked for.
    """
    environment = adopt(prefix, host.request, fallback=host.fallback)
    remember(workspace, cell, environment)
    return environment


def remember(workspace: Workspace, cell: Cell, environment: Environment) -> None:
    """Note what the environment was made for, and leave its lock where a person finds it."""
    note = {
        "table": _table_key(workspace, cell),
        "prefix": str(environment.prefix),
        "channels": environment.channels,
        "fallback": environment.fallback,
    }
    write_json(_note_path(workspace, environment.prefix), note)
    write_json(workspace.store.root / "environment-locks" / f"{cell.id}.json", environment.lock_json())


def _request(cell: Cell, specs: tuple[str, ...], urls: tuple[str, ...]) -> HostRequest:
    return HostRequest(python=cell.python, specs=specs, channels=urls)


def _table_key(workspace: Workspace, cell: Cell) -> str:
    specs = specs_of(cell, workspace.config.project)
    plan = plan_of(workspace, cell, specs)
    own = [plan.key, *libraries.state(plan, workspace.root)] if plan else []
    return digest(cell.python, specs, cell.settings.channels, *own)


def _note_path(workspace: Workspace, prefix: Path) -> Path:
    return workspace.store.root / "hosts" / f"{digest(str(prefix))}.json"
