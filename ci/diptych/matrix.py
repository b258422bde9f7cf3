"""The matrix: every cell that ``[tool.diptych]`` asks for, in order, before anything runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from diptych.config import CellId, CellSettings, CompilerSpec, Config
from diptych.config.cellid import near_cell, unmatched
from diptych.config.known import SanitizerKind, sanitizer_of
from diptych.config.overrides import settings_of
from diptych.errors import ConfigError, UnsupportedError
from diptych.pythons import abi_tag, interpreter_tag, is_free_threaded, site_packages

Platform: TypeAlias = Literal[
    "linux-64", "linux-aarch64", "linux-ppc64le", "linux-riscv64", "linux-s390x", "osx-64", "osx-arm64"
]
"""A platform under conda's name for it."""

_PLATFORMS: dict[tuple[str, str], Platform] = {
    ("linux", "x86_64"): "linux-64",
    ("linux", "amd64"): "linux-64",
    ("linux", "aarch64"): "linux-aarch64",
    ("linux", "arm64"): "linux-aarch64",
    ("linux", "ppc64le"): "linux-ppc64le",
    ("linux", "riscv64"): "linux-riscv64",
    ("linux", "s390x"): "linux-s390x",
    ("darwin", "x86_64"): "osx-64",
    ("darwin", "arm64"): "osx-arm64",
}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One entry of the matrix.

    Attributes:
        python: such as ``3.11``; ``3.14t`` is the one without the GIL.
        compiler: what the compiler's name stands for.
        platform: conda's name of the platform.
        first_compiler: the compiler is the first of the table, the one that releases are made with.
        settings: the per-cell keys, after overrides.
    """

    python: str
    compiler: CompilerSpec
    platform: Platform
    first_compiler: bool
    settings: CellSettings

    @property
    def cell_id(self) -> CellId:
        """Its name as a value that selectors are held against."""
        return CellId(python=self.python, compiler=self.compiler.name)

    @property
    def id(self) -> str:
        """Its name, such as ``3.11-gcc``; :func:`diptych.config.parse_cell_id` takes it apart."""
        return str(self.cell_id)

    @property
    def python_digits(self) -> str:
        """The Python as in ``libboost_python311``."""
        return self.python.replace(".", "")

    @property
    def sanitizer(self) -> SanitizerKind | None:
        """The sanitizer that its tests in source run under; then no package is made of it."""
        return sanitizer_of(self.compiler.name)

    @property
    def free_threaded(self) -> bool:
        """Whether its Python is one without the GIL, such as ``3.14t``."""
        return is_free_threaded(self.python)

    @property
    def site_packages(self) -> PurePosixPath:
        """Where site-packages is, relative to the prefix of an environment."""
        return site_packages(self.python)

    @property
    def machine(self) -> str:
        """The processor as in a wheel's tag, such as ``x86_64``."""
        word = self.platform.partition("-")[2]
        return {"64": "x86_64"}.get(word, word)

    @property
    def tag(self) -> str:
        """The Python as in a wheel's file name, such as ``cp311``."""
        return interpreter_tag(self.python)

    @property
    def abi(self) -> str:
        """Its ABI as in a wheel's file name: the same, with a ``t`` where there is no GIL (PEP 703)."""
        return abi_tag(self.python)


def detect_platform(system: str, machine: str) -> Platform:
    """Return conda's name of a platform.

    Args:
        system: ``sys.platform``.
        machine: ``platform.machine()``.

    Raises:
        UnsupportedError: Diptych does not work there.
    """
    if system in {"win32", "cygwin", "msys"}:
        raise UnsupportedError(
            "Diptych does not work on Windows yet", hint="use WSL, or Linux or macOS in CI"
        )
    try:
        return _PLATFORMS[system, machine.lower()]
    except KeyError:
        known = ", ".join(dict.fromkeys(_PLATFORMS.values()))
        raise UnsupportedError(
            f'Diptych does not work on "{system}" with a processor "{machine}" yet',
            hint=f"it works on {known}",
        ) from None


