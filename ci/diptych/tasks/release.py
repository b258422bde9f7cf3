"""``diptych release``: from a tag to both indexes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from diptych.credentials import credentials_of
from diptych.errors import ConfigError
from diptych.tasks.plan import PLATFORM_HELP, platforms_of
from diptych.tasks.surface import process_env, process_workspace, surface

if TYPE_CHECKING:
    from invoke.context import Context

    from diptych.release.planning import ReleasePlan, ReleaseRequest
    from diptych.release.run import Outcome
    from diptych.workspace import Workspace


@surface(
    builds=True,
    help={
        "publish": "send to the index and the channel; without it everything but that is done",
        "dry_run": "everything but sending: the default, for scripts that want to say so",
        "plan": "only show what would be built, checked and sent where",
        "pieces": "a folder that `diptych cell` left elsewhere, or one of them; repeatable; default: build every cell here",
        "assembled": "a release that was laid out before: only look and send",
        "out": "the folder of the release (default: dist/release)",
        "index": 'where wheels and sdist go: pypi, testpypi or an upload URL ("none": nowhere); default: the table\'s',
        "channel": 'where conda packages go: a folder, s3://…, https://prefix.dev/… ("none": nowhere); default: the table\'s',
        "allow": "a channel that packages may come from although it is a stand-in: local; repeatable",
        "platform": PLATFORM_HELP,
        "json": "print JSON at the end instead of tables",
        "verbose": "show what the uploading tool is called with and says; twice: let it say more",
    },
    iterable=["pieces", "platform", "allow"],
    incrementable=["verbose"],
)
def release(  # noqa: PLR0913, PLR0917 -- the parameters of an invoke task are its flags
    _context: Context,
    pieces: list[str],
    platform: list[str],
    allow: list[str],
    publish: bool = False,  # noqa: FBT001, FBT002 -- an invoke flag
    dry_run: bool = False,  # noqa: FBT001, FBT002 -- as above
    plan: bool = False,  # noqa: FBT001, FBT002 -- as above
    assembled: str = "",
    out: str = "dist/release",
    index: str = "",
    channel: str = "",
    json: bool = False,  # noqa: FBT001, FBT002 -- as above
    verbose: int = 0,
) -> None:
    """Build, check and lay out a release of every cell; send it with --publish."""
    if dry_run and publish:
        raise ConfigError("--dry-run and --publish contradict each other", hint="leave one of them out")
    workspace = process_workspace(aside=json)
    from diptych.release import planning, run  # noqa: PLC0415 -- a listing needs none of the flow
    from diptych.release.showing import show_checks, show_outcome, show_plan, to_json  # noqa: PLC0415 -- as above

    request = planning.ReleaseRequest(
        publish=publish,
        pieces=tuple(Path.cwd() / word for word in pieces),
        platforms=platforms_of(workspace, platform),
        out=Path.cwd() / out,
        index=index,
        channel=channel,
        allow=_known(allow),
        verbose=verbose,
    )
    planned = planning.plan_release(workspace, request, credentials_of(process_env()))
    if not json:
        show_plan(workspace.output, workspace.config.project.name, planned, request)
    if plan:
        if json:
            workspace.output.json(to_json(planned, None, published=False))
        return
    if publish and not assembled:  # hours of building would end with the same words
        run.refuse(planned.checks)
    outcome = _outcome(workspace, request, planned, Path.cwd() / assembled if assembled else None)
    if not json:
        show_checks(workspace.output, outcome.checks[len(planned.checks) :])
    if publish:
        outcome = run.publish(workspace, outcome, planned.destinations)
    if json:
        workspace.output.json(to_json(planned, outcome, published=publish))
    else:
        show_outcome(workspace.output, outcome, published=publish)
    run.refuse(outcome.checks)


def _outcome(
    workspace: Workspace, request: ReleaseRequest, planned: ReleasePlan, assembled: Path | None
) -> Outcome:
    from diptych.release import run  # noqa: PLC0415 -- as above

    if assembled:
        laid_out, ours = run.reopen(assembled, planned)
        checks = (*planned.checks, ours)
    else:
        laid_out, found = run.prepare(workspace, request, planned)
        checks = (*planned.checks, *found)
    statuses, places = run.look(laid_out, planned.destinations)
    return run.Outcome(
        release=laid_out,
        checks=(*checks, places) if planned.destinations else checks,
        statuses=statuses,
    )


def _known(allow: list[str]) -> tuple[str, ...]:
    for name in allow:
        if name != "local":
            raise ConfigError(
                f'--allow "{name}": there is no such stand-in channel', hint="the only one is: local"
            )
    return tuple(allow)
