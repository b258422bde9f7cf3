"""The CPython interpreters of this machine.

Of the version that runs Diptych, that one is taken when it has headers, and nothing else is started. Others are looked for in this
order: the PATH, pyenv (``PYENV_ROOT`` or ``~/.pyenv``), uv (``UV_PYTHON_INSTALL_DIR``, ``XDG_DATA_HOME`` or ``~/.local/share``); first
under the name of the version (``python3.11``), then as ``python3`` and ``python``. What one is, it says itself; names prove nothing.
Which of one version is taken: one with headers before one without; then one with a prefix of its own before a
distribution's, whose folders other packages share; then the place in the order above; then, in pyenv and uv, the newest patch release.

Each interpreter is started once, with ``-I -c``, and what it said is kept in the store under its path, size
and modification time. Scripts (pyenv's shims, wrappers) may start something else tomorrow: they are asked
each time.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from diptych.errors import DiptychError, ProcessError
from diptych.process import run
from diptych.pythons import plain
from diptych.store import Store, digest

_NAME = re.compile(r"python(3(\.\d+t?)?)?$")
# Prefixes that hold whatever a machine's owner or distribution puts there.
_SHARED = {Path("/"), Path("/usr"), Path("/usr/local")}
_PROBE_SECONDS = 10.0
_KIND = "interpreters"
_PROBE_FORMAT = 3
_PROBE = r"""
import json, os, platform, sys, sysconfig
v = sysconfig.get_config_vars()
name = getattr(sysconfig, "_get_sysconfigdata_name", lambda: "")()
built = getattr(__import__(name), "build_time_vars", {}) if name else {}
print("\n" + json.dumps({
    "implementation": sys.implementation.name,
    "version": platform.python_version(),
    "executable": getattr(sys, "_base_executable", "") or sys.executable,
    "prefix": sys.base_prefix,
    "stdlib": sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix}),
    "include": v.get("INCLUDEPY") or "",
    "libraries": [os.path.join(v[d], v[n]) for d in ("LIBDIR", "LIBPL") if v.get(d)
                  for n in ("INSTSONAME", "LDLIBRARY") if v.get(n)],
    "soabi": v.get("SOABI") or "",
    "ext_suffix": v.get("EXT_SUFFIX") or "",
    "free_threaded": bool(v.get("Py_GIL_DISABLED")),
    "platform": sysconfig.get_platform(),
    "built_for": built.get("prefix") or "",
    "libdir": v.get("LIBDIR") or "",
    "platlibdir": getattr(sys, "platlibdir", "lib"),
    "multiarch": v.get("MULTIARCH") or "",
    "wheels": v.get("WHEEL_PKG_DIR") or "",
    "distribution": bool({"deb_system", "rpm_prefix"} & set(sysconfig.get_scheme_names())),
}))
"""


def identity(python: Path) -> list[object]:
    """Return what names an interpreter in a key: its path, the file behind it, and when that was installed."""
    real = python.resolve()
    return [str(python), str(real), real.stat().st_mtime_ns]


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """One CPython of this machine.

    Attributes:
        version: the full version, such as ``3.11.7``.
        executable: its real path, all links followed.
        prefix: ``sys.base_prefix``.
        stdlib: the folder of its standard library.
        include: the folder of Python.h, whether it is there or not.
        libpython: the shared libpython of that build, or None when there is none (a static Python).
        soabi: such as ``cpython-311-x86_64-linux-gnu``.
        ext_suffix: such as ``.cpython-311-x86_64-linux-gnu.so``.
        free_threaded: built without the GIL (PEP 703).
        platform: ``sysconfig.get_platform()``.
        built_for: the prefix it was configured with; differs from ``prefix`` when it was moved.
        libdir: where libpython and pkgconfig/ are, which a distribution keeps outside ``lib``.
        platlibdir: ``sys.platlibdir``: ``lib``, or ``lib64`` on Fedora.
        multiarch: such as ``x86_64-linux-gnu``, which Debian names folders after; empty elsewhere.
        wheels: the folder of ensurepip's wheels, when they are not inside ensurepip; else None.
        own_prefix: its prefix is for it alone, not a distribution's ``/usr``.
        source: where it was found: ``PATH``, ``pyenv``, ``uv`` or ``running``.
    """

    version: str
    executable: Path
    prefix: Path
    stdlib: Path
    include: Path
    libpython: Path | None
    soabi: str
    ext_suffix: str
    free_threaded: bool
    platform: str
    built_for: str
    libdir: Path
    platlibdir: str
    multiarch: str
    wheels: Path | None
    own_prefix: bool
    source: str

    @property
    def minor(self) -> str:
        """The version as people write it in a matrix: ``3.11``, or ``3.13t`` when free-threaded."""
        return ".".join(self.version.split(".")[:2]) + ("t" if self.free_threaded else "")

    @property
    def has_headers(self) -> bool:
        """Whether extensions can be compiled against it."""
        return (self.include / "Python.h").is_file()


def find(version: str, *, env: Mapping[str, str], store: Store | None = None) -> Interpreter | None:
    """Return the best interpreter of that version, or None.

    Args:
        version: ``3.11``, ``3.11.7`` or ``3.13t``.
        env: for PATH, HOME, PYENV_ROOT, UV_PYTHON_INSTALL_DIR, XDG_DATA_HOME.
        store: keeps what interpreters said of themselves.
    """
    minor = ".".join(version.split(".")[:2])
    release = plain(version) if version.count(".") > 1 else None

    def fits(one: Interpreter) -> bool:
        return one.minor == minor and release in (None, one.version)

    running = _probe(_running(), source="running", env=env, store=store)
    if running and running.has_headers and fits(running):
        return running
    spare = [running] if running and fits(running) else []
    for names in ({f"python{minor}", f"python{plain(minor)}"}, {"python3", "python"}):
        found = [one for one in _probed(names, env=env, store=store) if fits(one)]
        if found and found[0].has_headers:
            return found[0]
        spare = [*found, *spare]
    return next(iter(spare), None)


def find_all(*, env: Mapping[str, str], store: Store | None = None) -> list[Interpreter]:
    """Return every usable CPython 3 of the machine, the one that :func:`find` would take first."""
    return list(_probed(None, env=env, store=store))


def _probed(names: set[str] | None, *, env: Mapping[str, str], store: Store | None) -> list[Interpreter]:
    found: dict[Path, Interpreter] = {}
    for source, path in _candidates(names, env):
        interpreter = _probe(path, source=source, env=env, store=store)
        if interpreter is not None:
            found.setdefault(interpreter.executable, interpreter)
    order = {executable: place for place, executable in enumerate(found)}
    return sorted(found.values(), key=lambda each: _rank(each, order[each.executable]))


def _rank(interpreter: Interpreter, place: int) -> tuple[bool, bool, int]:
    return (not interpreter.has_headers, not interpreter.own_prefix, place)


def _candidates(names: set[str] | None, env: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Yield (source, path) of files that are named like a Python, in order, each real file once."""
    home = Path(env.get("HOME") or "/nonexistent")
    pyenv = Path(env.get("PYENV_ROOT") or home / ".pyenv")
    data = Path(env.get("XDG_DATA_HOME") or home / ".local" / "share")
    uv = Path(env.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")
    on_path = [Path(folder) for folder in env.get("PATH", os.defpath).split(os.pathsep) if folder]
    # The shims dispatch to what stands in versions/, which is looked through anyway.
    places = [
        ("PATH", [folder for folder in on_path if folder != pyenv / "shims"]),
        ("pyenv", _newest_first((pyenv / "versions").glob("*/bin"))),
        ("uv", _newest_first(uv.glob("cpython-*/bin"))),
    ]
    found = [(source, path) for source, folders in places for path in _pythons(folders, names)]
    seen: set[Path] = set()
    for source, path in [*found, ("running", _running())]:
        if path.is_file():
            real = path.resolve()
            if real not in seen:
                seen.add(real)
                yield source, path


def _running() -> Path:
    """Return the Python that runs this, or a venv's base."""
    return Path(getattr(sys, "_base_executable", "") or sys.executable)


def _pythons(folders: Iterable[Path], names: set[str] | None) -> Iterator[Path]:
    for folder in folders:
        try:
            entries = sorted(entry.name for entry in os.scandir(folder) if _NAME.fullmatch(entry.name))
        except OSError:
            continue
        for name in entries:
            path = folder / name
            if (names is None or name in names) and path.is_file() and os.access(path, os.X_OK):
                yield path


def _newest_first(folders: Iterable[Path]) -> list[Path]:
    def numbers(folder: Path) -> list[int]:
        return [int(number) for number in re.findall(r"\d+", folder.parent.name)]

    return sorted(folders, key=numbers, reverse=True)


def _probe(path: Path, *, source: str, env: Mapping[str, str], store: Store | None) -> Interpreter | None:
    said = _said_before(path, env=env, store=store)
    if not said or said.get("implementation") != "cpython":
        return None
    try:
        return _interpreter(said, source)
    except (KeyError, TypeError):
        return None


def _said_before(path: Path, *, env: Mapping[str, str], store: Store | None) -> dict[str, Any]:
    if store is None or _is_script(path):
        return _ask(path, env)
    state = path.stat()
    key = digest(_PROBE_FORMAT, str(path.resolve()), state.st_size, state.st_mtime_ns)

    def make(folder: Path) -> None:
        (folder / "said.json").write_text(json.dumps(_ask(path, env)), encoding="utf-8")

    folder, _ = store.entry(_KIND, key, make)
    said = json.loads((folder / "said.json").read_text(encoding="utf-8"))
    return said if isinstance(said, dict) else {}


def _is_script(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return True


def _ask(path: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """Start the interpreter and return what it says of itself; nothing when it is broken or hangs."""
    clean = {key: value for key, value in env.items() if not key.startswith("PYTHON")}
    try:
        done = run(
            [path, "-I", "-c", _PROBE], env=clean, cwd=path.parent, check=False, timeout=_PROBE_SECONDS
        )
        said = json.loads(done.output.strip().splitlines()[-1]) if done.returncode == 0 else {}
    except (ProcessError, DiptychError, OSError, ValueError, IndexError):
        return {}
    return said if isinstance(said, dict) else {}


def _interpreter(said: dict[str, Any], source: str) -> Interpreter:
    prefix = Path(said["prefix"])
    stdlib, include = Path(said["stdlib"]), Path(said["include"])
    libraries = [Path(name) for name in said["libraries"] if re.search(r"\.(so|dylib)\b", name)]
    spread = said["distribution"] or not (stdlib.is_relative_to(prefix) and include.is_relative_to(prefix))
    values: dict[str, Any] = {
        **{each.name: said[each.name] for each in fields(Interpreter) if each.name in said},
        "executable": Path(said["executable"]).resolve(),
        "prefix": prefix,
        "stdlib": stdlib,
        "include": include,
        "libpython": next((path.resolve() for path in libraries if path.is_file()), None),
        "libdir": Path(said["libdir"] or prefix / "lib"),
        "wheels": Path(said["wheels"]) if said["wheels"] else None,
        "own_prefix": not spread and prefix not in _SHARED,
        "source": source,
    }
    return Interpreter(**values)
