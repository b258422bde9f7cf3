"""Identify a compiler: its family, version and target, from its predefined macros.

A name proves nothing (``gcc`` is Apple's clang on macOS, ``c++`` may be anything), so family, version and
standard library come from preprocessing one standard header with the cell's own flags.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from diptych import libcxx, process, sanitizers, zig
from diptych.config import CompilerSpec
from diptych.config.known import LIBCXX, ZIG, SanitizerKind, known_spec, without_sanitizer
from diptych.distributions import how_to_install
from diptych.errors import MissingToolError, ProcessError
from diptych.matrix import Cell
from diptych.store import Store

Family: TypeAlias = Literal["gcc", "clang", "apple-clang"]

_MACRO = re.compile(r"^#define (\w+) (.*)$", re.MULTILINE)
_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Compiler:
    """A compiler that was found and has answered.

    Attributes:
        name: what the table calls it.
        cc: the C compiler.
        cxx: the C++ compiler.
        family: whose compiler it is.
        version: such as ``12.2.0``.
        target: the triple it compiles for, such as ``x86_64-linux-gnu``.
        library: the C++ standard library it compiles against, ``libstdc++`` or ``libc++``.
        library_version: that library's release, such as ``12``.
        library_date: the date in ``__GLIBCXX__``, such as ``20220819``; empty for libc++.
        abi: the ABI of that library: ``cxx11`` or ``pre-cxx11``, for the strings of libstdc++; ``1`` or ``2`` for libc++.
        glibc: the glibc whose headers it includes, such as ``2.36``; empty where that is not the C library.
        baseline: the oldest processor that what it compiles runs on, such as ``x86-64-v2``.
        sanitizer: what is added to what it compiles; None for nothing.
    """

    name: str
    cc: Path
    cxx: Path
    family: Family
    version: str
    target: str
    library: str
    library_version: str
    library_date: str
    abi: str = ""
    glibc: str = ""
    baseline: str = ""
    sanitizer: sanitizers.Sanitizer | None = None

    def describe(self) -> str:
        """Return all of it on one line."""
        date = f" of {self.library_date}" if self.library_date else ""
        glibc = f"glibc {self.glibc}, " if self.glibc else ""
        abi = f", ABI {self.abi}" if self.abi else ""
        return (
            f"{self.name}: {self.family} {self.version} for {self.target}, "
            f"{self.library} {self.library_version}{date}{abi}, {glibc}{self.cxx}"
        )


def of_cell(cell: Cell, env: Mapping[str, str], *, store: Store, prefix: Path | None = None) -> Compiler:
    """Return the cell's compiler, as :func:`detect` does; Zig, clang-libcxx and a sanitizer's are given their two commands.

    Raises:
        UnsupportedError: Zig, clang-libcxx or a sanitizer, on a platform that is not Linux.
        MissingToolError: it is not there, or cannot compile C++, or the sanitizer's runtime is not there or does not work.
    """
    spec = cell.compiler
    if spec.name == ZIG and not spec.cxx and not spec.packages:
        spec = zig.commands(spec, platform=cell.platform, floor=cell.settings.floor, store=store, env=env)
    if spec.name == LIBCXX and not spec.cxx and not spec.packages:
        spec = libcxx.commands(spec, platform=cell.platform, store=store, env=env)
    found = detect(spec, env, prefix=prefix)
    return _sanitized(cell, cell.sanitizer, found, store=store, env=env) if cell.sanitizer else found


def _sanitized(
    cell: Cell, kind: SanitizerKind, found: Compiler, *, store: Store, env: Mapping[str, str]
) -> Compiler:
    spec = cell.compiler
    sanitizers.require_platform(spec, cell.platform)

    def ask(word: str) -> str:
        return _ask(spec, found.cxx, [word], {**env, **spec.env}).strip().rpartition("\n")[2]

    request = sanitizers.Request(
        kind=kind,
        name=spec.name,
        clang="clang" in found.family,
        release=found.version.partition(".")[0],
        machine=cell.machine,
        ask=ask,
    )
    sanitizer = sanitizers.found(request, env)
    wrapped = sanitizers.commands(
        replace(spec, cc=str(found.cc), cxx=str(found.cxx)), sanitizer, clang=request.clang, store=store
    )
    return replace(found, cc=Path(wrapped.cc or ""), cxx=Path(wrapped.cxx or ""), sanitizer=sanitizer)


def detect(spec: CompilerSpec, env: Mapping[str, str], *, prefix: Path | None = None) -> Compiler:
    """Find a compiler and ask it what it is.

    Args:
        spec: what the table says of it.
        env: the environment; its PATH is searched.
        prefix: the conda environment that holds ``spec.packages``; it must be given if there are any.

    Raises:
        MissingToolError: it is not there, or cannot compile C++.
    """
    if spec.packages and prefix is None:
        raise MissingToolError(
            f'the compiler "{spec.name}" comes from packages, but their environment is not made yet',
            hint=_how_to_get(spec),
        )
    own = _environment(spec, env, prefix)
    cxx = _cxx(spec, own, prefix)
    cc = _found(spec, spec.cc or str(cxx.with_name(_partner(cxx.name))), own, prefix)
    macros = _macros(spec, cxx, own)
    family, version = _identity(macros)
    library, library_version, library_date = _library(spec, cxx, macros)
    return Compiler(
        name=spec.name,
        cc=cc,
        cxx=cxx,
        family=family,
        version=version,
        target=_ask(spec, cxx, ["-dumpmachine"], own).strip().rpartition("\n")[2],
        library=library,
        library_version=library_version,
        library_date=library_date,
        abi=_abi(macros),
        glibc=_glibc(macros),
        baseline=_baseline(macros),
    )


def shared_library(cell: Cell, compiler: Compiler, name: str, env: Mapping[str, str]) -> Path | None:
    """Return the library of that name that the compiler links, such as ``libstdc++.so.6``; None where it has none.

    Zig makes the libraries of its target as it links, and names those of the machine when it is asked.
    """
    if cell.compiler.name == ZIG:
        return None
    try:
        answer = _ask(cell.compiler, compiler.cxx, [f"-print-file-name={name}"], {**env, **cell.compiler.env})
    except MissingToolError:
        return None
    path = Path(answer.strip().rpartition("\n")[2])
    return path if path.is_absolute() and path.is_file() else None


def installed(env: Mapping[str, str]) -> tuple[Compiler, ...]:
    """Return every gcc, gcc-N, clang and clang-N on PATH that has its C++ partner and works."""
    specs = [spec for name in _names_on_path(env) if (spec := known_spec(name))]
    return tuple(compiler for spec in specs if (compiler := _detected(spec, env)))


def _detected(spec: CompilerSpec, env: Mapping[str, str]) -> Compiler | None:
    try:
        return detect(spec, env)
    except MissingToolError:
        return None  # a C compiler alone, or a shim without a compiler behind it


def _environment(spec: CompilerSpec, env: Mapping[str, str], prefix: Path | None) -> dict[str, str]:
    own = {**env, **spec.env}
    if spec.packages and prefix is not None:
        own["PATH"] = os.pathsep.join([str(prefix / "bin"), own.get("PATH", os.defpath)])
    return own


def _cxx(spec: CompilerSpec, env: Mapping[str, str], prefix: Path | None) -> Path:
    if spec.cxx:
        return _found(spec, spec.cxx, env, prefix)
    # An environment may hold both (conda-forge's clang can bring gcc along): prefer what the table names.
    named = " ".join([spec.name, *spec.packages])
    endings = ("clang++", "g++") if "clang" in named else ("g++", "clang++")
    if prefix is not None:
        for ending in endings:
            if candidates := sorted((prefix / "bin").glob(f"*-{ending}")):
                return candidates[0]
    raise _missing(spec, "*-g++ or *-clang++", env, prefix)


def _found(spec: CompilerSpec, program: str, env: Mapping[str, str], prefix: Path | None) -> Path:
    """Look a program up: on PATH, but for a compiler from packages only in their environment."""
    if spec.packages and prefix is not None:
        own = prefix / "bin" / program  # a path stays as it is
        path = own if os.access(own, os.X_OK) else None
    else:
        path = process.which(program, env)
    if path is None:
        raise _missing(spec, program, env, prefix)
    return path


def _missing(
    spec: CompilerSpec, program: str, env: Mapping[str, str], prefix: Path | None
) -> MissingToolError:
    where = f'in "{prefix / "bin"}"' if spec.packages and prefix is not None else "on PATH"
    there = ", ".join(_names_on_path(env)) or "none"
    return MissingToolError(
        f'the compiler "{spec.name}" is not there: no program "{program}" {where}',
        details=(f"compilers on PATH: {there}",),
        hint=_how_to_get(spec),
    )


def _how_to_get(spec: CompilerSpec) -> str:
    if spec.packages:
        return f"check packages = {list(spec.packages)} in [tool.diptych.compilers.{spec.name}]"
    base = without_sanitizer(spec.name)
    number = base.partition("-")[2] if known_spec(base) else ""
    command = how_to_install("clang++" if spec.name.startswith("clang") else "g++", number=number)
    return (
        f"{command} (macOS: xcode-select --install), "
        f"or name conda packages of it: packages = […] in [tool.diptych.compilers.{spec.name}]"
    )


def _partner(cxx: str) -> str:
    """Return the C compiler's name that goes with a C++ compiler's: ``gcc-13`` for ``g++-13``."""
    return (
        cxx.replace("clang++", "clang")
        if "clang++" in cxx
        else cxx.replace("g++", "gcc").replace("c++", "cc")
    )


def _names_on_path(env: Mapping[str, str]) -> list[str]:
    """Return the names of known C compilers in the folders of PATH, gcc before clang, plain name first."""
    folders = env.get("PATH", os.defpath).split(os.pathsep)
    names = {name for folder in folders if folder for name in _names_in(Path(folder)) if known_spec(name)}
    return sorted(names, key=_order)


def _names_in(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []  # PATH may name folders that are not there


def _order(name: str) -> tuple[bool, int]:
    family, _, number = name.partition("-")
    return family != "gcc", int(number or 0)


def _macros(spec: CompilerSpec, cxx: Path, env: Mapping[str, str]) -> dict[str, str]:
    return dict(
        _MACRO.findall(_ask(spec, cxx, ["-x", "c++", "-E", "-dM", "-include", "cstddef", os.devnull], env))
    )


def _ask(spec: CompilerSpec, cxx: Path, words: list[str], env: Mapping[str, str]) -> str:
    # With the flags of the table, because -stdlib=, --sysroot= and --target= decide what the answer is.
    try:
        return process.run([cxx, *spec.flags, *words], env=env, cwd=cxx.parent, timeout=_SECONDS).output
    except ProcessError as error:
        raise MissingToolError(
            f'the compiler "{spec.name}" does not compile C++: {error.summary} ({cxx})',
            details=error.details,
            hint="is a C++ standard library installed with it? "
            f"`{how_to_install('libc++' if spec.name == LIBCXX else 'g++')}` brings one",
        ) from error
    except MissingToolError as error:
        raise MissingToolError(
            f'the compiler "{spec.name}" does not work: {error.summary}', hint=_how_to_get(spec)
        ) from error


def _identity(macros: Mapping[str, str]) -> tuple[Family, str]:
    if "__clang__" in macros:
        parts = ("__clang_major__", "__clang_minor__", "__clang_patchlevel__")
        family: Family = "apple-clang" if "__apple_build_version__" in macros else "clang"
    else:
        family, parts = "gcc", ("__GNUC__", "__GNUC_MINOR__", "__GNUC_PATCHLEVEL__")
    return family, ".".join(macros.get(part, "0") for part in parts)


def _library(spec: CompilerSpec, cxx: Path, macros: Mapping[str, str]) -> tuple[str, str, str]:
    if "__GLIBCXX__" in macros:
        return "libstdc++", macros.get("_GLIBCXX_RELEASE", "0"), macros["__GLIBCXX__"]
    if "_LIBCPP_VERSION" in macros:
        return "libc++", _libcpp_release(macros["_LIBCPP_VERSION"]), ""
    raise MissingToolError(
        f'the compiler "{spec.name}" has no C++ standard library that Diptych knows ({cxx})',
        hint="libstdc++ and libc++ are known",
    )


def _abi(macros: Mapping[str, str]) -> str:
    """Return the ABI of the C++ library (libstdc++ manual, "Dual ABI"; libc++, "ABI versions")."""
    if "_LIBCPP_VERSION" in macros:
        return macros.get("_LIBCPP_ABI_VERSION", "")
    return {"1": "cxx11", "0": "pre-cxx11"}.get(macros.get("_GLIBCXX_USE_CXX11_ABI", ""), "")


def _glibc(macros: Mapping[str, str]) -> str:
    parts = [macros.get(name, "") for name in ("__GLIBC__", "__GLIBC_MINOR__")]
    return ".".join(parts) if all(part.isdigit() for part in parts) else ""


_X86_64 = {
    "x86-64-v4": ("AVX512F", "AVX512BW", "AVX512CD", "AVX512DQ", "AVX512VL"),
    "x86-64-v3": ("AVX2", "BMI2", "FMA"),
    "x86-64-v2": ("SSE3", "SSE4_2", "POPCNT"),
}
"""Level → macros of what it adds (x86-64 psABI, "Micro-Architecture Levels"); the highest that is whole counts."""


def _baseline(macros: Mapping[str, str]) -> str:
    if "__x86_64__" in macros:
        levels = (level for level, parts in _X86_64.items() if all(f"__{part}__" in macros for part in parts))
        return next(levels, "x86-64")
    arm = macros.get("__ARM_ARCH", "")
    return f"armv{arm}" if arm.isdigit() else ""


def _libcpp_release(number: str) -> str:
    """Decode ``_LIBCPP_VERSION``: five digits up to LLVM 15 (14000), six from 16 on (170006)."""
    digits = re.sub(r"\D", "", number)
    return digits[:2] if len(digits) > 4 else digits[:1]  # noqa: PLR2004 -- 9000 was LLVM 9
