"""The builder for two build systems side by side: CMake compiles, and setuptools has the Python files around it.

CMake installs as for :mod:`diptych.build.cmake_builder`; then the backend makes its wheel, which is pure, and what it has for
site-packages is added.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from diptych.archives import open_package
from diptych.archives.unpacking import unpack
from diptych.build import cmake_builder
from diptych.build.job import CompileJob
from diptych.build.layout import SITE, layout_of
from diptych.build.pep517 import EXTRA, lay_out, origins, wheel_of
from diptych.config.buildsystem import build_system_of
from diptych.errors import CompileError
from diptych.store import sha256_file

WRAPPER = "wrapper"
# What makes setuptools compile something, or call CMake by itself.
_COMPILES = re.compile(
    r"\b(ext_modules|ext-modules|cffi_modules|rust_extensions|cmdclass|cythonize|Extension|skbuild)\b"
)


def is_wrapped(source: Path) -> bool:
    """Tell whether a project has a CMakeLists.txt and, beside it, a setuptools that compiles nothing."""
    if not (source / "CMakeLists.txt").is_file():
        return False
    if not build_system_of(source).backend.startswith("setuptools"):
        return False
    files = [
        path for name in ("setup.py", "setup.cfg", "pyproject.toml") if (path := source / name).is_file()
    ]
    return not any(_COMPILES.search(path.read_text(encoding="utf-8", errors="replace")) for path in files)


def make(job: CompileJob, tree: Path, empty: Path) -> dict[str, Path]:
    """Compile and install with CMake, then add the wheel's files; return where each file of the stage came from.

    Args:
        job: the inputs.
        tree: CMake's build tree; the copy of the sources that setuptools works in is a folder of it.
        empty: gets ``site`` or ``prefix``, see :mod:`diptych.build.layout`.

    Raises:
        CompileError: as the two builders say, or both bring one file with unlike content.
        PackageError: the backend failed, with its last lines.
        LinkageError: something was compiled or linked from outside the cell.
    """
    source = job.sources.folder
    found = cmake_builder.make(job, tree, empty)
    layout = layout_of(empty, job.site_packages)
    site = empty / layout.name / layout.site
    built = empty / "built"
    built.mkdir()
    with open_package(wheel_of(job, tree / WRAPPER, built)) as package:
        unpack(package, empty / "wheel")
    apart = empty / WRAPPER
    apart.mkdir()
    lay_out(empty / "wheel", apart)
    _add(apart / SITE, site, job)
    if (apart / EXTRA).is_dir():
        (apart / EXTRA).rename(empty / EXTRA)
    shutil.rmtree(built)
    shutil.rmtree(apart)
    own = origins(site, job.sources.files, source)
    brought = {(layout.site / name).as_posix(): origin for name, origin in own.items()}
    return {**brought, **found}


def _add(added: Path, site: Path, job: CompileJob) -> None:
    """Copy what the wheel has for site-packages to what CMake installed."""
    for path in sorted(added.rglob("*")):
        if path.is_dir():
            continue
        name = path.relative_to(added)
        target = site / name
        if target.exists() and sha256_file(target) != sha256_file(path):
            raise CompileError(
                f"{job.cell}: CMake installs {name}, and setuptools has another file of that name",
                hint="let one of the two bring it",
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
