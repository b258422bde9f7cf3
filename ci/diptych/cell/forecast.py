"""Whether a compiler can keep the floor of the table, said before anything is compiled.

A newer glibc does not mean a higher tag: a wheel needs what its code uses. So the forecast says *kept* where nothing that the compiler
links is newer than the floor, and otherwise which of its symbols would break it. The libraries of host packages are there already:
what they need is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from diptych.binaries import Binary, read_file
from diptych.cell.linked import libraries_of, packages_to_link
from diptych.compilers import Compiler, shared_library
from diptych.environments import Environment
from diptych.errors import FormatError, PackageError
from diptych.matrix import Cell
from diptych.policy import Level, forecast, manylinux
from diptych.policy.images import image_for
from diptych.policy.tables import version_key

_SHOWN = 3
_SCRIPT = 4096  # bytes: no library is as small
_USUAL = (
    *("pthread_create", "pthread_join", "pthread_once", "dlopen", "dlsym", "stat", "fstat", "__libc_single_threaded"),
    *("pow", "exp", "log", "powf", "expf", "logf", "hypot", "fmod", "fcntl64", "__isoc23_strtol"),
    *("pthread_cond_clockwait", "_ZSt21ios_base_library_initv", "_ZSt28__throw_bad_array_new_lengthv"),
    *("_ZSt21__glibcxx_assert_failPKciS0_S0_", "_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE"),
)  # fmt: skip
"""What code uses without knowing that it is new: functions that glibc gave a new version or moved (its NEWS, 2.27 to 2.38), and
what headers of libstdc++ call by themselves. Those that a library has are named first."""


@dataclass(frozen=True, kw_only=True)
class FloorForecast:
    """What a cell promises.

    Attributes:
        floor: what the table asks for.
        newer: what would break it if the code uses it, a line each; none: the compiler keeps it.
    """

    floor: Level
    newer: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Say it to a person."""
        if not self.newer:
            return f"{self.floor}: kept, nothing that is linked is newer"
        return f"{self.floor}: cannot be told before linking; kept unless the code uses what is newer"


def forecast_floor(
    cell: Cell, compiler: Compiler, environment: Environment, env: Mapping[str, str]
) -> FloorForecast | None:
    """Say whether a cell can keep its floor; None where it has none.

    Args:
        cell: its floor, its compiler's flags, its host packages.
        compiler: as found.
        environment: the host environment, whose libraries would be grafted.
        env: the environment that the compiler is asked in.

    Raises:
        PackageError: a host package has no library that keeps the floor, so a wheel that links it cannot.
    """
    if cell.settings.floor is None or not cell.platform.startswith("linux"):
        return None
    floor = Level.parse(f"manylinux_{cell.settings.floor}")
    above = dict(_grafted(cell, environment, floor))
    hopeless = [line for package, (all_of_it, lines) in above.items() if all_of_it for line in lines]
    if hopeless:
        raise PackageError(
            f"{cell.id}: the floor is {floor}, and libraries of the host packages need more",
            details=hopeless,
            hint="take an older build of the package, exclude-libraries = [...] where the user's machine brings it, or a higher floor",
        )
    newer = [*_c_library(cell, compiler, floor, env), *_cxx_library(cell, compiler, floor, env)]
    if newer:
        newer.append(f"what would do: {what_would_do(cell, floor)}")
    return FloorForecast(
        floor=floor, newer=(*newer, *(line for _, lines in above.values() for line in lines))
    )


def what_would_do(cell: Cell, floor: Level) -> str:
    """Return the ways to compile for a floor, in words."""
    sysroot = ".".join(map(str, floor.version))
    ways = [f'a compiler of the channel with "sysroot_{cell.platform}={sysroot}"']
    if cell.compiler.name != "zig":
        ways.insert(0, 'compiler = ["zig"]')
    if image := image_for(floor, cell.machine):
        ways.append(f"the image {image}")
    return ", ".join(ways[:-1]) + f" or {ways[-1]}" if len(ways) > 1 else ways[0]


def _c_library(cell: Cell, compiler: Compiler, floor: Level, env: Mapping[str, str]) -> Iterator[str]:
    if not compiler.glibc:
        yield f"{compiler.cxx.name} does not say which glibc it includes"
        return
    number = Level(version=_pair(compiler.glibc))
    if number <= floor:
        return
    names: dict[str, str] = {}
    for library in ("libc.so.6", "libm.so.6"):
        if path := shared_library(cell, compiler, library, env):
            names.update(_newer(path, floor, cell, newest=number))
    yield f"glibc {compiler.glibc} of {compiler.cxx.name}{_for_example(names)}"


def _cxx_library(cell: Cell, compiler: Compiler, floor: Level, env: Mapping[str, str]) -> Iterator[str]:
    if compiler.library != "libstdc++":
        # Only a shared libc++ counts, which would be grafted; Zig's is compiled for the floor.
        if path := shared_library(cell, compiler, "libc++.so.1", env):
            lines = _above(path, "the compiler", floor, cell)
            yield from (f"in C++: {line}" for line in lines)
        return
    if path := _linked(shared_library(cell, compiler, "libstdc++.so", env)):
        names = dict(_newer(path, floor, cell))
        if names:
            yield f"libstdc++ {compiler.library_version} of {compiler.cxx.name}{_for_example(names)}"
        return
    worst = forecast(compiler.library_version, machine=cell.machine)
    if worst is None or worst.level is None or worst.level > floor:
        yield worst.sentence if worst else f"libstdc++ {compiler.library_version}, which no table knows"


