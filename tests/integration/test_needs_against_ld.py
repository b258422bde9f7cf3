"""What DIP307, DIP309 and DIP502 say of wheels, held against the real loader: each is unpacked and imported."""

from __future__ import annotations

import struct
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from diptych.doctor import gather
from diptych.doctor.beside import lay_beside
from diptych.process import run
from diptych.rules import Severity, all_rules, judge
from helpers.archive_makers import METADATA, honest_wheel, wheel_files
from helpers.needs import needs, needs_linux

pytestmark = [
    needs_linux("ld.so"),
    needs("gcc", package="g++"),
]
NAME = "pair-1.2-cp311-cp311-manylinux_2_41_x86_64.whl"
INCLUDE = sysconfig.get_paths()["include"]
MODULE = """
#include <Python.h>
{declared}
static struct PyModuleDef core = {{PyModuleDef_HEAD_INIT, "_core", 0, -1, 0}};
PyMODINIT_FUNC PyInit__core(void) {{ if ({call} == -7) return 0; return PyModule_Create(&core); }}
"""
OLD, NEW = "-Wl,--disable-new-dtags", "-Wl,--enable-new-dtags"


@dataclass(kw_only=True)
class Bench:
    """A folder in which a wheel's members are compiled."""

    root: Path
    files: dict[str, bytes] = field(default_factory=lambda: {"pair/__init__.py": b"from pair import _core\n"})
    sibling: dict[str, bytes] = field(default_factory=dict)
    requires: Sequence[str] = ()
    start: str = "import pair"

    def compiled(self, name: str, source: str, *flags: str) -> Path:
        path = self.root / name
        (self.root / "source.c").write_text(source, encoding="utf-8")
        words: list[str | Path] = [
            "gcc",
            "-shared",
            "-fPIC",
            "-O1",
            f"-I{INCLUDE}",
            "-o",
            path,
            self.root / "source.c",
        ]
        run(
            [*words, f"-L{self.root}", "-Wl,--no-as-needed", *flags],
            env={"PATH": "/usr/bin:/bin"},
            cwd=self.root,
        )
        return path

    def library(self, name: str, *flags: str, body: str = "return 1;", declared: str = "") -> bytes:
        soname = f"lib{name}.so.1"
        source = f"{declared}\nint {name}(void) {{ {body} }}"
        path = self.compiled(f"lib{name}.so", source, f"-Wl,-soname,{soname}", "-Wl,-z,lazy", *flags)
        return path.read_bytes()

    def module(self, *flags: str, declared: str = "int foo(void);", call: str = "foo()") -> bytes:
        path = self.compiled("_core.so", MODULE.format(declared=declared, call=call), *flags)
        self.files["pair/_core.so"] = path.read_bytes()
        return self.files["pair/_core.so"]


Make = Callable[[Bench], None]


def inherited(bench: Bench, tags: str) -> None:
    """_core → libfoo → libbar; only _core has a run path."""
    bench.files["pair.libs/libbar.so.1"] = bench.library("bar")
    foo = bench.library("foo", "-lbar", declared="int bar(void);", body="return bar();")
    bench.files["pair.libs/libfoo.so.1"] = foo
    bench.module("-lfoo", tags, "-Wl,-rpath,$ORIGIN/../pair.libs", f"-Wl,-rpath-link,{bench.root}")


def no_needed_name(bench: Bench) -> None:
    """A DT_NEEDED that is the empty string: the program's own name is that."""
    data = bytearray(bench.module(declared="", call="0"))
    at, size = segment(data, 2)
    for entry in range(at, at + size, 16):
        if struct.unpack_from("<Q", data, entry)[0] == 1:
            struct.pack_into("<Q", data, entry + 8, 0)
    bench.files["pair/_core.so"] = bytes(data)


def filled_by_sibling(bench: Bench, *, brought: str) -> None:
    """The run path leads into the wheel's own folder, which a required wheel fills."""
    bench.library("foo")
    bench.sibling[f"pair/bin/lib/lib{brought}.so.1"] = bench.library(brought)
    bench.library("foo")
    bench.requires = ("pair-bin>=1",)
    bench.module("-lfoo", NEW, "-Wl,-rpath,$ORIGIN/bin/lib")


def preloaded(bench: Bench, *, python: bool) -> None:
    """No run path at all; the package's Python code may have loaded the library before."""
    bench.files["pair/lib/libfoo.so.1"] = bench.library("foo")
    load = b"import ctypes, os\nctypes.CDLL(os.path.join(os.path.dirname(__file__), 'lib', 'libfoo.so.1'))\n"
    bench.files["pair/__init__.py"] = (load if python else b"") + b"from pair import _core\n"
    bench.module("-lfoo")


