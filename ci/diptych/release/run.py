"""A planned release, step by step: build, gate, lay out, look, send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych.compare.waivers import waivers_of
from diptych.errors import ConfigError, ReleaseError
from diptych.fanout.collect import Placed, collect
from diptych.fanout.compared import compare_collected
from diptych.fanout.piece import provenance_of
from diptych.fanout.plan import PIECES, Job
from diptych.fanout.run_cell import run_cell
from diptych.output import many
from diptych.packages.sdist import make_sdist
from diptych.release import gate
from diptych.release.assemble import Assembled, Part, assemble, read_assembled
from diptych.release.checkout import changelog_of, section_of
from diptych.release.model import Check, Destination, ItemStatus, Kind
from diptych.release.planning import ReleasePlan, ReleaseRequest
from diptych.release.sending import check_places, send_all, statuses_of
from diptych.release.statements import origin_of
from diptych.workspace import Workspace


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it.

    Attributes:
        release: the folder.
        checks: all of them.
        statuses: every artefact and how it stands to its destination.
    """

    release: Assembled
    checks: tuple[Check, ...]
    statuses: tuple[ItemStatus, ...]


def prepare(
    workspace: Workspace, request: ReleaseRequest, planned: ReleasePlan
) -> tuple[Assembled, tuple[Check, ...]]:
    """Build or take in every cell, hold it against the gates, and lay the release out.

    Returns:
        The release, and the checks of what is in it.

    Raises:
        DiptychError: of the kind of the cell that failed.
        PackageError: pieces are missing, doubled, tampered with or foreign.
        ReleaseError: two artefacts have one name.
    """
    folders = request.pieces or tuple(_built(workspace, planned.jobs))
    placed = collect(workspace, folders, platforms=request.platforms, out=workspace.dist)
    with workspace.output.step("compare") as step:
        comparisons, document = compare_collected(workspace, placed, workspace.dist)
        compared = gate.check_comparisons(comparisons)
        step.text = compared.detail
    with workspace.output.step("judge") as step:
        packages = list(dict.fromkeys(path for one in placed for path in one.files))
        judged = gate.check_findings(packages, waivers_of(workspace.config), cwd=workspace.root)
        step.text = judged.detail
    allowed = (*request.allow, *workspace.config.release.allow)
    checks = (
        gate.check_sources_of(placed, allowed),
        gate.check_libraries(placed, allowed),
        gate.check_versions(placed, planned.version),
        gate.check_floors(placed, planned.jobs),
        compared,
        judged,
    )
    return _laid_out(workspace, request, planned, placed, document), checks


def look(release: Assembled, planned: Sequence[Destination]) -> tuple[tuple[ItemStatus, ...], Check]:
    """Hold a release against its destinations.

    Raises:
        ChannelError, ReleaseError: a destination cannot be reached, or would not let us write.
    """
    statuses = statuses_of(release.items, planned)
    return statuses, check_places(statuses)


def publish(workspace: Workspace, outcome: Outcome, destinations: Sequence[Destination]) -> Outcome:
    """Send what is not there, unless something keeps the release from going out.

    Raises:
        ReleaseError: naming everything that does, or the file that was refused.
        ChannelError, StoreError: a destination cannot be reached or written.
    """
    refuse(outcome.checks)
    statuses = send_all(outcome.statuses, destinations, workspace.output)
    return Outcome(release=outcome.release, checks=outcome.checks, statuses=statuses)


def refuse(checks: Sequence[Check]) -> None:
    """Stop a release.

    Raises:
        ReleaseError: naming each fault, when there is one.
    """
    faults = [f"{check.name}: {check.fault}" for check in checks if check.fault]
    if faults:
        raise ReleaseError(
            f"this cannot be released: {many(len(faults), 'thing')} to mend",
            details=faults,
            hint="nothing was sent",
        )


def reopen(folder: Path, planned: ReleasePlan) -> tuple[Assembled, Check]:
    """Return a release that was laid out before, every file checked, and whether it is of this commit.

    Raises:
        ReleaseError: it is none, or a file is missing or changed.
    """
    release = read_assembled(folder)
    ours, theirs = (planned.version, planned.commit), (release.version, release.commit)
    fault = (
        ""
        if ours == theirs
        else f"it is {theirs[0]} of {theirs[1][:12]}, this checkout is {ours[0]} of {ours[1][:12]}"
    )
    detail = f"{many(len(release.items), 'artefact')}, as SHA256SUMS says"
    return release, Check(name="laid out", detail=detail, fault=fault)


def _built(workspace: Workspace, jobs: Sequence[Job]) -> Iterator[Path]:
    """Build and verify every cell of this machine's platform; the others have to come as pieces.

    Raises:
        ConfigError: the plan has cells of another platform.
    """
    here = {cell.platform for cell in workspace.cells}
    elsewhere = sorted({job.cell.platform for job in jobs} - here)
    if elsewhere:
        raise ConfigError(
            f"cells for {', '.join(elsewhere)} cannot be built here",
            hint="build them there with `diptych cell`, and give what it left: --pieces DIR",
        )
    for job in jobs:
        workspace.output.line(f"{job.cell.id}:", style="bold")
        yield run_cell(workspace, job.cell, workspace.root / PIECES / job.name).folder


def _laid_out(
    workspace: Workspace,
    request: ReleaseRequest,
    planned: ReleasePlan,
    placed: Sequence[Placed],
    document: Mapping[str, Any],
) -> Assembled:
    with workspace.output.step("sdist") as step:
        sdist = make_sdist(
            workspace.config.source, store=workspace.store, env=workspace.env, epoch=workspace.epoch
        )
        step.text, step.kept = sdist.path.name, sdist.kept
    parts = [*_parts(placed), Part(kind=Kind.SDIST, path=sdist.path, provenance={})]
    origin = origin_of(
        workspace.config.project.name,
        planned.version,
        commit=planned.commit,
        tag=planned.tag,
        env=workspace.env,
    )
    changelog = changelog_of(workspace)
    news = section_of(changelog.read_text(encoding="utf-8"), planned.version) if changelog else None
    with workspace.output.step("release") as step, workspace.store.lock("release"):
        release = assemble(parts, request.out, origin=origin, news=news or "", document=document)
        step.text = f"{many(len(release.items), 'artefact')}, with hashes, bills of materials and provenance, in {request.out}"
    return release


def _parts(placed: Sequence[Placed]) -> Iterator[Part]:
    """Yield the packages of the first compiler, once each: the others' have the same names, and guard only.

    A C++ library's is of several cells, and has the provenance of one.
    """
    seen = set()
    for one in placed:
        if one.first_compiler and not one.piece.served_by:
            yield Part(kind=Kind.WHEEL, path=one.wheel, provenance=provenance_of(one.wheel))
            for path in one.conda.files:
                if path not in seen:
                    facts = provenance_of(path)
                    yield Part(kind=Kind.CONDA, path=path, subdir=one.piece.platform, provenance=facts)
                seen.add(path)
