"""Write ``data/policies.json`` from the installed auditwheel: ``python -m diptych.policy.generate DATE``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from diptych.output import Output

TARGET = Path(__file__).parents[1] / "data" / "policies.json"


def table(date: str) -> dict[str, Any]:
    """Return auditwheel's policies, turned round: for each version and library the lowest policy that admits it."""
    return {
        "date": date,
        "source": f"auditwheel {metadata.version('auditwheel')}, src/auditwheel/policy/*-policy.json; PEP 600, PEP 656",
        "families": {name: _family(_read(name)) for name in ("manylinux", "musllinux")},
    }


def _read(name: str) -> list[dict[str, Any]]:
    file = resources.files("auditwheel").joinpath(f"policy/{name}-policy.json")
    policies: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return sorted((one for one in policies if one["name"] != "linux"), key=lambda one: -int(one["priority"]))


def _family(policies: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    versions: dict[str, dict[str, str]] = {}
    machines: dict[str, str] = {}
    libraries: dict[str, str] = {}
    for policy in policies:
        short = policy["name"].partition("_")[2]
        for machine, version in _versions(policy):
            machines.setdefault(machine, short)
            if version:
                versions.setdefault(machine, {}).setdefault(version, short)
        for library in policy["lib_whitelist"]:
            libraries.setdefault(library, short)
    return {
        "levels": [policy["name"].partition("_")[2] for policy in policies],
        "aliases": {
            alias: policy["name"].partition("_")[2] for policy in policies for alias in policy["aliases"]
        },
        "machines": machines,
        "libraries": libraries,
        "withheld": _withheld(policies),
        "versions": versions,
    }


def _versions(policy: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for machine, prefixes in policy["symbol_versions"].items():
        yield machine, ""
        for prefix, numbers in prefixes.items():
            yield from ((machine, f"{prefix}_{number}") for number in numbers)


def _withheld(policies: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str | None]]:
    """Return library → symbol → the first policy that does not withhold the symbol."""
    found: dict[str, dict[str, str | None]] = {}
    for policy in policies:
        for library, symbols in policy["blacklist"].items():
            for symbol in symbols:
                found.setdefault(library, {})[symbol] = None
    for library, symbols in found.items():
        for symbol in symbols:
            free = [one for one in policies if symbol not in one["blacklist"].get(library, ())]
            symbols[symbol] = free[0]["name"].partition("_")[2] if free else None
    return found


def main(arguments: Sequence[str]) -> None:
    """Write the file; the date is an argument, so that two runs give the same bytes."""
    TARGET.write_text(json.dumps(table(arguments[0]), indent=1) + "\n", encoding="utf-8")
    Output(env={}).line(f"wrote {TARGET}")


if __name__ == "__main__":
    main(sys.argv[1:])
