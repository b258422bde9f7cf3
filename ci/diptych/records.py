"""The record of a cell's last build, which verify, compare and release read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from diptych.errors import StoreError
from diptych.store import Store, sha256_file, write_json

PROVENANCE = ".provenance.json"
"""Added to a package's file name: the file beside it that says where it comes from."""

OUTSIDE = "outside"
"""In a cell's provenance: what its stage holds outside of site-packages and programs, which a wheel has no place for."""

LIBRARY = "library"
"""In the store, the folder beside a conda package with that of the C++ library which it was split from."""


@dataclass(frozen=True, kw_only=True)
class CondaPackages:
    """The conda packages of one cell: they were packed together and go together wherever one of them goes.

    Attributes:
        main: the one with the Python modules.
        library: that of the C++ library which it was split from; None where all is in one.
    """

    main: Path
    library: Path | None = None

    @classmethod
    def kept(cls, main: Path) -> CondaPackages:
        """Return those of the store that ``main`` is one of."""
        return cls(main=main, library=next(iter((main.parent / LIBRARY).glob("*.conda")), None))

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them, the main one first."""
        return (self.main, self.library) if self.library else (self.main,)

    def placed(self, folder: Path) -> CondaPackages:
        """Return the same names in another folder, such as a channel's, where all lie side by side."""
        library = folder / self.library.name if self.library else None
        return CondaPackages(main=folder / self.main.name, library=library)


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """A finished package.

    Attributes:
        kind: "wheel" or "conda".
        path: the file in the store.
        sha256: of its bytes.
        size: in bytes.
        tag: platform tag of a wheel, platform and build string of a conda package.
    """

    kind: str
    path: Path
    sha256: str
    size: int
    tag: str

    @classmethod
    def of(cls, kind: str, path: Path) -> Artefact:
        """Return what a finished package is, read off the file and its name."""
        tag = path.stem.rsplit("-", 1)[-1]
        return cls(kind=kind, path=path, sha256=sha256_file(path), size=path.stat().st_size, tag=tag)

    @property
    def together(self) -> tuple[Artefact, ...]:
        """A conda package of the store, and that of the C++ library which it was split from."""
        library = CondaPackages.kept(self.path).library
        return (self, Artefact.of(self.kind, library)) if library else (self,)


@dataclass(frozen=True, kw_only=True)
class CellRecord:
    """The outcome of one cell's build.

    Attributes:
        cell: its id.
        stage: the stage's tree.
        stage_key: the hash of all that went into it.
        wheel: the wheel.
        conda: the conda package, with the Python modules where it was split.
        channels: where dependencies come from.
        fallback: why the local channel stood in, or empty.
        published: the files in ``dist/``: wheel, conda package, and the package of its C++ library if there is one.
        provenance: all that belongs beside a package.
        served_by: the cell that has made the packages, when they are of the stable ABI and that is an older Python's; else empty.
    """

    cell: str
    stage: Path
    stage_key: str
    wheel: Artefact
    conda: Artefact
    channels: tuple[str, ...]
    fallback: str
    published: tuple[Path, ...]
    provenance: dict[str, Any]
    served_by: str = ""

    @property
    def conda_packages(self) -> CondaPackages:
        """The conda package in the store, with all that was packed together with it."""
        return CondaPackages.kept(self.conda.path)


def write_record(store: Store, record: CellRecord) -> None:
    """Leave the record of a cell, replacing the one before."""
    write_json(_path(store, record.cell), asdict(record))


def read_record(store: Store, cell: str) -> CellRecord | None:
    """Read the record of a cell whose packages are still there; None when it has to be built.

    Raises:
        StoreError: the record is damaged.
    """
    path = _path(store, cell)
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise StoreError(f'"{path}" is damaged: {error}', hint=f"remove it and build {cell} again") from error
    record = CellRecord(
        cell=raw["cell"],
        stage=Path(raw["stage"]),
        stage_key=raw["stage_key"],
        wheel=_artefact(raw["wheel"]),
        conda=_artefact(raw["conda"]),
        channels=tuple(raw["channels"]),
        fallback=raw["fallback"],
        published=tuple(map(Path, raw["published"])),
        provenance=raw["provenance"],
        served_by=raw.get("served_by", ""),
    )
    return record if record.wheel.path.is_file() and record.conda.path.is_file() else None


def _artefact(raw: dict[str, Any]) -> Artefact:
    return Artefact(**{**raw, "path": Path(raw["path"])})


def _path(store: Store, cell: str) -> Path:
    return store.root / "cells" / f"{cell}.json"
