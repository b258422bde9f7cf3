"""``diptych schema``: the JSON schema of the table, for editors."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from diptych.tasks.surface import process_output, surface

if TYPE_CHECKING:
    from invoke.context import Context


@surface()
def schema(_context: Context) -> None:
    """Print the JSON schema of [tool.diptych]."""
    process_output().raw(
        resources.files("diptych.config").joinpath("schema.json").read_text(encoding="utf-8")
    )
