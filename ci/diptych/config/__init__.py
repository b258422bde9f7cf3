"""The settings: one table, ``[tool.diptych]``, read once into frozen values.

:func:`load` is the way in. ``model.py`` has the keys; the parser (``kinds.py``), the JSON schema for
editors (``schema.json``) and the reference page (``docs/reference/table.md``) follow from it.
"""

from __future__ import annotations

from diptych.config.cellid import CellId, parse_cell_id
from diptych.config.load import Config, load
from diptych.config.model import (
    CellSettings,
    CompilerSpec,
    InSourceWay,
    LibrarySpec,
    Override,
    ReleaseSettings,
)
from diptych.config.project import ProjectInfo

__all__ = [
    "CellId",
    "CellSettings",
    "CompilerSpec",
    "Config",
    "InSourceWay",
    "LibrarySpec",
    "Override",
    "ProjectInfo",
    "ReleaseSettings",
    "load",
    "parse_cell_id",
]
