"""``python -m diptych.config.generate``: write schema and reference page again from the settings model."""

from __future__ import annotations

import json
from pathlib import Path

from diptych.config.reference import reference
from diptych.config.schema import schema
from diptych.store import write_text

CHECKOUT = Path(__file__).resolve().parents[3]


def generated() -> dict[str, str]:
    """Return the text of every generated file by its path in the checkout."""
    return {
        "ci/diptych/config/schema.json": json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
        "docs/reference/table.md": reference(),
    }


def write(checkout: Path) -> None:
    """Write every generated file into a checkout."""
    for name, text in generated().items():
        write_text(checkout / name, text)


if __name__ == "__main__":
    write(CHECKOUT)
