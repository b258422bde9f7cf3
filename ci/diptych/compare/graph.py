"""The dependency graph of one side's binaries: nodes and edges of the report's picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from diptych.compare.binary import SideBinary, base_name
from diptych.compare.cell import Comparison
from diptych.compare.side import Side
from diptych.system import is_system_library

SYSTEM = "system"


@dataclass(frozen=True, kw_only=True)
class Node:
    """A library or module.

    Attributes:
        id: its name without folder, hash undone; ``system`` stands for all of the system's libraries.
        kind: ``own``, ``grafted``, ``package`` (of another conda package), ``system`` or ``unknown``.
        note: size, or the package that brings it.
    """

    id: str
    kind: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Nodes, and edges from who needs to what is needed."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]


def graph_of(side: Side, comparison: Comparison) -> Graph:
    """Return the picture of one side."""
    inside = {base_name(place): binary for place, binary in side.binaries.items()}
    names = {
        **{base_name(one.soname): name for name, one in inside.items() if one.soname},
        **{n: n for n in inside},
    }
    edges = tuple(dict.fromkeys(_edges(inside, names)))
    outside = [name for _, name in edges if name not in inside and name != SYSTEM]
    system = sorted(
        {base_name(name) for one in inside.values() for name in one.needed if _is_system(name, one, names)}
    )
    nodes = [
        *(
            Node(id=name, kind="grafted" if one.grafted else "own", note=str(one.size))
            for name, one in inside.items()
        ),
        *(_outside(name, side, comparison) for name in dict.fromkeys(outside)),
        *([Node(id=SYSTEM, kind="system", note=", ".join(system))] if system else []),
    ]
    return Graph(nodes=tuple(nodes), edges=edges)


def _edges(inside: dict[str, SideBinary], names: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, binary in inside.items():
        for needed in binary.needed:
            target = base_name(needed)
            yield name, SYSTEM if _is_system(needed, binary, names) else names.get(target, target)


def _is_system(needed: str, binary: SideBinary, names: dict[str, str]) -> bool:
    return base_name(needed) not in names and is_system_library(needed, binary.format)


def _outside(name: str, side: Side, comparison: Comparison) -> Node:
    for row in comparison.libraries:
        provider = row.left if side is comparison.wheel else row.right
        if provider and provider.name == name and provider.package:
            if provider.how == "system":
                return Node(id=name, kind="system", note=name)
            kind = "package" if provider.how == "dependency" else "unknown"
            return Node(id=name, kind=kind, note=f"{provider.package} {provider.version}".strip())
    return Node(id=name, kind="unknown", note="")
