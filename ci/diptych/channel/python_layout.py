"""Where the files of an interpreter stand, and where conda-forge's Python has them.

An interpreter of its own prefix (pyenv, uv, conda) has conda-forge's layout already. Debian keeps libraries and
pyconfig.h in folders named after the machine (https://wiki.debian.org/Python/MultiArch), Fedora and openSUSE keep the
standard library in ``lib64`` (``sys.platlibdir``), both keep the wheels of ensurepip in ``/usr/share/python-wheels``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from diptych.channel.package import PLACEHOLDER
from diptych.interpreters import Interpreter

_TEST_FOLDERS = {"test", "tests", "idle_test"}
_LEFT_OUT = {"__pycache__", "site-packages", "dist-packages"}
_STATIC = {".a", ".o", ".pyc"}
# Of the machine that it is installed on, not of Python: PEP 668's note to pip, hooks of the distribution (a link to
# /etc), and Debian's schemes for the distutils inside setuptools.
_OF_THE_MACHINE = {"EXTERNALLY-MANAGED", "sitecustomize.py", "usercustomize.py", "_distutils_system_mod.py"}
WHEELS = "share/python-wheels"


def sources(interpreter: Interpreter) -> dict[str, Path]:
    """Return the files that go into the package, by their path there; links as themselves."""
    return dict(_sources(interpreter))


def _sources(interpreter: Interpreter) -> Iterator[tuple[str, Path]]:
    name = f"python{interpreter.minor}"
    for folder, target in (
        (interpreter.stdlib, f"lib/{name}"),
        (interpreter.include, f"include/{name}"),
        # After the common headers: its pyconfig.h replaces the one that chooses among machines.
        (interpreter.include.parent / interpreter.multiarch / interpreter.include.name, f"include/{name}"),
    ):
        for file in _walk(folder):
            path = file.relative_to(folder).as_posix()
            if path not in _OF_THE_MACHINE:
                yield f"{target}/{path}", file
    if interpreter.wheels and (interpreter.stdlib / "ensurepip").is_dir():
        for wheel in sorted(interpreter.wheels.glob("*.whl")):
            yield f"{WHEELS}/{wheel.name}", wheel
    yield from _loose(interpreter, name)


def _loose(interpreter: Interpreter, name: str) -> Iterator[tuple[str, Path]]:
    minor = interpreter.minor
    yield f"bin/{name}", interpreter.executable
    programs = ("python", "python3", "python3-config", f"{name}-config", f"pydoc{minor}", "pydoc3", "pydoc")
    libraries = (f"libpython{minor}*.so*", "libpython3.so", f"libpython{minor}*.dylib", "libpython3.dylib")
    for folder, target, patterns in (
        (interpreter.prefix / "bin", "bin", programs),
        (interpreter.libdir, "lib", libraries),
        (interpreter.libdir / "pkgconfig", "lib/pkgconfig", (f"python-{minor}*.pc", "python3*.pc")),
    ):
        for pattern in patterns:
            for file in sorted(folder.glob(pattern)):
                if file.exists() and _same_python(file, interpreter):
                    yield f"{target}/{file.name}", file


def _same_python(file: Path, interpreter: Interpreter) -> bool:
    """Tell whether a file belongs to this Python: ``python3`` in a shared folder may be another release's."""
    real = file.resolve().name
    versions = re.findall(r"3\.\d+t?", real)
    return interpreter.minor in versions if versions else interpreter.own_prefix


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - _TEST_FOLDERS - _LEFT_OUT)
        for name in sorted(files):
            if os.path.splitext(name)[1] not in _STATIC:  # noqa: PTH122 -- 2000 files
                path = Path(root, name)
                if path.is_file():
                    yield path


def moved(text: bytes, interpreter: Interpreter) -> bytes:
    """Return a text file's bytes with the interpreter's places named as those below the placeholder."""
    new = PLACEHOLDER.encode()
    if interpreter.own_prefix:
        prefixes = {str(interpreter.prefix), str(interpreter.prefix.resolve()), interpreter.built_for}
        return _whole_beginnings(prefixes - {"", "/"}).sub(new, text)
    text = _without_machine_folders(text, interpreter)
    return _shared_places(interpreter).sub(lambda found: new + (found["rest"] or b""), text)


def _whole_beginnings(prefixes: set[str]) -> re.Pattern[bytes]:
    longest_first = sorted(prefixes, key=len, reverse=True)
    return re.compile(rb"(?:%s)(?![\w.-])" % b"|".join(re.escape(each.encode()) for each in longest_first))


def _without_machine_folders(text: bytes, interpreter: Interpreter) -> bytes:
    """Take ``lib64`` and Debian's ``x86_64-linux-gnu`` out of paths below the prefix or its variables."""
    prefix = re.escape(str(interpreter.prefix).encode())
    before = rb"((?:(?<![\w./])|(?<=-[IL]))(?:%s|\$\{(?:exec_)?prefix\}))" % prefix
    if interpreter.multiarch:
        folder = re.escape(interpreter.multiarch.encode())
        after = rb"(?=/python3|/pkgconfig|[^\w./-]|$)"
        text = re.sub(before + rb"/(lib|include)/" + folder + after, rb"\1/\2", text)
        text = re.sub(
            rb"(\$\{?includedir\}?|\$\{?INCLUDEDIR\}?)/" + folder + rb"/python3", rb"\1/python3", text
        )
    if interpreter.platlibdir != "lib":
        folder = re.escape(interpreter.platlibdir.encode())
        text = re.sub(before + rb"/" + folder + rb"(?![\w.-])", rb"\1/lib", text)
    return text


def _shared_places(interpreter: Interpreter) -> re.Pattern[bytes]:
    """Match a shared prefix only where it leads to what the package has: ``/usr``, not ``/usr/bin/install``."""
    name = re.escape(f"python{interpreter.minor}".encode())
    end = rb"(?![\w./+-])"
    rest = b"|".join(
        (
            rb"/(?:bin|lib|include|share)" + end,
            rb"/bin/(?:python|pydoc)[\w.-]*",
            rb"/(?:lib|include)/" + name + rb"(?![\w.-])",
            rb"/lib/pkgconfig" + end,
            rb"/share/python-wheels(?![\w.-])",
            end,
        )
    )
    prefix = re.escape(str(interpreter.prefix).encode())
    return re.compile(rb"(?:(?<![\w./)}])|(?<=-[IL]))%s(?P<rest>%s)" % (prefix, rest))
