"""The traits by which cells are compared: a word or a number for each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from diptych.compare.binary import base_name
from diptych.compare.cell import Comparison
from diptych.compare.model import Severity
from diptych.compare.rules_linkage import highest
from diptych.output import human_size, human_time


@dataclass(frozen=True, kw_only=True)
class Trait:
    """One trait of one cell.

    Attributes:
        name: what it is, the same in every cell.
        value: what cells are compared by.
        shown: the value for a person.
        number: the value as a number, where cells are compared by how far apart they are.
        unit: ``bytes``, ``s``, or ``ms`` for times of a few of them (the number is in seconds all the same).
    """

    name: str
    value: str
    shown: str
    number: float | None = None
    unit: str = ""


def python_of(comparison: Comparison) -> str:
    """Return the Python of a cell's id, such as ``3.11``."""
    return comparison.cell.partition("-")[0]


def compiler_of(comparison: Comparison) -> str:
    """Return the compiler of a cell's id, such as ``gcc``."""
    return comparison.cell.partition("-")[2]


def traits_of(comparison: Comparison) -> tuple[Trait, ...]:
    """Return the traits of a cell, with everything that its Python's number alone explains made alike."""
    return (*_words(comparison), *_numbers(comparison))


def _words(comparison: Comparison) -> Iterator[Trait]:
    python = python_of(comparison)
    digits = python.replace(".", "")

    def alike(text: str) -> str:
        return re.sub(r"cpython-\d+t?", "cpython-3N", text).replace(digits, "3N").replace(python, "3.N")

    for one in comparison.wheel.own:
        stem = one.stem.rsplit("/", 1)[-1]
        needed = ", ".join(sorted(alike(base_name(name)) for name in one.needed))
        yield _word(f"{stem}: needed libraries", needed)
        exported = "\n".join(sorted(one.exported))
        digest = hashlib.sha256(exported.encode()).hexdigest()
        yield Trait(name=f"{stem}: exported symbols", value=digest, shown=f"{len(one.exported)} symbols")
        flags = ["RELRO " + one.hardening.relro]
        flags += ["stack protector"] if one.hardening.stack_protector else []
        flags += ["FORTIFY"] if one.hardening.fortified else []
        flags += list(one.hardening.control_flow)
        yield _word(f"{stem}: hardening", ", ".join(flags))
    family = "macOS" if any(one.format == "macho" for one in comparison.wheel.own) else "GLIBC"
    yield _word(f"oldest {family}", highest(comparison.wheel, family) or "none")
    yield _word(
        "grafted libraries",
        alike(", ".join(base_name(one.name) for one in comparison.wheel.grafted)) or "none",
    )
    codes = sorted({one.code for one in comparison.findings if one.severity is not Severity.EXPECTED})
    yield _word("rules that found drift or error", ", ".join(codes) or "none")
    for title, side in (("wheel", comparison.wheel), ("conda package", comparison.conda)):
        files = sorted(alike(place) for place, file in side.files.items() if file.role != "bytecode")
        digest = hashlib.sha256("\n".join(files).encode()).hexdigest()
        yield Trait(name=f"files of the {title}", value=digest, shown=f"{len(files)} files")
    tests = comparison.facts.get("tests", {})
    if "in source" in tests:
        yield _word("tests run in source", str(tests["in source"]))


def _word(name: str, value: str) -> Trait:
    return Trait(name=name, value=value, shown=value)


def _numbers(comparison: Comparison) -> Iterator[Trait]:
    for title, side in (("wheel", comparison.wheel), ("conda package", comparison.conda)):
        yield _number(f"download of the {title}", side.size, "bytes")
        yield _number(f"installed size of the {title}", side.installed, "bytes")
    facts = comparison.facts
    if "seconds" in facts.get("tests", {}):
        yield _number("time of the tests in source", facts["tests"]["seconds"], "s")
    for title, key in (("wheel", "left"), ("conda package", "right")):
        if cost := (facts.get("cost") or {}).get(key):
            yield _number(f"time to import the {title}", cost["import_seconds"], "ms")
            if cost["benchmark"]:
                yield _number(f"time of the benchmark, {title}", cost["benchmark"]["seconds"], "s")


def _number(name: str, value: float, unit: str) -> Trait:
    return Trait(name=name, value=str(value), shown=for_person(value, unit), number=float(value), unit=unit)


def for_person(value: float, unit: str) -> str:
    """Write a number of a unit as a person reads it."""
    return human_size(round(value)) if unit == "bytes" else human_time(value)
