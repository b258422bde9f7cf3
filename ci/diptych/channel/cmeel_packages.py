"""Boost and Eigen, split into packages as conda-forge does, from the ``cmeel-boost`` and ``cmeel-eigen`` wheels.

The cuts follow boost-feedstock: ``libboost-headers`` (include/), ``libboost`` (shared libraries),
``libboost-devel`` (plain .so names and CMake files), and for one Python ``libboost-python`` and
``libboost-python-devel``. cmeel's CMake files find everything relative to themselves, so only their place
changes:
``cmeel.prefix/`` becomes the prefix.

cmeel links without ``--as-needed``: Boost.Python names libboost_graph and libboost_container and uses
neither. conda-forge's own build does not name them, so such entries are dropped here, and the change is
recorded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

from diptych.channel import elf
from diptych.channel.package import Package, PackageFile, subdir_of
from diptych.channel.python_package import names_of
from diptych.channel.wheel import Member, Wheel
from diptych.errors import ChannelError
from diptych.interpreters import Interpreter
from diptych.siblings import INNER_PREFIX
from diptych.specs import to_conda
from diptych.store import digest

_PREFIX = f"{INNER_PREFIX}/"
_RPATH = "$ORIGIN/."
_PYTHON_PART = re.compile(r"lib/libboost_(python|numpy)\d+\.|lib/cmake/boost_(python|numpy|mpi_python)-")
_LIBRARY = re.compile(r"lib/[^/]+\.so\.[\d.]+$")
_PLAIN_NAME = re.compile(r"lib/[^/]+\.so$")


@dataclass(frozen=True, kw_only=True)
class Cutting:
    """What the cuts of one wheel are made from.

    Attributes:
        wheel: open, and kept open until the packages are written.
        interpreter: the Python of per-Python packages.
        scratch: an empty folder for changed files.
        origin: where the wheel came from.
        env: to run patchelf in.
    """

    wheel: Wheel
    interpreter: Interpreter
    scratch: Path
    origin: Mapping[str, object]
    env: Mapping[str, str]


def cut(name: str, cutting: Cutting) -> Package:
    """Return one conda package of a cmeel wheel.

    Raises:
        ChannelError: the wheel has nothing for it (another layout than cmeel 1.9 writes).
    """
    return _CUTS[name](cutting)


def content_key(name: str, wheel: Wheel) -> str:
    """Return a key of what a package takes from a wheel, from the zip's checksums alone.

    The cmeel-boost wheels of all Pythons hold the same headers: they are packed once. The shared libraries
    differ in a few bytes from build to build; the first wheel's serve all, as one version is one package on
    conda-forge.
    """
    if name == "libboost":
        return digest(name, str(wheel.version))
    taken = sorted((path, each.crc) for path, each in _members(wheel) if _SELECT[name](path))
    return digest(name, str(wheel.version), taken)


def _members(wheel: Wheel) -> Iterator[tuple[str, Member]]:
    """Yield (path in the prefix, member)."""
    for member in wheel.members():
        if member.path.startswith(_PREFIX):
            yield member.path.removeprefix(_PREFIX), member


def _is_python(path: str) -> bool:
    return _PYTHON_PART.match(path) is not None


_SELECT: dict[str, Callable[[str], bool]] = {
    "libboost-headers": lambda path: path.startswith("include/"),
    "libboost": lambda path: bool(_LIBRARY.match(path)) and not _is_python(path),
    "libboost-devel": lambda path: path.startswith("lib/cmake/") and not _is_python(path),
    "libboost-python": lambda path: bool(_LIBRARY.match(path)) and _is_python(path),
    "libboost-python-devel": lambda path: path.startswith("lib/cmake/") and _is_python(path),
    "eigen": lambda path: path.startswith(("include/", "share/")),
}


def _selected(name: str, cutting: Cutting) -> list[tuple[str, Member]]:
    found = [(path, each) for path, each in _members(cutting.wheel) if _SELECT[name](path)]
    if not found:
        raise ChannelError(f'wheel "{cutting.wheel.path.name}" holds nothing for package "{name}"')
    return found


def _as_is(chosen: list[tuple[str, Member]]) -> list[PackageFile]:
    return [PackageFile(path=path, read=each.read, executable=path.endswith(".sh")) for path, each in chosen]


def _headers(cutting: Cutting) -> Package:
    return _package("libboost-headers", cutting, files=_as_is(_selected("libboost-headers", cutting)))


def _libraries(cutting: Cutting) -> Package:
    files, changes = _relinked(_selected("libboost", cutting), cutting)
    return _package("libboost", cutting, files=files, changes=changes, run_export="libboost")


def _devel(cutting: Cutting) -> Package:
    files = [*_as_is(_selected("libboost-devel", cutting)), *_plain_names(cutting, python=False)]
    depends = (_exactly("libboost", cutting), _exactly("libboost-headers", cutting))
    return _package("libboost-devel", cutting, files=files, depends=depends, run_export="libboost")


def _python(cutting: Cutting) -> Package:
    files, changes = _relinked(_selected("libboost-python", cutting), cutting)
    others = [
        path
        for path in _library_names(cutting.scratch)
        if not path.startswith(("libboost_py", "libboost_nu"))
    ]
    depends = [*_python_depends(cutting), f"numpy {_numpy_range(cutting.wheel)}".strip()]
    if others:
        depends.append(_exactly("libboost", cutting))
    return _package(
        "libboost-python",
        cutting,
        files=files,
        depends=tuple(depends),
        # The names of earlier years bring the same files (boost-feedstock).
        constrains=("py-boost <0.0a0",),
        changes=changes,
        per_python=True,
    )


def _python_devel(cutting: Cutting) -> Package:
    files = [*_as_is(_selected("libboost-python-devel", cutting)), *_plain_names(cutting, python=True)]
    cuts = (_exactly("libboost-devel", cutting), _exactly("libboost-python", cutting), "numpy")
    return _package(
        "libboost-python-devel",
        cutting,
        files=files,
        depends=(*cuts, *_python_depends(cutting)),
        run_export="libboost-python",
        per_python=True,
    )


def _eigen(cutting: Cutting) -> Package:
    return _package("eigen", cutting, files=_as_is(_selected("eigen", cutting)))


_CUTS: dict[str, Callable[[Cutting], Package]] = {
    "libboost-headers": _headers,
    "libboost": _libraries,
    "libboost-devel": _devel,
    "libboost-python": _python,
    "libboost-python-devel": _python_devel,
    "eigen": _eigen,
}


def _package(
    name: str,
    cutting: Cutting,
    *,
    files: list[PackageFile],
    depends: tuple[str, ...] = (),
    constrains: tuple[str, ...] = (),
    changes: Mapping[str, list[str]] | None = None,
    run_export: str = "",
    per_python: bool = False,
) -> Package:
    version = cutting.wheel.version
    minor = names_of(cutting.interpreter).minor.replace(".", "")
    # The wheel's own license is cmeel's for Eigen (Apache-2.0); the contents are Boost's and Eigen's.
    boost = name.startswith("libboost")
    return Package(
        name=name,
        version=str(version),
        build=f"py{minor}h{{hash}}_0" if per_python else "h{hash}_0",
        subdir=subdir_of(cutting.interpreter.platform),
        depends=depends,
        constrains=constrains,
        run_exports={"weak": (same_minor(run_export, version),)} if run_export else {},
        license="BSL-1.0" if boost else "MPL-2.0",
        summary="Free peer-reviewed portable C++ source libraries"
        if boost
        else "C++ template library for linear algebra",
        origin={**cutting.origin, **({"dropped NEEDED": dict(changes)} if changes else {})},
        files=files,
    )


def _exactly(name: str, cutting: Cutting) -> str:
    return f"{name} =={cutting.wheel.version}"


def same_minor(name: str, version: Version) -> str:
    """Return boost-feedstock's pin (max_pin x.x): any later patch release of the same minor version."""
    return f"{name} >={version},<{version.major}.{version.minor + 1}.0a0"


