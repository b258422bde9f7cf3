"""The sessions of this repository: the matrix of ``[tool.diptych]``, and the checks of the library itself."""

import nox

from diptych.sessions import define

nox.needs_version = ">=2026.10"

define(__file__)
