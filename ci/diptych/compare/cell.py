"""Compare the two packages of one cell with each other and with the stage that both came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from diptych.compare.panel import Panel, PanelBinary, read_panel

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class CodeRow:
    """One code section of one binary, in the three places.

    Attributes:
        binary: name as seen from site-packages.
        section: its name.
        stage: its hash in the stage, likewise ``wheel`` and ``conda``; None where it is not there.
    """

    binary: str
    section: str
    stage: str | None
    wheel: str | None
    conda: str | None

    @property
    def equal(self) -> bool:
        """Whether the three are there and the same."""
        return self.stage is not None and self.stage == self.wheel == self.conda


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The verdict over one cell.

    Attributes:
        cell: its id.
        stage: the panel of the install tree, likewise ``wheel`` and ``conda``.
        code: every code section of every binary.
        differences: what must not differ and does, a sentence each; empty when all is well.
    """

    cell: str
    stage: Panel
    wheel: Panel
    conda: Panel
    code: tuple[CodeRow, ...]
    differences: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether the two packages hold the same code."""
        return not self.differences

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as plain values."""
        return {"schema": SCHEMA_VERSION, **asdict(self), "equal": bool(self)}


def compare_cell(cell: str, *, stage: Path, wheel: Path, conda: Path) -> Comparison:
    """Read the three and hold them against each other.

    Raises:
        FormatError: a package or a binary is damaged.
    """
    panels = read_panel(stage), read_panel(wheel), read_panel(conda)
    code = tuple(_code_rows(*panels))
    return Comparison(
        cell=cell,
        stage=panels[0],
        wheel=panels[1],
        conda=panels[2],
        code=code,
        differences=tuple(_differences(*panels, code)),
    )


def _code_rows(stage: Panel, wheel: Panel, conda: Panel) -> Iterator[CodeRow]:
    own = sorted({binary.name for panel in (stage, wheel, conda) for binary in panel.own})
    for name in own:
        sides = [_code(panel, name) for panel in (stage, wheel, conda)]
        for section in sorted({section for side in sides for section in side}):
            hashes = [side.get(section) for side in sides]
            yield CodeRow(binary=name, section=section, stage=hashes[0], wheel=hashes[1], conda=hashes[2])


def _code(panel: Panel, name: str) -> dict[str, str]:
    binary = panel.binaries.get(name)
    return dict(binary.code) if binary else {}


def _differences(stage: Panel, wheel: Panel, conda: Panel, code: tuple[CodeRow, ...]) -> Iterator[str]:
    for row in code:
        if not row.equal:
            yield f"{row.binary}: section {row.section} is not the same in stage, wheel and conda package"
    expected = set(stage.files)
    for title, panel in (("wheel", wheel), ("conda package", conda)):
        grafted = {binary.name for binary in panel.grafted}
        found = {name for name in panel.files if not _is_metadata(name)} - grafted
        for name in sorted(expected - found):
            yield f"{name}: in the stage, not in the {title}"
        for name in sorted(found - expected):
            yield f"{name}: in the {title}, not in the stage"
    for binary in wheel.own:
        other = conda.binaries.get(binary.name)
        if other and set(binary.needed) != set(other.needed):
            yield _needed_difference(binary, other)


def _needed_difference(wheel: PanelBinary, conda: PanelBinary) -> str:
    only_wheel = sorted(set(wheel.needed) - set(conda.needed))
    only_conda = sorted(set(conda.needed) - set(wheel.needed))
    sides = [("wheel", only_wheel), ("conda package", only_conda)]
    told = "; ".join(f"only in the {side}: {', '.join(names)}" for side, names in sides if names)
    return f"{wheel.name}: needed libraries differ: {told}"


def _is_metadata(name: str) -> bool:
    top = name.split("/", 1)[0]
    return top.endswith((".dist-info", ".egg-info")) or name.startswith("info/") or "__pycache__/" in name
