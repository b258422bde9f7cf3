"""pip, always the one that is installed with Diptych, acting on another interpreter."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def pip_install(python: Path) -> tuple[str | os.PathLike[str], ...]:
    """Return the command that installs into the environment of ``python``, to which the targets are added."""
    return (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile")


def pip_list(python: Path) -> tuple[str | os.PathLike[str], ...]:
    """Return the command that lists the environment of ``python`` as JSON."""
    return (sys.executable, "-m", "pip", "--python", python, "list", "--format=json")
