"""The name to import, as the table will have it."""

from __future__ import annotations

from pathlib import Path

from diptych.adopt.gather import Repository
from diptych.adopt.imports import is_on_disk, listed_packages, packages_on_disk, source_folders
from diptych.adopt.model import Origin, Untold
from diptych.adopt.readpyproject import FILE
from diptych.adopt.table import Line
from diptych.config import forms


def package_line(repository: Repository, untold: list[Untold]) -> Line | None:
    """Name the package to import where the project's own name is not it."""
    name = repository.name
    default = name.replace("-", "_")
    listed = listed_packages(repository.pyproject, repository.setup.words)
    names = [package for package, _ in listed]
    root = repository.root
    sources = source_folders(repository.pyproject, repository.setup.words)
    if name and (default in names or is_on_disk(root, default, sources)):
        return None
    public = [(package, key) for package, key in listed if not package.startswith("_")] or listed
    for package, key in public:
        return Line(key="package", value=package, why=(key,))
    on_disk = packages_on_disk(root, sources)
    folded = [package for package in on_disk if package.lower() == default.lower()]
    if len(on_disk) == 1 or folded:
        package = (folded or on_disk)[0]
        return Line(key="package", value=package, why=(f"the folder {_folder_of(root, package)}",))
    origin = Origin(file=FILE if repository.pyproject.document else "setup.py")
    if on_disk:
        text = f"which package is the one to import: {', '.join(on_disk)}? Set package"
        untold.append(Untold(text=text, origin=origin))
    elif not forms.MODULE.accepts(default):
        untold.append(Untold(text="the name to import: set package", origin=origin))
    return None


def _folder_of(root: Path, package: str) -> str:
    places = (f"{source}{package}" for source in ("", "src/", "python/", "lib/", "source/"))
    return next((place for place in places if (root / place).is_dir()), package)


def import_name(repository: Repository) -> str:
    """Return the name to import: what the table will say, or the default."""
    line = package_line(repository, [])
    return str(line.value) if line else repository.name.replace("-", "_")
