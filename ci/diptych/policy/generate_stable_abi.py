"""Write ``data/stable_abi.json`` from abi3info, which has CPython's Misc/stable_abi.toml: ``python -m diptych.policy.generate_stable_abi``."""

from __future__ import annotations

import json
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

import abi3info

from diptych.output import Output

TARGET = Path(__file__).parents[1] / "data" / "stable_abi.json"


def names() -> dict[str, str]:
    """Return each symbol of the stable ABI with the Python that added it."""
    return {
        one.symbol.name: f"{one.added.major}.{one.added.minor}"
        for kind in (abi3info.FUNCTIONS, abi3info.DATAS)
        for one in kind.values()
    }


def main() -> None:
    """Write the file: the names by the Python that added them."""
    by_version: dict[str, list[str]] = defaultdict(list)
    for name, added in names().items():
        by_version[added].append(name)
    table = {
        "date": version("abi3info"),
        "source": "abi3info on PyPI: CPython's Misc/stable_abi.toml, functions and data",
        "names": {
            added: " ".join(sorted(found))
            for added, found in sorted(by_version.items(), key=lambda each: _number(each[0]))
        },
    }
    TARGET.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    Output(env={}).line(f"wrote {TARGET}")


def _number(added: str) -> tuple[int, ...]:
    return tuple(int(part) for part in added.split("."))


if __name__ == "__main__":
    main()