def preloaded_by_another_file(bench: Bench, *, imported_first: bool) -> None:
    """The library is loaded by a file that ``__init__`` imports, or by one that nobody does."""
    preloaded(bench, python=True)
    bench.files["pair/loading.py"] = bench.files["pair/__init__.py"].partition(b"from pair")[0]
    first = b"from pair import loading\n" if imported_first else b""
    bench.files["pair/__init__.py"] = first + b"from pair import _core\n"


def only_ctypes(bench: Bench, *, own: bool) -> None:
    """A wheel without a module: its one library is loaded by ctypes."""
    bench.library("bar")
    bench.files = {
        "pair/__init__.py": b"import ctypes, os\nctypes.CDLL(os.path.dirname(__file__) + '/libfoo.so.1')\n"
    }
    flags = ("-lbar", "-Wl,-rpath,$ORIGIN") if own else ("-lbar",)
    bench.files["pair/libfoo.so.1"] = bench.library(
        "foo", *flags, declared="int bar(void);", body="return bar();"
    )
    if own:
        bench.files["pair/libbar.so.1"] = bench.library("bar")


def unnamed(bench: Bench, symbol: str) -> None:
    """A name that no needed library has: glibc's is in the process, since python links libm."""
    bench.module(
        "-nodefaultlibs", "-lc", declared=f"double {symbol}(double);", call=f"{symbol}(2.0 + (long) &core)"
    )


def sections_cut(bench: Bench) -> None:
    """The file ends behind its last segment: the section headers are past the end."""
    data = bench.module(declared="", call="0")
    count, table = struct.unpack_from("<H", data, 56)[0], struct.unpack_from("<Q", data, 32)[0]
    rows = (struct.unpack_from("<IIQQQQQQ", data, table + 56 * row) for row in range(count))
    bench.files["pair/_core.so"] = data[: max(row[2] + row[5] for row in rows if row[0] == 1)]


def text_for_note(bench: Bench) -> None:
    """Free text where a note is said to be."""
    data = bytearray(bench.module("-Wl,--build-id=sha1", declared="", call="0"))
    at, size = segment(data, 4)
    data[at : at + size] = (b"free text, and no note at all: " * 40)[:size]
    bench.files["pair/_core.so"] = bytes(data)


def string_size(bench: Bench, size: int) -> None:
    """DT_STRSZ says something else than the truth; ld.so does not read it."""
    data = bytearray(bench.module(declared="", call="0"))
    at, length = segment(data, 2)
    for entry in range(at, at + length, 16):
        if struct.unpack_from("<Q", data, entry)[0] == 10:
            struct.pack_into("<Q", data, entry + 8, size)
    bench.files["pair/_core.so"] = bytes(data)


def short_segment(bench: Bench, *, cleared: bool) -> None:
    """The writable segment ends before the dynamic section, which lies on the same page; larger in memory, it is cleared."""
    data = bytearray(bench.module("-Wl,-z,norelro", declared="", call="0"))
    count, table = struct.unpack_from("<H", data, 56)[0], struct.unpack_from("<Q", data, 32)[0]
    for row in range(table, table + 56 * count, 56):
        kind, flags = struct.unpack_from("<II", data, row)
        if kind == 1 and flags & 2:
            struct.pack_into("<QQ", data, row + 32, 8, 0x400 if cleared else 8)
    bench.files["pair/_core.so"] = bytes(data)


def cut_off(bench: Bench) -> None:
    data = bench.module(declared="", call="0")
    bench.files["pair/_core.so"] = data[:0x1800]


def segment(data: bytes | bytearray, wanted: int) -> tuple[int, int]:
    """Return offset and size of the first segment of a type."""
    count, table = struct.unpack_from("<H", data, 56)[0], struct.unpack_from("<Q", data, 32)[0]
    rows = (struct.unpack_from("<IIQQQQQQ", data, table + 56 * row) for row in range(count))
    return next((row[2], row[5]) for row in rows if row[0] == wanted)


