"""What a release is going to do: the cells, the checks of the checkout, and where artefacts go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from diptych.credentials import Credentials
from diptych.errors import ConfigError
from diptych.fanout.plan import Job, pieces_planned
from diptych.matrix import Platform
from diptych.packages.metadata import prepare_metadata
from diptych.release.checkout import check_backend, check_checkout, read_commit
from diptych.release.destinations import channel_of, index_of
from diptych.release.model import Check, Destination, Kind
from diptych.workspace import Workspace

NOWHERE = "none"
"""What `--index` or `--channel` says to leave out a destination of the table."""


@dataclass(frozen=True, kw_only=True)
class ReleaseRequest:
    """What a person asks for.

    Attributes:
        publish: send; else only look.
        pieces: what `diptych cell` left elsewhere; none: build every cell here.
        platforms: those of the plan.
        out: the folder of the release.
        index: where wheels and sdist go, or empty.
        channel: where conda packages go, or empty.
        allow: channels that a release may be made from although it is a stand-in.
        verbose: 1: tell what the uploading tool says; 2: let it say more.
    """

    publish: bool
    pieces: tuple[Path, ...]
    platforms: tuple[Platform, ...]
    out: Path
    index: str
    channel: str
    allow: tuple[str, ...]
    verbose: int = 0


@dataclass(frozen=True, kw_only=True)
class ReleasePlan:
    """What a release is going to do, known before anything is built.

    Attributes:
        version: what the build backend says.
        tag: the tag that it has to carry.
        commit: HEAD.
        jobs: every cell on every platform.
        destinations: where artefacts go, in the order that they are served.
        checks: those of the checkout.
    """

    version: str
    tag: str
    commit: str
    jobs: tuple[Job, ...]
    destinations: tuple[Destination, ...]
    checks: tuple[Check, ...]


def plan_release(workspace: Workspace, request: ReleaseRequest, credentials: Credentials) -> ReleasePlan:
    """Work out what will be built, checked and sent where; nothing is built, no network is used.

    Raises:
        ConfigError: a destination cannot be understood, or there is nowhere to publish to.
        MissingToolError: a destination needs a package that is not installed.
        PackageError: the build backend gives no metadata.
    """
    settings = workspace.config.release
    metadata = prepare_metadata(workspace.config.source, store=workspace.store, env=workspace.env)
    commit = read_commit(workspace.root, env=workspace.env)
    destinations = tuple(_destinations(workspace, request, credentials, metadata.name))
    if request.publish and not destinations:
        raise ConfigError(
            "there is nowhere to publish to",
            hint="name it: --index and --channel, or index and channel in [tool.diptych.release]",
        )
    checks = check_checkout(workspace, commit, metadata.version)
    if any(one.accepts(Kind.SDIST) for one in destinations):
        checks += (check_backend(workspace.config.source, workspace.cells),)
    return ReleasePlan(
        version=metadata.version,
        tag=settings.tag.replace("{version}", metadata.version),
        commit=commit.sha,
        jobs=pieces_planned(workspace, request.platforms),
        destinations=destinations,
        checks=checks,
    )


def _destinations(
    workspace: Workspace, request: ReleaseRequest, credentials: Credentials, project: str
) -> Iterator[Destination]:
    """Yield the channel first: it can take a package back, an index like PyPI never can."""
    settings = workspace.config.release
    channel, index = request.channel or settings.channel, request.index or settings.index
    if channel and channel != NOWHERE:
        yield channel_of(channel, root=workspace.root, credentials=credentials, env=workspace.env)
    if index and index != NOWHERE:
        simple = settings.simple if index == settings.index else None
        yield index_of(
            index,
            simple,
            project=project,
            credentials=credentials,
            env=workspace.env,
            tell=workspace.output.line if request.verbose else None,
            chatty=request.verbose > 1,
        )
