"""The compilers that the table may name without a section of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from diptych.config.faults import Place
from diptych.config.model import CompilerSpec
from diptych.errors import nearest

_KNOWN = re.compile(r"(gcc|clang)(-[0-9]+)?")
_CXX = {"gcc": "g++", "clang": "clang++"}
ZIG = "zig"
"""The compiler of PyPI's ``ziglang``: known too, but no program of that name is a C++ compiler."""
LIBCXX = "clang-libcxx"
"""Clang with libc++, linked statically: the machine's clang behind two commands of Diptych's own."""
_MADE = (ZIG, LIBCXX)

SanitizerKind: TypeAlias = Literal["asan", "ubsan", "tsan"]
_SUGGESTED = tuple(f"{family}-{kind}" for family in ("gcc", "clang") for kind in ("asan", "ubsan", "tsan"))
_SANITIZED = re.compile(r"((?:gcc|clang)(?:-[0-9]+)?)-(asan|ubsan|tsan)")


def sanitizer_of(name: str) -> SanitizerKind | None:
    """Return the sanitizer that a compiler's name ends with, such as ``asan`` of ``gcc-asan``; ``None`` for any other name."""
    found = _SANITIZED.fullmatch(name)
    return cast("SanitizerKind", found[2]) if found else None


def without_sanitizer(name: str) -> str:
    """Return the name of the compiler alone: ``gcc`` for ``gcc-asan``, any other name as it is."""
    found = _SANITIZED.fullmatch(name)
    return found[1] if found else name


def known_spec(name: str) -> CompilerSpec | None:
    """Return what ``gcc``, ``gcc-N``, ``clang`` or ``clang-N`` stands for; ``None`` for any other name."""
    if known := _KNOWN.fullmatch(name):
        return CompilerSpec(name=name, cc=name, cxx=f"{_CXX[known[1]]}{known[2] or ''}")
    return None


def compiler_specs(
    names: tuple[str, ...], tables: Mapping[str, Mapping[str, Any] | None], *, place: Place, root: Path
) -> tuple[CompilerSpec, ...]:
    """Return what the names of the ``compiler`` list stand for, in their order.

    Args:
        names: the list.
        tables: the ``[tool.diptych.compilers.NAME]`` tables, as read; ``None`` for a faulty one.
        place: where ``[tool.diptych]`` stands; takes a fault for a name that stands for nothing.
        root: the folder of the file, which relative paths of programs start from.
    """
    for name, table in tables.items():
        if table is not None and not _enough(name, table):
            place.key("compilers").key(name).fault('needs cxx = "…" or packages = ["…"]')
    specs = []
    for index, name in enumerate(names):
        if name not in tables and not _enough(name, {}):
            near = nearest(name, [*tables, *_CXX, *_MADE, *_SUGGESTED])
            place.key("compiler").item(index).wrong(
                name, f"there is no [tool.diptych.compilers.{name}] table{near}"
            )
        specs.append(_spec(name, tables.get(name) or {}, root))
    if names and sanitizer_of(names[0]):
        place.key("compiler").item(0).wrong(
            names[0],
            "packages are made with the first compiler, and no cell of a sanitizer makes any: name it later",
        )
    return tuple(specs)


def _enough(name: str, table: Mapping[str, Any]) -> bool:
    known = name in _MADE or known_spec(without_sanitizer(name))
    return bool(known or "cxx" in table or table.get("packages", ()) != ())


def _spec(name: str, table: Mapping[str, Any], root: Path) -> CompilerSpec:
    programs = {field: _placed(table.get(field), root) for field in ("cc", "cxx")}
    if (known := known_spec(without_sanitizer(name))) and not table.get("packages") and not programs["cxx"]:
        programs = {"cc": programs["cc"] or known.cc, "cxx": known.cxx}
    return CompilerSpec(**{**table, **programs, "name": name})


def _placed(program: str | None, root: Path) -> str | None:
    """Make a path absolute, and leave a bare name to be looked up."""
    return str(root / program) if program and "/" in program else program