def session_kinds(pythons: Sequence[str], taken: Collection[str]) -> dict[str, str]:
    """Return what the sessions of each kind are called, before the Python: ``build`` in ``build-3.11``.

    Args:
        pythons: the Pythons of the matrix.
        taken: names of a noxfile's own sessions; where one is of ours, ours is ``diptych-build``.
    """
    kinds = ("build", "test", "shell", "verify", "compare")
    return {
        kind: f"diptych-{kind}" if {kind, *(f"{kind}-{python}" for python in pythons)} & set(taken) else kind
        for kind in kinds
    }


def cells(config: Config, *, platform: Platform) -> tuple[Cell, ...]:
    """Return the cells of a configuration, Python-major, compilers in the order of the table."""
    specs = {spec.name: spec for spec in config.compilers}
    return tuple(
        Cell(
            python=cell.python,
            compiler=specs[cell.compiler],
            platform=platform,
            first_compiler=cell.compiler == config.compilers[0].name,
            settings=settings_of(cell, base=config.settings, overrides=config.overrides),
        )
        for cell in config.ids
    )


def select(cells: Sequence[Cell], patterns: Sequence[str]) -> tuple[Cell, ...]:
    """Return the cells that any pattern means, in the order of the matrix; without patterns, all.

    Args:
        cells: the matrix.
        patterns: cell ids, Pythons, compilers, or globs over one of them.

    Raises:
        ConfigError: a pattern matches no cell; the nearest name is proposed.
    """
    ids = [cell.cell_id for cell in cells]
    idle = [f'"{patterns[index]}" matches no cell{near}' for index, near in unmatched(patterns, ids)]
    if idle:
        there = " ".join(map(str, ids))
        raise ConfigError(
            idle[0], details=idle[1:], hint=f"the cells are: {there}" if ids else "there is no cell"
        )
    return tuple(
        cell for cell in cells if not patterns or any(cell.cell_id.matches(pattern) for pattern in patterns)
    )


def with_packages(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Return the cells that packages are made of: all but those of sanitizers."""
    return tuple(cell for cell in cells if not cell.sanitizer)


def find_with_packages(cells: Sequence[Cell], name: str) -> Cell:
    """Return the one cell of exactly that id, as :func:`find` does.

    Raises:
        ConfigError: there is none, or no package is made of it.
    """
    cell = find(cells, name)
    if cell.sanitizer:
        raise ConfigError(
            f"no package is made of {name}: its tests in source run under a sanitizer",
            hint=f"diptych sanitizers {name} shows what it found",
        )
    return cell


def find(cells: Sequence[Cell], name: str) -> Cell:
    """Return the one cell of exactly that id.

    Raises:
        ConfigError: there is none; the nearest name is proposed.
    """
    for cell in cells:
        if cell.id == name:
            return cell
    near = near_cell(name, [cell.cell_id for cell in cells])
    raise ConfigError(f'there is no cell "{name}"{near}', hint="`invoke matrix` lists the cells")


def to_json(cells: Sequence[Cell]) -> list[dict[str, str | bool]]:
    """Return the matrix for machines: a flat object a cell, as ``include`` of a GitHub matrix wants it."""
    return [
        {
            "id": cell.id,
            "python": cell.python,
            "compiler": cell.compiler.name,
            "platform": cell.platform,
            "first_compiler": cell.first_compiler,
        }
        for cell in cells
    ]


ROW_TITLES = ("cell", "Python", "compiler", "platform", "compiles against", "channels")
"""The titles over :func:`rows`."""


def rows(cells: Sequence[Cell]) -> list[tuple[str, ...]]:
    """Return the matrix for people: a row of text a cell, under :data:`ROW_TITLES`."""
    return [
        (
            cell.id,
            cell.python,
            cell.compiler.name + (" (releases)" if cell.first_compiler else ""),
            cell.platform,
            ", ".join(cell.settings.host),
            ", ".join(cell.settings.channels),
        )
        for cell in cells
    ]
