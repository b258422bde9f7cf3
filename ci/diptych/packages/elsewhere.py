"""What a backend's wheel has for other places than site-packages: its ``.data`` folders (PEP 427, "the .data directory")."""

from __future__ import annotations

import shutil
from pathlib import Path

from diptych.binaries import find_binaries
from diptych.errors import PackageError
from diptych.packages.metadata import Metadata


def check_elsewhere(extra: Path | None) -> None:
    """Refuse binaries there, since only those of site-packages are relinked, and folders that no installer knows.

    Args:
        extra: folders named ``scripts``, ``headers`` and ``data``; None when the wheel has nothing of the kind.

    Raises:
        PackageError: naming each.
    """
    unknown = sorted({one.name for one in extra.iterdir()} - {"scripts", "headers", "data"}) if extra else []
    if unknown:
        raise PackageError(
            f"the wheel of the build backend has .data folders that no installer knows: {', '.join(unknown)}",
            hint="PEP 427 has purelib, platlib, scripts, headers and data",
        )
    found = sorted(find_binaries(extra)) if extra else []
    if extra and found:
        raise PackageError(
            "the wheel of the build backend has binaries outside site-packages, which would not be relinked",
            details=[path.relative_to(extra).as_posix() for path in found],
            hint="let the backend install them into the package's own folder",
        )


def into_wheel(extra: Path | None, content: Path, metadata: Metadata) -> None:
    """Copy the folders into a wheel's content, under the name that belongs to its metadata."""
    if extra:
        shutil.copytree(extra, content / f"{metadata.stem}.data")


def into_prefix(extra: Path | None, folder: Path, *, python: str, metadata: Metadata) -> None:
    """Lay the files out as below a prefix, where pip puts them.

    Args:
        extra: as for :func:`check_elsewhere`.
        folder: made here; stays empty when there is nothing.
        python: "3.11".
        metadata: its name is the folder of the headers (pip, ``get_scheme``: ``include/pythonX.Y/NAME``).
    """
    places = {"scripts": "bin", "headers": f"include/python{python}/{metadata.name}", "data": "."}
    folder.mkdir()
    for scheme in sorted(extra.iterdir()) if extra else ():
        shutil.copytree(scheme, folder / places[scheme.name], dirs_exist_ok=True)
    # An installer makes them executable, whatever mode the wheel has (binary distribution format, "Recommended installer features").
    for script in (folder / "bin").glob("*"):
        script.chmod(0o755)
