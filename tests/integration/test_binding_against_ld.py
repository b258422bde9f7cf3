"""What binding says of crafted modules, held against the real loader: ``ctypes.CDLL`` binds all symbols at once."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from diptych.doctor import gather
from diptych.process import run
from diptych.rules import Severity, all_rules, judge
from helpers.needs import needs, needs_linux
from integration.make_linkage_fixtures import compiled

pytestmark = [
    needs_linux("ld.so"),
    needs("g++", package="g++"),
]
HERE = "-Wl,-rpath,$ORIGIN"
MODULE = 'extern "C" int PyInit__core() { return f(); }\n'
Make = Callable[[Path], None]


def library(folder: Path, name: str, source: str, *flags: str | Path) -> Path:
    return compiled(folder, f"lib{name}.so", source, f"-Wl,-soname,lib{name}.so", HERE, *flags)


def core(folder: Path, source: str, *flags: str | Path) -> None:
    compiled(folder, "_core.so", source, HERE, "-Wl,--no-as-needed", *flags)


def replaced(folder: Path, before: str, after: str, *flags: str) -> None:
    """Link a module against one library, then put another in its place."""
    core(folder, "int f();\n" + MODULE, library(folder, "f", before))
    library(folder, "f", after, *flags)


def versions(folder: Path, text: str) -> str:
    (folder / "versions").write_text(text, encoding="utf-8")
    return f"-Wl,--version-script={folder / 'versions'}"


def moved(folder: Path) -> None:
    old = versions(folder, 'V1 { global: extern "C++" { f*; }; };')
    core(folder, "int f();\n" + MODULE, library(folder, "f", "int f() { return 1; }", old))
    new = 'V1 { global: extern "C++" { g*; }; };\nV2 { global: extern "C++" { f*; }; };'
    library(folder, "f", "int f() { return 1; } int g() { return 1; }", versions(folder, new))


def dropped(folder: Path) -> None:
    old = versions(folder, 'V1 { global: extern "C++" { f*; }; };')
    core(folder, "int f();\n" + MODULE, library(folder, "f", "int f() { return 1; }", old))
    # It needs versions of libc itself: glibc stops with an assertion at a library without any version table.
    library(folder, "f", "#include <cstdio>\nint f() { return std::puts(__func__); }")


def underlinked(folder: Path, *, brought: bool) -> None:
    f = library(folder, "f", "int g(); int f() { return g(); }")
    g = library(folder, "g", "int g() { return 1; }")
    core(folder, "int f();\n" + MODULE, f, *((g,) if brought else ()))


def transitive(folder: Path) -> None:
    g = library(folder, "g", "int g() { return 1; }")
    f = library(folder, "f", "int f() { return 1; }", "-Wl,--no-as-needed", g)
    core(
        folder,
        'int f(); int g();\nextern "C" int PyInit__core() { return f() + g(); }',
        f,
        "-Wl,--unresolved-symbols=ignore-all",
    )


CASES: dict[str, Make] = {
    "well": lambda folder: replaced(folder, "int f() { return 1; }", "int f() { return 2; }"),
    "another signature": lambda folder: replaced(folder, "int f() { return 1; }", "int f(int) { return 2; }"),
    "gone": lambda folder: replaced(folder, "int f() { return 1; }", "int h() { return 2; }"),
    "hidden": lambda folder: replaced(
        folder, "int f() { return 1; }", "int f() { return 2; }", "-fvisibility=hidden"
    ),
    "protected": lambda folder: replaced(
        folder, "int f() { return 1; }", '__attribute__((visibility("protected"))) int f() { return 2; }'
    ),
    "an indirect function": lambda folder: replaced(
        folder,
        "int f() { return 1; }",
        'extern "C" int g() { return 2; } extern "C" void *pick() { return (void *) g; }\n'
        'int f() __attribute__((ifunc("pick")));',
    ),
    "a variable's unique symbol": lambda folder: core(
        folder,
        "template <class T> struct S { static int x; }; template <class T> int S<T>::x;\n"
        "int f() { return S<int>::x; }\n" + MODULE,
    ),
    "weak": lambda folder: core(
        folder, "__attribute__((weak)) int g(); int f() { return g ? g() : 0; }\n" + MODULE
    ),
    "version moved": moved,
    "versions dropped": dropped,
    "underlinked, but brought": lambda folder: underlinked(folder, brought=True),
    "underlinked, a sibling has it": lambda folder: underlinked(folder, brought=False),
    "from an indirect dependency": transitive,
    "no libstdc++": lambda folder: core(
        folder,
        "#include <locale>\nint f() { std::locale x; return 1; }\n" + MODULE,
        "-nodefaultlibs",
        "-lc",
    ),
    "the C library's, unnamed": lambda folder: core(
        folder,
        'extern "C" double log2(double); int f() { return log2(2.0 + (long) &f); }\n' + MODULE,
        "-nodefaultlibs",
        "-lc",
    ),
    "of the C API": lambda folder: core(
        folder, 'extern "C" int PyLong_FromLong(long); int f() { return PyLong_FromLong(1); }\n' + MODULE
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_loader_agrees(case: str, tmp_path: Path) -> None:
    CASES[case](tmp_path)
    words = f"import ctypes; ctypes.PyDLL({str(tmp_path / '_core.so')!r})"
    done = run([sys.executable, "-c", words], env={}, cwd=tmp_path, check=False)
    judged = judge(gather(tmp_path, shown="folder", host=platform.machine()), all_rules())
    lost = [
        one
        for one in judged.findings
        if one.code in {"DIP309", "DIP310"} and one.severity is not Severity.NOTE
    ]
    assert "DIP309" not in judged.skipped
    assert bool(lost) is (done.returncode != 0), (done.output, lost)
    if lost:
        symbol = done.output.split("undefined symbol: ")[1].split()[0].rstrip(",")
        assert any(symbol in line for one in lost for line in one.evidence), (done.output, lost)
