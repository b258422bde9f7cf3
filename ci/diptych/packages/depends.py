"""A finished package's run dependencies: true, none twice, and none that nothing needs.

rattler-build writes down what the recipe says and what the packages of its host environment export (``run_exports``, CEP 12).
Added are the needs of the binaries; taken away is what a package of libraries exported though no binary links it. What
the recipe itself names under ``run`` stays: it may be loaded by ``dlopen``, or called as a command.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from diptych.packages.family import license_family
from diptych.packages.needs import Need
from diptych.packages.specs import merged, name_of


@dataclass(frozen=True, kw_only=True)
class RunNeeds:
    """What the package's binaries say of its dependencies.

    Attributes:
        needs: what they need of the system and the compiler's runtime.
        idle: packages of libraries in the host environment none of which is linked.
    """

    needs: tuple[Need, ...] = ()
    idle: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Settled:
    """The dependencies as they stand in the package.

    Attributes:
        depends: one a name, with where it comes from.
        dropped: those that nothing needs, likewise.
    """

    depends: tuple[Need, ...]
    dropped: tuple[Need, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def settle(root: Path, found: RunNeeds) -> Settled:
    """Rewrite ``depends`` in the ``info/index.json`` of an unpacked package, and add the family of its licence.

    Args:
        root: the unpacked package, with rattler-build's rendered recipe in it.
        found: what its binaries say.

    Raises:
        PackageError: two sources contradict each other.
    """
    path = root / "info" / "index.json"
    index = json.loads(path.read_text(encoding="utf-8"))
    sources = dict(_sources(root))
    stated = [
        Need(spec=spec, source=sources.get(spec, "the recipe's run")) for spec in index.get("depends", ())
    ]
    dropped = tuple(need for need in stated if name_of(need.spec) in found.idle and _exported(need))
    depends = merged([*(need for need in stated if need not in dropped), *found.needs])
    index["depends"] = [need.spec for need in depends]
    if index.get("license"):
        index.setdefault("license_family", license_family(index["license"]))
    path.write_text(json.dumps(index, indent=2), encoding="utf-8")
    return Settled(depends=tuple(depends), dropped=dropped)


_EXPORTED = "the run exports of "


def _exported(need: Need) -> bool:
    return need.source.startswith(_EXPORTED)


def _sources(root: Path) -> Iterator[tuple[str, str]]:
    """Yield each run dependency that a package exported, with the name of that package; the recipe's own come last."""
    import yaml  # noqa: PLC0415 -- only when a package is made

    path = root / "info" / "recipe" / "rendered_recipe.yaml"
    rendered = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    entries: list[Mapping[str, str]] = _run_part(rendered).get("depends") or []
    for entry in entries:
        if "run_export" in entry:
            yield entry["spec"], f"{_EXPORTED}{entry['run_export']}"
    for entry in entries:
        if "run_export" not in entry:
            yield str(entry.get("source") or entry.get("spec")), "the recipe's run"


def _run_part(rendered: Mapping[str, Any]) -> dict[str, Any]:
    part: dict[str, Any] = (rendered.get("finalized_dependencies") or {}).get("run") or {}
    return part
