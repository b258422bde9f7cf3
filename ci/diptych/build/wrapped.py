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
from diptych.build.job import CompileJob, compile_log
from diptych.build.layout import SITE, layout_of
from diptych.build.mirror import lend_git, mirror
from diptych.build.pep517 import EXTRA, backend_of, lay_out, only_wheel, origins
from diptych.build.sources import source_files
from diptych.config.files import read_toml
from diptych.errors import CompileError
from diptych.store import sha256_file

_WRAPPER = "wrapper"
# What makes setuptools compile something, or call CMake by itself.
_COMPILES = re.compile(
    r"\b(ext_modules|ext-modules|cffi_modules|rust_extensions|cmdclass|cythonize|Extension|skbuild)\b"
)


def is_wrapped(source: Path) -> bool:
    """Tell whether a project has a CMakeLists.txt and, beside it, a setuptools that compiles nothing."""
    if not (source / "CMakeLists.txt").is_file():
        return False
    file = source / "pyproject.toml"
    document = read_toml(file) if file.is_file() else {}
    named = document.get("build-system", {})
    backend = named.get("build-backend", "setuptools") if isinstance(named, dict) else ""
    files = [
        path for name in ("setup.py", "setup.cfg", "pyproject.toml") if (path := source / name).is_file()
    ]
    if not str(backend).startswith("setuptools") or not (
        "build-system" in document or (source / "setup.py").is_file()
    ):
        return False
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
    source = job.config.source
    found = cmake_builder.make(job, tree, empty)
    layout = layout_of(empty, job.cell.site_packages)
    site = empty / layout.name / layout.site
    home = tree / _WRAPPER
    copy = home / "source"
    copy.mkdir(parents=True, exist_ok=True)
    files = source_files(source, env=job.env)
    mirror(files, source, copy)
    lend_git(source, copy, env=job.env)
    built = empty / "built"
    built.mkdir()
    wheel = backend_of(job, home, copy, compile_log(job.store, job.cell)).build("wheel", built)
    with open_package(only_wheel(wheel, built, job)) as package:
        unpack(package, empty / "wheel")
    apart = empty / _WRAPPER
    apart.mkdir()
    lay_out(empty / "wheel", apart)
    _add(apart / SITE, site, job)
    if (apart / EXTRA).is_dir():
        (apart / EXTRA).rename(empty / EXTRA)
    shutil.rmtree(built)
    shutil.rmtree(apart)
    brought = {
        (layout.site / name).as_posix(): origin for name, origin in origins(site, files, source).items()
    }
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
                f"{job.cell.id}: CMake installs {name}, and setuptools has another file of that name",
                hint="let one of the two bring it",
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