def _python_depends(cutting: Cutting) -> tuple[str, str]:
    python = names_of(cutting.interpreter)
    return (python.python, python.abi)


def _numpy_range(wheel: Wheel) -> str:
    """Return the range that the wheel asks of NumPy, below the next ABI."""
    asked = [Requirement(each) for each in wheel.metadata.get_all("Requires-Dist", [])]
    return ",".join(
        [*(to_conda(each.specifier) for each in asked if each.name == "numpy" and each.specifier), "<3"]
    )


def _plain_names(cutting: Cutting, *, python: bool) -> Iterator[PackageFile]:
    """Yield ``libboost_x.so`` as links; in a wheel, which has no links, they are second copies."""
    members = dict(_members(cutting.wheel))
    for path in sorted(members):
        if _PLAIN_NAME.match(path) and _is_python(path) == python:
            versioned = [other for other in members if other.startswith(f"{path}.") and _LIBRARY.match(other)]
            if len(versioned) == 1:
                name = versioned[0].rpartition("/")[2]
                yield PackageFile(path=path, read=members[versioned[0]].read, link=name)


def _relinked(
    chosen: list[tuple[str, Member]], cutting: Cutting
) -> tuple[list[PackageFile], dict[str, list[str]]]:
    """Return the libraries without the NEEDED entries they do not use, and what was dropped from which."""
    every = {path.rpartition("/")[2]: each for path, each in _members(cutting.wheel) if _LIBRARY.match(path)}
    mine = {path: _extracted(cutting.scratch / "cut", path.rpartition("/")[2], each) for path, each in chosen}
    changes: dict[str, list[str]] = {}
    for file in mine.values():
        named = [name for name in elf.needed(file) if name in every]
        others = [_extracted(cutting.scratch / "all", name, every[name]) for name in named]
        if unused := elf.unused_needed(file, others):
            elf.drop_needed(file, unused, _RPATH, env=cutting.env)
            changes[file.name] = unused
    return [
        PackageFile(path=path, read=file.read_bytes, executable=True) for path, file in mine.items()
    ], changes


def _extracted(folder: Path, name: str, member: Member) -> Path:
    file = folder / name
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(member.read())
    return file


def _library_names(scratch: Path) -> set[str]:
    """Return the boost libraries that the relinked ones still name."""
    cut_files = (scratch / "cut").iterdir()
    return {name for file in cut_files for name in elf.needed(file) if name.startswith("libboost_")}
