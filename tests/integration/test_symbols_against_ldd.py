"""Unused libraries: our answer against ``ldd -u`` and against what ``ld --as-needed`` leaves out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from diptych.binaries import Binary, read_file
from diptych.closure import closure, this_machine
from diptych.process import run
from diptych.symbols import unused_needed
from helpers.needs import needs, needs_linux

pytestmark = [needs_linux("ld.so"), needs("gcc", package="g++")]
ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}


@dataclass(frozen=True, kw_only=True)
class Crafted:
    """Sources of libraries, then of the binary that is linked to all of them, in order.

    Attributes:
        libraries: name → C source.
        source: of the binary.
        program: an executable instead of a library.
        as_needed: whether ``ld --as-needed`` is expected to agree.
        scripts: name → version script.
        flags: more words for the linker.
    """

    libraries: dict[str, str]
    source: str
    program: bool = False
    as_needed: bool = True
    scripts: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()


A, B = "int a(void) { return 1; }", "int b(void) { return 2; }"
CASES = {
    "all used": Crafted(
        libraries={"a": A, "b": B}, source="int a(void); int b(void); int f(void) { return a() + b(); }"
    ),
    "one unused": Crafted(libraries={"a": A, "b": B}, source="int a(void); int f(void) { return a(); }"),
    "none used": Crafted(libraries={"a": A, "b": B}, source="int f(void) { return 1; }"),
    "only data used": Crafted(
        libraries={"a": "int data = 4;", "b": B}, source="extern int data; int f(void) { return data; }"
    ),
    "only an address used": Crafted(
        libraries={"a": A, "b": B}, source="int a(void); int (*pointer)(void) = a; int f(void) { return 1; }"
    ),
    "unresolved names keep nothing": Crafted(
        libraries={"a": A}, source="int PyList_New(int); int f(void) { return PyList_New(0); }"
    ),
    "two define it, the first is used": Crafted(
        libraries={"a": A, "b": A}, source="int a(void); int f(void) { return a(); }"
    ),
    "versioned": Crafted(
        libraries={"a": A, "b": B},
        source="int b(void); int f(void) { return b(); }",
        scripts=(("a", "A_1 { a; };"), ("b", "B_1 { b; };")),
    ),
    "weak reference": Crafted(
        libraries={"a": A, "b": B},
        source="__attribute__((weak)) int a(void); int f(void) { return a ? a() : 0; }",
        as_needed=False,  # as documented: a weak reference does not make the linker keep it
    ),
    "thread-local data": Crafted(
        libraries={"a": "__thread int t = 1;", "b": B},
        source="extern __thread int t; int f(void) { return t; }",
    ),
    "indirect function": Crafted(
        libraries={
            "a": "static int x(void) { return 1; } static void *pick(void) { return x; } "
            'int a(void) __attribute__((ifunc("pick")));',
            "b": B,
        },
        source="int a(void); int f(void) { return a(); }",
    ),
    "program with a copy of data": Crafted(
        libraries={"a": "int data = 4;", "b": B},
        source="extern int data; int main(void) { return data; }",
        program=True,
        flags=("-no-pie", "-fno-pic"),
    ),
    "program with one unused": Crafted(
        libraries={"a": A, "b": B}, source="int b(void); int main(void) { return b(); }", program=True
    ),
    "immediate binding": Crafted(
        libraries={"a": A, "b": B}, source="int a(void); int f(void) { return a(); }", flags=("-Wl,-z,now",)
    ),
}


def _build(case: Crafted, folder: Path) -> tuple[Path, Path]:
    """Return the binary linked to everything, and the one linked with --as-needed."""
    scripts = dict(case.scripts)
    for name, source in case.libraries.items():
        (folder / f"{name}.c").write_text(source + "\n", encoding="ascii")
        words = ["gcc", "-shared", "-fPIC", f"-Wl,-soname=lib{name}.so", "-o", f"lib{name}.so", f"{name}.c"]
        if name in scripts:
            (folder / f"{name}.map").write_text(scripts[name], encoding="ascii")
            words.append(f"-Wl,--version-script={name}.map")
        run(words, env=ENV, cwd=folder)
    (folder / "main.c").write_text(case.source + "\n", encoding="ascii")
    kind = ["-fPIE", "-pie"] if case.program else ["-fPIC", "-shared"]
    libraries = [f"lib{name}.so" for name in case.libraries]
    made = []
    for mode in ("no-as-needed", "as-needed"):
        words = [
            "gcc",
            *kind,
            *case.flags,
            "-Wl,-rpath,$ORIGIN",
            "-o",
            mode,
            "main.c",
            f"-Wl,--{mode}",
            *libraries,
        ]
        run(words, env=ENV, cwd=folder)
        made.append(folder / mode)
    return made[0], made[1]


def _unused(path: Path) -> tuple[str, ...]:
    (binary,) = read_file(path, symbols=True)
    providers: dict[str, Binary] = {}
    for entry in closure(path, where=this_machine(environment={}, cwd="/")).loaded:
        if entry.path and entry.name not in providers:
            providers[entry.name] = read_file(entry.path, symbols=True)[0]
    return unused_needed(binary, providers)


def _by_ldd(path: Path) -> set[str]:
    output = run(["ldd", "-u", path], env=ENV, cwd=path.parent, check=False).output
    return {Path(line.strip()).name for line in output.splitlines() if re.match(r"\s+/", line)}


@pytest.mark.parametrize("name", CASES)
def test_agrees(name: str, tmp_path: Path) -> None:
    everything, pruned = _build(CASES[name], tmp_path)
    unused = _unused(everything)
    crafted = {f"lib{library}.so" for library in CASES[name].libraries}
    assert set(unused) & crafted == _by_ldd(everything) & crafted
    if CASES[name].as_needed:
        # The C library is left out of it: every object refers weakly to __cxa_finalize, which we count as use.
        before, after = read_file(everything)[0].needed, read_file(pruned)[0].needed
        assert set(unused) & crafted == (set(before) - set(after)) & crafted