CASES: dict[str, Make] = {
    "DT_RPATH is inherited": lambda bench: inherited(bench, OLD),
    "DT_RUNPATH is not": lambda bench: inherited(bench, NEW),
    "an empty needed name": no_needed_name,
    "a sibling fills the folder": lambda bench: filled_by_sibling(bench, brought="foo"),
    "a sibling without the library": lambda bench: filled_by_sibling(bench, brought="other"),
    "loaded by ctypes before": lambda bench: preloaded(bench, python=True),
    "loaded by another file before": lambda bench: preloaded_by_another_file(bench, imported_first=True),
    "loaded by a file that nobody imports": lambda bench: preloaded_by_another_file(
        bench, imported_first=False
    ),
    "loaded by nobody before": lambda bench: preloaded(bench, python=False),
    "only a ctypes library, whole": lambda bench: only_ctypes(bench, own=True),
    "only a ctypes library, lacking": lambda bench: only_ctypes(bench, own=False),
    "glibc's name, unnamed library": lambda bench: unnamed(bench, "acos"),
    "nobody's C++ name": lambda bench: unnamed(bench, "_Z8nowhered"),
    "no section headers where they should be": sections_cut,
    "free text in a note": text_for_note,
    "dynamic section behind its segment": lambda bench: short_segment(bench, cleared=False),
    "dynamic section in what is cleared": lambda bench: short_segment(bench, cleared=True),
    "no size of the string table": lambda bench: string_size(bench, 0),
    "a small size of the string table": lambda bench: string_size(bench, 1),
    "a size of the string table past the end": lambda bench: string_size(bench, 1 << 40),
    "cut off": cut_off,
}


def with_requires(files: Mapping[str, bytes], requires: Sequence[str]) -> dict[str, bytes]:
    found = wheel_files(files)
    lines = "".join(f"Requires-Dist: {one}\n" for one in requires)
    found["pair-1.2.dist-info/METADATA"] = METADATA.replace("Requires-Dist: numpy\n", lines).encode()
    return found


def imported(wheels: Sequence[Path], bench: Bench) -> str:
    """Unpack the wheels into one folder and import the package; return what went wrong, or an empty text."""
    site = bench.root / "site"
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    done = run(
        [sys.executable, "-c", bench.start], env={"PYTHONPATH": str(site)}, cwd=bench.root, check=False
    )
    return "" if done.returncode == 0 else done.output or str(done.returncode)


@pytest.mark.parametrize("case", CASES)
def test_an_error_is_what_import_meets(case: str, tmp_path: Path) -> None:
    bench = Bench(root=tmp_path)
    CASES[case](bench)
    wheel = honest_wheel(tmp_path, with_requires(bench.files, bench.requires), name=NAME)
    siblings = []
    if bench.sibling:
        other = {
            name.replace("pair-1.2.", "pair_bin-1."): data
            for name, data in wheel_files(bench.sibling).items()
        }
        siblings = [honest_wheel(tmp_path, other, name="pair_bin-1-py3-none-manylinux_2_41_x86_64.whl")]
    laid = lay_beside([(path.name, path) for path in siblings])
    problem = imported([wheel, *siblings], bench)
    judged = judge(gather(wheel, shown="wheel", host=None, laid=laid), all_rules())
    errors = [one for one in judged.findings if one.severity is Severity.ERROR]
    assert bool(errors) is bool(problem), (problem, judged.findings)
    for one in errors:
        library = one.message.partition(" ")[0]
        assert one.code != "DIP307" or library in problem, (problem, errors)
    loud = {one.severity for one in judged.findings if one.code in {"DIP307", "DIP309", "DIP502"}}
    assert problem or loud <= {Severity.NOTE}, judged.findings


def test_without_the_sibling_it_is_a_note_that_names_it(tmp_path: Path) -> None:
    bench = Bench(root=tmp_path)
    filled_by_sibling(bench, brought="foo")
    wheel = honest_wheel(tmp_path, with_requires(bench.files, bench.requires), name=NAME)
    judged = judge(gather(wheel, shown="wheel", host=None), all_rules())
    (found,) = [one for one in judged.findings if one.code == "DIP307"]
    assert found.severity is Severity.NOTE
    assert "pair-bin" in found.message
    assert "--with pair-bin" in found.next_step


def test_an_environment_beside_is_looked_into(tmp_path: Path) -> None:
    bench = Bench(root=tmp_path)
    filled_by_sibling(bench, brought="foo")
    wheel = honest_wheel(tmp_path, with_requires(bench.files, bench.requires), name=NAME)
    for folder, expected in (("python3.11/site-packages", []), ("elsewhere", [Severity.ERROR])):
        prefix = tmp_path / folder.partition("/")[0]
        record = prefix / "conda-meta" / "pair-bin-1-0.json"
        library = prefix / "lib" / folder / "pair" / "bin" / "lib" / "libfoo.so.1"
        for path, data in (
            (record, b'{"name": "pair-bin"}'),
            (library, bench.sibling["pair/bin/lib/libfoo.so.1"]),
        ):
            path.parent.mkdir(parents=True)
            path.write_bytes(data)
        judged = judge(gather(wheel, shown="w", host=None, laid=lay_beside([("env", prefix)])), all_rules())
        assert [one.severity for one in judged.findings if one.code == "DIP307"] == expected