def _linked(path: Path | None) -> Path | None:
    """Follow a linker script, as gcc's toolsets for old systems have: what it names of the system is what code is bound to."""
    if path is None or path.stat().st_size > _SCRIPT:
        return path
    found = re.search(r"/\S+\.so\.6", path.read_text(encoding="utf-8", errors="replace"))
    return Path(found[0]) if found and Path(found[0]).is_file() else None


def _for_example(names: Mapping[str, str]) -> str:
    """Name what usually does it, with the version that each asks for."""
    usual = [name for name in _USUAL if name in names]
    shown = [f"{name} ({names[name]})" for name in _one_a_version(usual, names)[: 2 * _SHOWN]]
    others = len(names) - len(shown)
    more = f" and {others} more" if shown and others else f"{others} symbols" if others else ""
    return f": {', '.join(shown)}{more}" if shown or more else ""


def _one_a_version(names: list[str], versions: Mapping[str, str]) -> list[str]:
    """Return two names of each version, the newest version first."""
    chosen: dict[str, list[str]] = {}
    for name in names:
        chosen.setdefault(versions[name], []).append(name)
    newest_first = sorted(chosen, key=version_key, reverse=True)
    return [name for version in newest_first for name in chosen[version][:2]]


def _newer(path: Path, floor: Level, cell: Cell, *, newest: Level | None = None) -> Iterator[tuple[str, str]]:
    """Yield the symbols that a library hands to new code in a version above the floor.

    Args:
        path: the library.
        floor: the wish.
        cell: for its machine.
        newest: what the headers said: a library with another newest version is not theirs.
    """
    try:
        (binary, *_) = read_file(path, symbols=True)
    except FormatError:
        return
    defined = [version.name for version in binary.version_definitions if version.name.startswith("GLIBC_2.")]
    if newest and defined and Level(version=_pair(max(defined, key=version_key)[6:])) != newest:
        return
    machine = cell.machine
    for symbol in binary.symbols or ():
        version = symbol.version or ""
        if symbol.defined and symbol.default_version and _regulated(version, machine):
            lowest = manylinux().lowest(version, machine)
            if lowest is None or lowest > floor:
                yield symbol.name, version


def _regulated(version: str, machine: str) -> bool:
    """Tell whether a version is one that the policies speak of and that code may ask for."""
    return not version.endswith("PRIVATE") and manylinux().regulated(version, machine)


def _grafted(
    cell: Cell, environment: Environment, floor: Level
) -> Iterator[tuple[str, tuple[bool, list[str]]]]:
    """Yield each host package with libraries above the floor: whether all of them are, and a line for each."""
    owners = environment.owners
    files = libraries_of(environment, owners)
    for package in packages_to_link(cell, environment, owners):
        brought = [path for path in files.get(package, ()) if _is_brought(path.name, cell)]
        lines = [
            [
                line
                for one, owner in _with_needed(path, environment, owners, cell)
                for line in _above(one, owner, floor, cell)
            ]
            for path in brought
        ]
        if any(lines):
            every = dict.fromkeys(line for several in lines for line in several)
            yield package, (all(lines), list(every))


def _with_needed(
    path: Path, environment: Environment, owners: Mapping[str, str], cell: Cell
) -> Iterator[tuple[Path, str]]:
    """Yield a library and those of the environment that it needs in turn, which are grafted with it, each with its package."""
    waiting, seen = [f"lib/{path.name}"], set[str]()
    while waiting:
        file = waiting.pop(0)
        if file in seen or file not in owners:
            continue
        seen.add(file)
        yield environment.prefix / file, owners[file]
        waiting += [f"lib/{name}" for name in _needed(environment.prefix / file) if _is_brought(name, cell)]


def _needed(path: Path) -> tuple[str, ...]:
    try:
        return read_file(path)[0].needed
    except FormatError:
        return ()


def _is_brought(name: str, cell: Cell) -> bool:
    """Tell whether a wheel has to bring a library: no policy expects it, and the table does not exclude it."""
    excluded = any(fnmatch(name, glob) for glob in cell.settings.exclude_libraries)
    return not excluded and manylinux().lowest_for_library(name) is None


def _above(path: Path, package: str, floor: Level, cell: Cell) -> list[str]:
    """Return a line for what a library needs above the floor, of its newest version, with symbols."""
    try:
        (binary, *_) = read_file(path, symbols=True)
    except FormatError:
        return []
    machine = cell.machine
    wanted = {
        need.version
        for need in binary.version_needs
        if _regulated(need.version, machine) and not _admits(floor, need.version, machine)
    }
    if not wanted:
        return []
    newest = max(wanted, key=lambda version: _rank(version, machine))
    return [f"{package}: {path.name} needs {newest} ({_symbols(binary, newest)})"]


def _symbols(binary: Binary, version: str) -> str:
    names = [
        symbol.name for symbol in binary.symbols or () if not symbol.defined and symbol.version == version
    ]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more if names else "no symbol names it"


def _admits(floor: Level, version: str, machine: str) -> bool:
    lowest = manylinux().lowest(version, machine)
    return lowest is not None and lowest <= floor


def _rank(version: str, machine: str) -> tuple[tuple[int, int], tuple[str, tuple[int, ...]]]:
    lowest = manylinux().lowest(version, machine)
    return (lowest.version if lowest else (999, 0)), version_key(version)


def _pair(number: str) -> tuple[int, int]:
    major, _, minor = number.partition(".")
    return int(major), int(minor.partition(".")[0] or 0)
