"""The figures, and their plain form: the one that is kept, shown and written into the report's document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A package that came along and that other packages may use too.

    Attributes:
        name: as pip or conda calls it.
        version: its version.
        size: bytes of its files.
    """

    name: str
    version: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One side's outcome of the project's own benchmark.

    Attributes:
        seconds: wall time of the command, the best of several.
        numbers: the numbers that it printed, by name: each the median of several.
    """

    seconds: float
    numbers: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one package costs.

    Attributes:
        install_seconds: from nothing to an environment that has the package and its dependencies.
        import_seconds: of the import statement in a fresh interpreter.
        load_seconds: of dlopen of the package's extension modules, and so of all that they link; None when one of
            them cannot be loaded before the package's Python code has run.
        loaded: how many libraries that brought into the process; None where it cannot be counted.
        own: bytes of the package's files once installed.
        shared: what came along beside the interpreter.
        benchmark: of the project, if the table names one.
    """

    install_seconds: float
    import_seconds: float
    load_seconds: float | None
    loaded: int | None
    own: int
    shared: tuple[Shared, ...]
    benchmark: Benchmark | None = None

    @property
    def with_shared(self) -> int:
        """Bytes of the package and of all that came along."""
        return self.own + sum(one.size for one in self.shared)


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Both sides of a cell.

    Attributes:
        left: the wheel.
        right: the conda package.
        command: the benchmark as the table has it, or empty.
    """

    left: Cost
    right: Cost
    command: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"left": _plain(self.left), "right": _plain(self.right), "command": self.command}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Costs:
        """Return what :meth:`to_json` wrote."""
        return cls(left=_cost(raw["left"]), right=_cost(raw["right"]), command=raw["command"])


def _plain(cost: Cost) -> dict[str, Any]:
    plain = asdict(cost)
    return {**plain, "shared": list(plain["shared"]), "with_shared": cost.with_shared}


def _cost(raw: Mapping[str, Any]) -> Cost:
    known = {name: value for name, value in raw.items() if name != "with_shared"}
    benchmark = raw["benchmark"]
    return Cost(
        **{
            **known,
            "shared": tuple(Shared(**one) for one in raw["shared"]),
            "benchmark": Benchmark(**benchmark) if benchmark else None,
        }
    )
