"""A wheel and a conda package of one crafted build, whose every part can be changed: pairs with planted differences."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from diptych.compare import Comparison, compare_packages
from diptych.zstd import zstd
from helpers.elf_builder import Sym, elf

CORE = "pair/_core.cpython-311-x86_64-linux-gnu.so"
LIBRARY = "libz.so.1"
SYMBOLS = (
    Sym(name="PyInit__core", defined=True),
    Sym(name="inflate"),
    Sym(name="malloc", version=("libc.so.6", "GLIBC_2.14")),
)
METADATA = """\
Metadata-Version: 2.4
Name: pair
Version: 1.2
Summary: Two leaves
License-Expression: MIT
Project-URL: Homepage, https://pair.example
Requires-Python: >=3.10
Requires-Dist: numpy>=1.26

"""
SITE = "lib/python3.11/site-packages"


def core(
    *,
    rpath: str,
    text: bytes = b"\xc3" * 64,
    needed: tuple[str, ...] = (LIBRARY, "libc.so.6"),
    symbols: tuple[Sym, ...] = SYMBOLS,
    machine: int = 62,
    extra: tuple[tuple[int, int], ...] = (),
) -> bytes:
    """Return the project's own module."""
    return elf(needed=needed, rpath=rpath, symbols=symbols, text=text, machine=machine, extra=extra)


def library(soname: str = LIBRARY) -> bytes:
    """Return the library that the module needs."""
    return elf(soname=soname, needed=["libc.so.6"], symbols=[Sym(name="inflate", defined=True)])


@dataclass
class Side:
    """One package: its files by member name, and what describes it."""

    files: dict[str, bytes]
    modes: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    index: dict[str, object] = field(default_factory=dict)
    about: dict[str, object] = field(default_factory=dict)
    metadata: str = ""
    points: str = ""
    name: str = ""

    def change(self, member: str, old: str, new: str) -> None:
        """Replace in a text file, or in METADATA where ``member`` is that."""
        if member == "METADATA":
            assert old in self.metadata
            self.metadata = self.metadata.replace(old, new)
        else:
            assert old.encode() in self.files[member]
            self.files[member] = self.files[member].replace(old.encode(), new.encode())


@dataclass
class Made:
    """The pair before it is written."""

    wheel: Side
    conda: Side


Plant = Callable[[Made], None]

POINTS = "[console_scripts]\npair = pair:main\n"
TEXTS = {
    "pair/__init__.py": b"from pair._core import answer\n\n\ndef main() -> None: ...\n",
    "pair/table.txt": b"1 2 3\n",
}


def base() -> Made:
    """Return a pair that differs only as the two formats do."""
    wheel = Side(
        files={
            **TEXTS,
            CORE: core(rpath="$ORIGIN/../pair.libs", needed=("libz-1a2b3c4d.so.1", "libc.so.6")),
            "pair.libs/libz-1a2b3c4d.so.1": library("libz-1a2b3c4d.so.1"),
            "pair-1.2.dist-info/licenses/LICENSE": b"Do as you like.\n",
            "pair-1.2.data/scripts/pair-tool": b"#!python\nprint(1)\n",
        },
        modes={"pair-1.2.data/scripts/pair-tool": 0o755},
        metadata=METADATA,
        points=POINTS,
        name="pair-1.2-cp311-cp311-manylinux_2_17_x86_64.whl",
    )
    conda = Side(
        files={
            **{f"{SITE}/{name}": data for name, data in TEXTS.items()},
            f"{SITE}/{CORE}": core(rpath="$ORIGIN/../../.."),
            "info/licenses/LICENSE": b"Do as you like.\n",
            "bin/pair-tool": b"#!/placehold/bin/python\nprint(1)\n",
            "bin/pair": b"#!/placehold/bin/python\nfrom pair import main\nmain()\n",
        },
        modes={"bin/pair-tool": 0o755, "bin/pair": 0o755},
        index={
            "name": "pair",
            "version": "1.2",
            "build": "py311_0",
            "build_number": 0,
            "subdir": "linux-64",
            "depends": [
                "python >=3.11,<3.12.0a0",
                "python_abi 3.11.* *_cp311",
                "numpy >=1.26",
                "libzlib >=1.3.1,<2.0a0",
                "__glibc >=2.17",
            ],
        },
        about={"license": "MIT", "summary": "Two leaves", "home": "https://pair.example/"},
        metadata=METADATA,
        points=POINTS,
        name="pair-1.2-py311_0.conda",
    )
    return Made(wheel=wheel, conda=conda)


def write(made: Made, folder: Path) -> tuple[Path, Path]:
    """Write both packages."""
    return _write_wheel(made.wheel, folder), _write_conda(made.conda, folder)


def compared(folder: Path, plant: Plant = lambda _: None, *, one_build: bool = True) -> Comparison:
    """Plant a difference, write the pair and compare it."""
    made = base()
    plant(made)
    return compare_packages(*write(made, folder), one_build=one_build)


def found(comparison: Comparison) -> set[tuple[str, str, str]]:
    """Return severity, code and place of every difference."""
    return {(one.severity.value, one.code, one.place) for one in comparison.findings}


def _dist_info(side: Side, installer: str) -> dict[str, bytes]:
    info = "pair-1.2.dist-info"
    texts = {"WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: false\n", "RECORD": f"by {installer}\n"}
    if side.metadata:
        texts["METADATA"] = side.metadata
    if side.points:
        texts["entry_points.txt"] = side.points
    return {f"{info}/{name}": text.encode() for name, text in texts.items()}


def _write_wheel(side: Side, folder: Path) -> Path:
    path = folder / side.name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in {**side.files, **_dist_info(side, "the backend")}.items():
            header = zipfile.ZipInfo(member)
            header.external_attr = (0o100000 | side.modes.get(member, 0o644)) << 16
            archive.writestr(header, data)
    return path


def _write_conda(side: Side, folder: Path) -> Path:
    payload = {name: data for name, data in side.files.items() if not name.startswith("info/")}
    if side.metadata:
        payload |= {f"{SITE}/{name}": data for name, data in _dist_info(side, "conda").items()}
    rows = [
        {
            "_path": name,
            "path_type": "hardlink",
            "sha256": hashlib.sha256(data).hexdigest(),
            "size_in_bytes": len(data),
        }
        for name, data in sorted(payload.items())
    ]
    rows += [{"_path": name, "path_type": "softlink"} for name in side.links]
    info = {
        "info/index.json": json.dumps(side.index).encode(),
        "info/about.json": json.dumps(side.about).encode(),
        "info/paths.json": json.dumps({"paths": rows, "paths_version": 1}).encode(),
        **{name: data for name, data in side.files.items() if name.startswith("info/")},
    }
    path = folder / side.name
    stem = side.name.removesuffix(".conda")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("metadata.json", b'{"conda_pkg_format_version": 2}')
        archive.writestr(f"pkg-{stem}.tar.zst", _tar(payload, side))
        archive.writestr(f"info-{stem}.tar.zst", _tar(info, Side(files={})))
    return path


def _tar(files: Mapping[str, bytes], side: Side) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            header = tarfile.TarInfo(name)
            header.size, header.mode = len(data), side.modes.get(name, 0o644)
            archive.addfile(header, io.BytesIO(data))
        for name, target in side.links.items():
            header = tarfile.TarInfo(name)
            header.type, header.linkname = tarfile.SYMTYPE, target
            archive.addfile(header)
    return zstd.compress(buffer.getvalue())
