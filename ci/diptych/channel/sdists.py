"""Projects of which PyPI has a source distribution alone: pip makes the wheel, where nothing is compiled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from diptych.errors import ProcessError

FOLDER = "from-sdists"
"""Below the channel's folder: the wheels that were made, which pip is given with ``--find-links``."""
_MISSING = re.compile(
    r"No matching distribution found for ([\w.-]+?)(\[[\w,. -]*\])?((?:[<>=!~]=?|===)[^\s]*)?(?:\s|$)"
)


class _Pip(Protocol):
    """Runs pip for an interpreter."""

    def __call__(self, arguments: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> None: ...


def wanted_sdist(lines: Iterable[str]) -> tuple[str, str] | None:
    """Return project and versions that pip found no wheel of; None when it has failed otherwise.

    >>> wanted_sdist(["ERROR: No matching distribution found for psleak>=0.1"])
    ('psleak', '>=0.1')
    """
    found = _MISSING.search("\n".join(lines))
    return (found[1], found[3] or "") if found else None


def is_pure(wheel: Path) -> bool:
    """Tell whether a wheel is for every Python and machine by its name (PEP 427)."""
    return wheel.name.endswith("-none-any.whl") and "-py" in wheel.name


def make_wheel(
    project: str, versions: str, folder: Path, pip: _Pip, *, env: Mapping[str, str]
) -> Path | None:
    """Let pip make a wheel of a source distribution; None when there is none, or when it is one of compiled code.

    Args:
        project: its name.
        versions: which, as PEP 440 has it.
        folder: where the wheel goes.
        pip: runs pip for the interpreter, with arguments and a working folder.
        env: pip's own settings.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.glob("*.whl"))
    options = ["--no-deps", "--no-binary", project, "--quiet", "--wheel-dir", str(folder)]
    try:
        pip(["wheel", *options, f"{project}{versions}"], env=env, cwd=folder)
    except ProcessError:
        return None
    made = next(iter(set(folder.glob("*.whl")) - before), None)
    if made is not None and not is_pure(made):
        made.unlink()
        return None
    return made
