"""``python`` and ``python_abi`` from an interpreter of the machine.

What is left out, as conda-forge's python-feedstock does: site-packages, test folders, static libraries. What
is changed: the ELF files find libpython relative to themselves; text files that name the old prefix (sysconfig data,
Makefile, pkg-config, scripts) name the placeholder. The old prefix stays inside libpython and the executable:
CPython finds its prefix by looking for its standard library beside the running executable (PEP 587, getpath),
and the compiled-in one is only its last resort, so the copy works anywhere.

The libraries of the system that the interpreter was linked with (OpenSSL, libffi, ...) are not packages here.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from diptych.channel import elf
from diptych.channel.package import PLACEHOLDER, Package, PackageFile, subdir_of
from diptych.errors import ChannelError
from diptych.interpreters import Interpreter

_TEST_FOLDERS = {"test", "tests", "idle_test"}
_LEFT_OUT = {"__pycache__", "site-packages", "dist-packages"}
_STATIC = {".a", ".o", ".pyc"}
# From 3.13 on, conda-forge's build string names the ABI and the ordinary build has number 100.
_NEW_NAMING = 13
_TEXT_SIZE = 2_000_000
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
    return Names(
        minor=f"{major}.{minor}",
        abi_tag=tag,
        site_packages=f"lib/python{major}.{minor}{threads}/site-packages",
        python=f"python >={major}.{minor},<{major}.{int(minor) + 1}.0a0",
        abi=f"python_abi {major}.{minor}.* *_{tag}",
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
        ChannelError: the interpreter's files are spread over a system's folders, or patchelf failed.
    """
    check_relocatable(interpreter)
    names = names_of(interpreter)
    tag = _build_tag(interpreter)
    number = 100 if tag.startswith("cp3") and not interpreter.free_threaded else 0
    license_file = interpreter.stdlib / "LICENSE.txt"
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
            ],
        },
        files=[*_files(interpreter, scratch, env=env), _site_packages(names)],
    )


def check_relocatable(interpreter: Interpreter) -> None:
    """Raise a ChannelError when no working copy of the interpreter can be made."""
    if not interpreter.relocatable:
        minor = interpreter.minor
        raise ChannelError(
            f'Python {interpreter.version} at "{interpreter.executable}" cannot be packed: '
            f'its files are spread over "{interpreter.prefix}"',
            hint=f"install one of its own prefix: `uv python install {minor}` or `pyenv install {minor}`",
        )


def _site_packages(names: Names) -> PackageFile:
    return PackageFile(path=f"{names.site_packages}/README.txt", read=lambda: _README)


def _files(interpreter: Interpreter, scratch: Path, *, env: Mapping[str, str]) -> list[PackageFile]:
    prefix = interpreter.prefix
    old = _old_prefixes(interpreter)
    sources = dict(_sources(interpreter))
    patched = _patched({path: file for path, file in sources.items() if _is_elf(file)}, scratch, env=env)
    files = [_file(path, patched.get(path, file), prefix, old) for path, file in sources.items()]
    return [*files, *_plain_names(interpreter, sources)]


def _old_prefixes(interpreter: Interpreter) -> re.Pattern[bytes]:
    """Match the prefixes that the interpreter's text files may name, as whole path beginnings."""
    prefixes = {str(interpreter.prefix), str(interpreter.prefix.resolve()), interpreter.built_for} - {"", "/"}
    longest_first = sorted(prefixes, key=len, reverse=True)
    return re.compile(rb"(?:%s)(?![\w.-])" % b"|".join(re.escape(each.encode()) for each in longest_first))


def _sources(interpreter: Interpreter) -> Iterator[tuple[str, Path]]:
    """Yield (path in the package, file), links as themselves."""
    prefix = interpreter.prefix
    minor = interpreter.minor
    for folder in (interpreter.stdlib, interpreter.include):
        for file in _walk(folder):
            yield file.relative_to(prefix).as_posix(), file
    patterns = (
        "bin/python", "bin/python3", f"bin/python{minor}", "bin/python3-config", f"bin/python{minor}-config",
        f"bin/pydoc{minor}", "bin/pydoc3", "bin/pydoc", "lib/libpython3*.so*", "lib/libpython3*.dylib",
        "lib/pkgconfig/python*.pc",
    )  # fmt: skip
    for pattern in patterns:
        for file in sorted(prefix.glob(pattern)):
            yield file.relative_to(prefix).as_posix(), file


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - _TEST_FOLDERS - _LEFT_OUT)
        for name in sorted(files):
            if os.path.splitext(name)[1] not in _STATIC:  # noqa: PTH122 -- 2000 files
                yield Path(root, name)


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


def _file(path: str, file: Path, prefix: Path, old: re.Pattern[bytes]) -> PackageFile:
    if file.is_symlink() and file.resolve().is_relative_to(prefix.resolve()):
        target = file.resolve().relative_to(prefix.resolve())
        link = os.path.relpath(target, Path(path).parent)
        return PackageFile(path=path, read=file.read_bytes, link=link)
    executable = os.access(file, os.X_OK)
    if _may_name_prefix(path, file) and old.search(text := file.read_bytes()):
        moved = old.sub(PLACEHOLDER.encode(), text)
        return PackageFile(path=path, read=partial(bytes, moved), executable=executable, has_placeholder=True)
    return PackageFile(path=path, read=file.read_bytes, executable=executable)


def _may_name_prefix(path: str, file: Path) -> bool:
    """Tell whether an installer should look into a file: made at build time, and text."""
    made = path.startswith(("bin/", "lib/pkgconfig/")) or "/config-" in path or "/_sysconfig" in path
    if not made or file.stat().st_size > _TEXT_SIZE or elf.is_elf(file):
        return False
    return b"\0" not in file.read_bytes()


def _plain_names(interpreter: Interpreter, sources: Mapping[str, Path]) -> Iterator[PackageFile]:
    """Yield bin/python and bin/python3 where the installation lacks them."""
    real = f"python{interpreter.minor}"
    if f"bin/{real}" not in sources:
        raise ChannelError(f'"{interpreter.prefix}/bin" has no "{real}"')
    for name in ("python", "python3"):
        if f"bin/{name}" not in sources:
            yield PackageFile(
                path=f"bin/{name}", read=(interpreter.prefix / "bin" / real).read_bytes, link=real
            )
