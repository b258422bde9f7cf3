"""Match the files of two packages: which file of one is which of the other, and how alike they are."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from diptych.compare.binary import SideBinary
from diptych.compare.side import Side, SideFile


class State(enum.Enum):
    """How alike a file is on both sides."""

    EQUAL = "equal"
    RELINKED = "relinked"
    """Other bytes, but every code section is the same: only what the loader reads was changed."""
    DIFFERENT = "different"
    ONLY_LEFT = "only left"
    ONLY_RIGHT = "only right"


@dataclass(frozen=True, kw_only=True)
class FilePair:
    """One place, with what is there on each side."""

    place: str
    role: str
    state: State
    left: SideFile | None
    right: SideFile | None


@dataclass(frozen=True, kw_only=True)
class BinaryPair:
    """A binary that both sides have; the stage's too, when there is one."""

    place: str
    left: SideBinary
    right: SideBinary
    stage: SideBinary | None = None

    @property
    def foreign(self) -> bool:
        """Whether a repair tool brought it in from elsewhere than the stage."""
        return self.stage is None and (self.left.grafted or self.right.grafted)

    @property
    def same_code(self) -> bool:
        """Whether every code section is there and the same on all sides."""
        sides = [self.left.code, self.right.code, *([self.stage.code] if self.stage else [])]
        return all(dict(side) == dict(sides[0]) for side in sides)


@dataclass(frozen=True, kw_only=True)
class CodeRow:
    """One code section of one of the project's own binaries, on every side.

    Attributes:
        binary: its place.
        section: the section's name.
        stage: its hash in the stage; None where it is not there, likewise ``left`` and ``right``.
        staged: whether there is a stage to hold against.
    """

    binary: str
    section: str
    stage: str | None
    left: str | None
    right: str | None
    staged: bool = True

    @property
    def equal(self) -> bool:
        """Whether it is there and the same on all sides."""
        same = self.left is not None and self.left == self.right
        return same and (not self.staged or self.stage == self.left)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two packages side by side, as the rules see them.

    Attributes:
        left: usually the wheel.
        right: usually the conda package.
        stage: what both were packed from, when it is known.
        one_build: both are said to come from one compile, so that unlike code is an error.
        lock: conda packages of the host environment and their versions, when known.
        outside: places of the stage outside of site-packages, as the record of the build says; for when the stage is not here.
        files: every place of both.
        binaries: the binaries that both have.
        code: every code section of the project's own binaries.
    """

    left: Side
    right: Side
    stage: Side | None = None
    one_build: bool = True
    lock: Mapping[str, str] = field(default_factory=dict)
    outside: frozenset[str] = frozenset()
    files: tuple[FilePair, ...]
    binaries: tuple[BinaryPair, ...]
    code: tuple[CodeRow, ...]

    @cached_property
    def links(self) -> Mapping[str, str]:
        """Names of the packages' own libraries that are links, such as ``libx.so.3``, and the file that each leads to."""
        found: dict[str, str] = {}
        for side in (self.left, self.right):
            for file in side.files.values():
                folder, _, name = file.place.rpartition("/")
                target = file.place
                while (link := side.files.get(target)) and link.link and "/" not in link.link:
                    target = f"{folder}/{link.link}"
                if target != file.place and target in side.binaries:
                    found[name] = target.rpartition("/")[2]
        return found

    def library(self, name: str) -> str:
        """Return a library's file name: auditwheel names what it grafts by the file, and others ask for the link."""
        return self.links.get(name, name)

    @property
    def titles(self) -> tuple[str, str]:
        """What to call the two sides in a sentence."""
        names = {"wheel": "the wheel", "conda": "the conda package", "folder": "the folder"}
        left, right = names[self.left.kind], names[self.right.kind]
        return (left, right) if left != right else (f"the first {left[4:]}", f"the second {right[4:]}")


def lay_out(
    left: Side,
    right: Side,
    *,
    stage: Side | None = None,
    one_build: bool = True,
    lock: Mapping[str, str] | None = None,
    outside: Iterable[str] = (),
) -> Pair:
    """Match the files of two sides by their places."""
    twins = _twins(left, right)
    binaries = tuple(_binary_pairs(left, right, stage, twins))
    files = tuple(_file_pairs(left, right, twins, {pair.place: pair for pair in binaries}))
    return Pair(
        left=left,
        right=right,
        stage=stage,
        one_build=one_build,
        lock=lock or {},
        outside=frozenset(outside),
        files=files,
        binaries=binaries,
        code=tuple(_code_rows(left, right, stage, twins)),
    )


def _twins(left: Side, right: Side) -> dict[str, str]:
    """Return left place → right place; a module whose only other is its extension suffix is matched too."""
    twins = {place: place for place in left.files if place in right.files}
    lonely = {one.stem: one.name for one in right.own if one.name not in left.files}
    for one in left.own:
        if one.name not in twins and one.stem in lonely:
            twins[one.name] = lonely[one.stem]
    return twins


def _binary_pairs(
    left: Side, right: Side, stage: Side | None, twins: Mapping[str, str]
) -> Iterator[BinaryPair]:
    for place, binary in left.binaries.items():
        other = right.binaries.get(twins.get(place, ""))
        if other is not None:
            origin = stage.binaries.get(place) if stage else None
            yield BinaryPair(place=place, left=binary, right=other, stage=origin)


def _file_pairs(
    left: Side, right: Side, twins: Mapping[str, str], binaries: Mapping[str, BinaryPair]
) -> Iterator[FilePair]:
    for place, file in left.files.items():
        other = right.files.get(twins.get(place, ""))
        if other is None:
            yield FilePair(place=place, role=file.role, state=State.ONLY_LEFT, left=file, right=None)
            continue
        role = file.role if file.role in {other.role, "grafted"} else other.role
        state = _state(file, other, binaries.get(place))
        yield FilePair(place=place, role=role, state=state, left=file, right=other)
    matched = set(twins.values())
    for place, file in right.files.items():
        if place not in matched:
            yield FilePair(place=place, role=file.role, state=State.ONLY_RIGHT, left=None, right=file)


def _state(left: SideFile, right: SideFile, binary: BinaryPair | None) -> State:
    if (left.link, left.sha256) == (right.link, right.sha256):
        return State.EQUAL
    if binary is not None and dict(binary.left.code) == dict(binary.right.code):
        return State.RELINKED
    return State.DIFFERENT


def _code_rows(left: Side, right: Side, stage: Side | None, twins: Mapping[str, str]) -> Iterator[CodeRow]:
    backwards = {other: place for place, other in twins.items()}
    names = {one.name for one in left.own} | {backwards.get(one.name, one.name) for one in right.own}
    if stage:
        names |= {one.name for one in stage.own}
    for name in sorted(names):
        if name in left.binaries and left.binaries[name].grafted and not _code(stage, name):
            continue  # the conda package ships as its own what the wheel has grafted
        sides = (_code(left, name), _code(right, twins.get(name, name)), _code(stage, name))
        for section in _sections(sides):
            yield CodeRow(
                binary=name,
                section=section,
                left=sides[0].get(section),
                right=sides[1].get(section),
                stage=sides[2].get(section),
                staged=stage is not None,
            )


def _sections(sides: Sequence[Mapping[str, str]]) -> list[str]:
    return sorted({section for side in sides for section in side})


def _code(side: Side | None, name: str) -> Mapping[str, str]:
    binary = side.binaries.get(name) if side else None
    return binary.code if binary else {}
