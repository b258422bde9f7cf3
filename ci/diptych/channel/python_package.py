"""``python`` and ``python_abi`` from an interpreter of the machine.

What is left out, as conda-forge's python-feedstock does: site-packages, test folders, static libraries. What
is changed: the ELF files find libpython and the libraries that they need relative to themselves; text files that name
the old prefix (sysconfig data, Makefile, pkg-config, scripts) name the placeholder; what a distribution changed in the
standard library to use its own folders is taken back. The old prefix stays inside libpython and the executable:
CPython finds its prefix by looking for its standard library beside the running executable (PEP 587, getpath),
and the compiled-in one is only its last resort, so the copy works anywhere.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from diptych.channel import elf
from diptych.channel.module_libraries import libraries_of_modules
from diptych.channel.package import Package, PackageFile, subdir_of
from diptych.channel.python_layout import moved, sources
from diptych.channel.python_stdlib import CHOOSING, restored
from diptych.distributions import how_to_install
from diptych.errors import MissingToolError
from diptych.interpreters import Interpreter
from diptych.pythons import STABLE_ABI, conda_depends, plain

# From 3.13 on, conda-forge's build string names the ABI and the ordinary build has number 100.
_NEW_NAMING = 13
_TEXT_SIZE = 2_000_000
_SITECUSTOMIZE = Path(__file__).with_name("sitecustomize.py")
_README = b"This directory exists so that third-party packages can be installed here.\n"


@dataclass(frozen=True, kw_only=True)
class Names:
    """conda-forge's names for one Python.

    Attributes:
        minor: ``3.11``, without the ``t`` of free-threaded builds.
        abi_tag: ``cp311`` or ``cp313t``.
        site_packages: ``lib/python3.11/site-packages``.
        python: match specification of this Python for packages that hold compiled code.
        abi: match specification of its ABI.
    """

    minor: str
    abi_tag: str
    site_packages: str
    python: str
    abi: str


def names_of(interpreter: Interpreter) -> Names:
    """Return conda-forge's names for an interpreter."""
    major, minor = interpreter.version.split(".")[:2]
    threads = "t" if interpreter.free_threaded else ""
    tag = f"cp{major}{minor}{threads}"
    python, abi = conda_depends(f"{major}.{minor}{threads}")
    return Names(
        minor=f"{major}.{minor}",
        abi_tag=tag,
        site_packages=f"lib/python{major}.{minor}{threads}/site-packages",
        python=python,
        abi=abi,
    )


def abi_package(interpreter: Interpreter) -> Package:
    """Return ``python_abi``: no files, it only says which Pythons share an ABI."""
    names = names_of(interpreter)
    return Package(
        name="python_abi",
        version=names.minor,
        build=f"0_{names.abi_tag}",
        subdir="noarch",
        noarch="generic",
        constrains=(f"python {names.minor}.* *_{_build_tag(interpreter)}",),
        license="BSD-3-Clause",
        summary="Metapackage to select the Python ABI",
        origin={"kind": "metapackage"},
        files=(),
    )


def stable_abi_packages(interpreter: Interpreter) -> tuple[Package, ...]:
    """Return what a package of the stable ABI depends on (CEP 20), as conda-forge's python-abi3 and python feedstocks have it."""
    names = names_of(interpreter)
    tag = names.abi_tag

    def meta(name: str, version: str, build: str, *depends: str) -> Package:
        return Package(
            name=name,
            version=version,
            build=build,
            subdir="noarch",
            noarch="generic",
            depends=depends,
            license="Python-2.0",
            summary="Metapackage to select a Python",
            origin={"kind": "metapackage"},
            files=(),
        )

    return (
        meta("cpython", interpreter.version, f"py{tag[2:]}_0", names.python, f"python_abi * *_{tag}"),
        meta("python-gil", names.minor, f"{tag}_0", f"cpython {names.minor}.*", f"python_abi * *_{tag}"),
        meta(STABLE_ABI, "1.0", "0", "cpython", "python-gil"),
    )


def _build_tag(interpreter: Interpreter) -> str:
    new = int(interpreter.version.split(".")[1]) >= _NEW_NAMING
    return names_of(interpreter).abi_tag if new else "cpython"


def python_package(interpreter: Interpreter, scratch: Path, *, env: Mapping[str, str]) -> Package:
    """Return ``python``, made from an interpreter.

    Args:
        interpreter: what is copied.
        scratch: an empty folder, for the changed ELF files; to be kept until the package is written.
        env: to run patchelf in.

    Raises:
        MissingToolError: its headers are not installed.
        ChannelError: its standard library has changes of an unknown form, or patchelf failed.
    """
    check_packable(interpreter)
    names = names_of(interpreter)
    tag = _build_tag(interpreter)
    number = 100 if tag.startswith("cp3") and not interpreter.free_threaded else 0
    license_file = interpreter.stdlib / "LICENSE.txt"
    files, libraries = _files(interpreter, scratch, env=env)
    return Package(
        name="python",
        version=interpreter.version,
        build=f"h{{hash}}_{number}_{tag}",
        build_number=number,
        subdir=subdir_of(interpreter.platform),
        # conda-forge depends on python_abi from 3.13 on and constrains it before.
        depends=(names.abi,) if tag != "cpython" else (),
        constrains=(names.abi,) if tag == "cpython" else (),
        run_exports={"weak": (names.abi,), "noarch": ("python",)},
        site_packages=names.site_packages,
        # As conda-forge's: "python 3.14.*" means the one with the GIL.
        track_features="py_freethreading" if interpreter.free_threaded else "",
        license="Python-2.0",
        summary="General purpose programming language",
        licenses={"LICENSE.txt": license_file.read_bytes()} if license_file.is_file() else {},
        origin={
            "kind": "interpreter",
            "interpreter": str(interpreter.executable),
            "version": interpreter.version,
            "found": interpreter.source,
            "changes": [
                "RPATH relative",
                "prefix in text files replaced",
                "tests and site-packages left out",
                *([] if interpreter.own_prefix else ["folders of the distribution replaced by conda's"]),
            ],
            "libraries of the machine": libraries,
        },
        files=[*files, _site_packages(names)],
    )


