"""What a release refuses: packages of the local channel or above their floor, findings of severity error, versions that disagree, collisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from diptych.archives import open_package
from diptych.cell.floor import hold_floor
from diptych.compare import Comparison
from diptych.compare.waivers import Waiver, is_of_comparison
from diptych.doctor import examine, find_target
from diptych.errors import FormatError, PackageError
from diptych.fanout.collect import Placed
from diptych.fanout.piece import provenance_of
from diptych.fanout.plan import Job
from diptych.libraries import is_compiled
from diptych.matrix import Cell
from diptych.output import many
from diptych.packages.specs import name_of
from diptych.release.model import Check
from diptych.rules import Severity, all_rules


def check_sources_of(placed: Sequence[Placed], allowed: Sequence[str]) -> Check:
    """Refuse packages that were built from the local channel, unless the release allows it by name."""
    stood_in = {one.piece.name: str(provenance_of(one.wheel).get("fallback") or "") for one in placed}
    built = {name: reason for name, reason in stood_in.items() if reason}
    if not built:
        return Check(name="channels", detail="all packages were built from the channels of the table")
    detail = f"{len(built)} of {many(len(placed), 'cell')} built from the local channel"
    if "local" in allowed:
        return Check(name="channels", detail=f"{detail}, which is allowed")
    reasons = "; ".join(dict.fromkeys(built.values()))
    return Check(
        name="channels",
        detail=detail,
        fault=f'{", ".join(built)}: built from the local channel ({reasons}); allow it by name: release.allow = ["local"]',
    )


def check_libraries(placed: Sequence[Placed], allowed: Sequence[str]) -> Check:
    """Refuse conda packages that depend on a library which the cell's compiler has compiled, as no public channel has it; unless allowed."""
    found = {one.piece.name: names for one in placed if (names := _compiled(one))}
    fault = ""
    if found and "local" not in allowed:
        needs = "; ".join(f"{name} needs {', '.join(names)}" for name, names in found.items())
        fault = (
            f"{needs}, compiled by the cell itself: no public channel has that package; publish it too, "
            'and allow it by name: release.allow = ["local"]'
        )
    detail = "none was compiled by a cell" if not found else f"{many(len(found), 'cell')} of {len(placed)}"
    return Check(name="libraries", detail=detail, fault=fault)


def _compiled(one: Placed) -> list[str]:
    lock = provenance_of(one.wheel).get("lock") or ()
    own = {str(each["name"]) for each in lock if is_compiled(str(each["url"]))}
    depends = []
    for path in one.conda.files if own else ():
        with open_package(path) as package:
            depends += [name_of(str(spec)) for spec in package.metadata.index.get("depends", ())]
    return sorted(own & set(depends))


def check_floors(placed: Sequence[Placed], jobs: Sequence[Job]) -> Check:
    """Refuse packages above the floor of their cell, whoever built them: pieces may come from elsewhere."""
    cells = {job.name: job.cell for job in jobs}
    promised = [(one, cell) for one in placed if (cell := cells.get(one.piece.name)) and cell.settings.floor]
    faults = [fault for one, cell in promised if (fault := _above_floor(one, cell))]
    return Check(
        name="floor",
        detail=f"{len(faults)} above the table's" if faults
        else f"{many(len(promised), 'cell')} of {len(placed)} have one, and keep it",
        fault="; ".join(faults),
    )  # fmt: skip


def _above_floor(one: Placed, cell: Cell) -> str:
    try:
        hold_floor(cell, one.wheel, *one.conda.files)
    except (FormatError, PackageError) as error:
        details = f" ({', '.join(error.details)})" if error.details else ""
        return error.summary + details
    return ""


def check_versions(placed: Sequence[Placed], version: str) -> Check:
    """Hold the versions of every wheel, conda package and CMake project against the backend's."""
    found = [line for one in placed for line in _versions(one, version)]
    fault = f"not version {version}: {'; '.join(found)}" if found else ""
    return Check(
        name="versions",
        detail=f"wheels, conda packages and CMake agree on {version}"
        if not found
        else f"{len(found)} disagree",
        fault=fault,
    )


def _versions(one: Placed, version: str) -> Iterator[str]:
    for path in one.files:
        with open_package(path) as package:
            if package.version != version:
                yield f"{path.name} has {package.version}"
    cmake = provenance_of(one.wheel).get("cmake_version") or ""
    if cmake and cmake != _release_part(version):
        yield f"CMakeLists.txt of {one.piece.name} has {cmake}"


def _release_part(version: str) -> str:
    """Return what CMake can say of a version: digits and dots (cmake-commands(7), ``project(VERSION)``)."""
    from packaging.version import Version  # noqa: PLC0415 -- not needed by a listing

    return Version(version).base_version.rpartition("!")[2]


def check_comparisons(comparisons: Sequence[Comparison]) -> Check:
    """Refuse cells whose wheel and conda package differ in what must be equal."""
    failed = [f"{one.cell}: {'; '.join(one.differences)}" for one in comparisons if not one]
    equal = sum(row.equal for one in comparisons for row in one.code)
    total = sum(len(one.code) for one in comparisons)
    return Check(
        name="compared",
        detail=f"{many(len(comparisons), 'cell')}, {equal} of {total} code sections equal",
        fault=f"wheel and conda package differ: {' | '.join(failed)}" if failed else "",
    )


def check_findings(packages: Sequence[Path], waivers: Sequence[Waiver], *, cwd: Path) -> Check:
    """Let the doctor look at every package; findings of severity error stand unless the table waives them.

    Args:
        packages: wheels and conda packages.
        waivers: of the table; those for differences are not for here.
        cwd: what paths are shown relative to.
    """
    targets = [find_target(str(path), cwd=cwd, search=[]) for path in packages]
    report = examine(targets, rules=all_rules(), host=None)
    ours = [waiver for waiver in waivers if not is_of_comparison(waiver)]
    errors = [one for one in report.findings if one.severity is Severity.ERROR]
    standing = [one for one in errors if not any(waiver.covers(one) for waiver in ours)]
    idle = [waiver for waiver in ours if not any(waiver.covers(one) for one in report.findings)]
    faults = [f"{one.code} {one.place}: {one.message}" for one in standing]
    faults += [
        f'the waiver of {waiver.code} for "{waiver.glob}" covers nothing; remove it' for waiver in idle
    ]
    waived = f", {len(errors) - len(standing)} waived" if len(errors) > len(standing) else ""
    return Check(
        name="findings",
        detail=f"{many(len(packages), 'package')} under {len(report.rules)} rules: {many(len(standing), 'error')}{waived}",
        fault="; ".join(faults),
    )