def check_packable(interpreter: Interpreter) -> None:
    """Raise a MissingToolError when extensions cannot be compiled against the interpreter."""
    if interpreter.has_headers:
        return
    hint = f"install it again with its headers, or another one: `uv python install {interpreter.minor}`"
    raise MissingToolError(
        f'Python {interpreter.version} at "{interpreter.executable}" has no headers: '
        f'no "{interpreter.include / "Python.h"}"',
        hint=hint if interpreter.own_prefix else how_to_install("python headers"),
    )


def _site_packages(names: Names) -> PackageFile:
    return PackageFile(path=f"{names.site_packages}/README.txt", read=lambda: _README)


def _files(
    interpreter: Interpreter, scratch: Path, *, env: Mapping[str, str]
) -> tuple[list[PackageFile], dict[str, str]]:
    """Return the files, and the machine's libraries among them with the places they are from."""
    found = sources(interpreter)
    binaries = {path: file for path, file in found.items() if _is_elf(file)}
    libraries = libraries_of_modules(binaries)
    patched = _patched({**binaries, **libraries}, scratch, env=env)
    named = {file.resolve(): path for path, file in reversed(found.items()) if not file.is_symlink()}
    files = []
    for path, file in {**found, **libraries}.items():
        first = named.setdefault(file.resolve(), path)
        if first != path and file.is_symlink():
            link = os.path.relpath(first, Path(path).parent)
            files.append(PackageFile(path=path, read=patched.get(first, file).read_bytes, link=link))
        else:
            files.append(_file(path, patched.get(path, file), interpreter))
    return [*files, *_lacking(interpreter, found)], {
        path: str(file) for path, file in sorted(libraries.items())
    }


def _is_elf(file: Path) -> bool:
    return not file.is_symlink() and elf.is_elf(file)


def _patched(binaries: Mapping[str, Path], scratch: Path, *, env: Mapping[str, str]) -> dict[str, Path]:
    """Copy the ELF files and let them find lib/ relative to themselves: one patchelf call a folder."""
    copies: dict[str, Path] = {}
    groups: dict[str, list[Path]] = {}
    for path, file in binaries.items():
        copy = scratch / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)
        copy.chmod(0o755)
        copies[path] = copy
        up = os.path.relpath("lib", Path(path).parent)
        groups.setdefault("$ORIGIN" if up == "." else f"$ORIGIN/{up}", []).append(copy)
    for rpath, files in groups.items():
        elf.set_rpath(files, rpath, env=env)
    return copies


def _file(path: str, file: Path, interpreter: Interpreter) -> PackageFile:
    executable = os.access(file, os.X_OK)
    if _may_name_prefix(path, file):
        before = file.read_bytes()
        after = moved(before, interpreter)
        if after != before:
            return PackageFile(
                path=path, read=partial(bytes, after), executable=executable, has_placeholder=True
            )
    name = f"python{interpreter.minor}"
    module = path.removeprefix(f"lib/{name}/")
    if module in CHOOSING:
        text = restored(module, file.read_text("utf-8"), platlibdir=interpreter.platlibdir)
        return PackageFile(path=path, read=text.encode, executable=executable)
    return PackageFile(path=path, read=file.read_bytes, executable=executable)


def _may_name_prefix(path: str, file: Path) -> bool:
    """Tell whether an installer should look into a file: made at build time, and text."""
    made = path.startswith(("bin/", "lib/pkgconfig/")) or "/config-" in path or "/_sysconfig" in path
    made = made or "/build-details" in path
    if not made or file.stat().st_size > _TEXT_SIZE or elf.is_elf(file):
        return False
    return b"\0" not in file.read_bytes()


def _lacking(interpreter: Interpreter, found: Mapping[str, Path]) -> Iterator[PackageFile]:
    """Yield what an installation lacks: bin/python and bin/python3; a distribution's, the choice of conda's folders.

    Installers start scripts by ``bin/python3.14``, also for a Python that is called ``python3.14t``.
    """
    real = f"python{interpreter.minor}"
    for name in ("python", "python3", f"python{plain(interpreter.minor)}"):
        if f"bin/{name}" not in found:
            yield PackageFile(path=f"bin/{name}", read=interpreter.executable.read_bytes, link=real)
    if not interpreter.own_prefix:
        yield PackageFile(path=f"lib/{real}/sitecustomize.py", read=_SITECUSTOMIZE.read_bytes)
    if interpreter.platlibdir != "lib":
        # Compiled into getpath: the standard library is found through it.
        yield PackageFile(path=interpreter.platlibdir, read=bytes, link="lib")
