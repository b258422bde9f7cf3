"""Sanitizers: their commands and runtimes, their reports, and the cells that make no packages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diptych import process, sanitizers
from diptych.config import CompilerSpec, load
from diptych.config.known import SanitizerKind
from diptych.errors import ConfigError, MissingToolError, UnsupportedError
from diptych.fanout.plan import plan, with_pieces
from diptych.fanout.runners import compiler_packages
from diptych.matrix import cells, find_with_packages, with_packages
from diptych.sanitizers import Request, Sanitizer
from diptych.store import Store
from diptych.testing.sanitized import Finding, Supervision, read_report

ASAN = """\
=================================================================
==579==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x6040000b57f8 at pc 0x7fc1d395d900 bp 0x7ffd sp 0x7ffd
READ of size 4 at 0x6040000b57f8 thread T0
    #0 0x7fc1d395d8ff in memcpy (/usr/lib/libasan.so.8+0x3c)
    #1 0x7fc1d395d8ff in element(int) /source/src/planted.cpp:12:12
    #2 0x7fc1d43a6ee1 in cfunction_vectorcall_O Objects/methodobject.c:514

SUMMARY: AddressSanitizer: heap-buffer-overflow /source/src/planted.cpp:12:12 in element(int)
==579==ABORTING
"""
TSAN = """\
==================
WARNING: ThreadSanitizer: data race (pid=613)
  Write of size 4 at 0x7ff192b14214 by thread T1:
    #0 count src/planted.cpp:20 (_core.so+0x1511)
    #1 cfunction_vectorcall_O Objects/methodobject.c:514 (libpython3.11.so.1.0+0x1a6ee1)

SUMMARY: ThreadSanitizer: data race src/planted.cpp:20 in count
==================
ThreadSanitizer: reported 1 warnings
"""
UBSAN = """\
/home/me/co/src/planted.cpp:16:14: runtime error: shift exponent 40 is too large for 32-bit type 'int'
    #0 0x7fc0da31b66c in power /source/src/planted.cpp:16
SUMMARY: UndefinedBehaviorSanitizer: invalid-shift-exponent /source/src/planted.cpp:16:14 in
"""


def supervision(tmp_path: Path, kind: SanitizerKind = "asan") -> Supervision:
    (tmp_path / "src").mkdir(exist_ok=True)
    (tmp_path / "src/planted.cpp").touch()
    (tmp_path / "reports").mkdir(exist_ok=True)
    found = Sanitizer(kind=kind, runtime=Path("/usr/lib/libasan.so.8"), symbolizer=None)
    return Supervision(
        sanitizer=found,
        standard_library=Path("/host lib/libstdc++.so.6"),
        own_malloc=True,
        folder=tmp_path / "reports",
        source=tmp_path,
    )


def found_in(tmp_path: Path, text: str, marks: str) -> tuple[Finding, ...]:
    run = supervision(tmp_path)
    (run.folder / "report.7").write_text(text, encoding="utf-8")
    (run.folder / "tests.7").write_text(marks, encoding="utf-8")
    return run.findings()


@pytest.mark.parametrize(
    ("text", "kind", "place"),
    [
        (ASAN, "heap-buffer-overflow", ("src/planted.cpp", 12, "element(int)")),
        (TSAN, "data race", ("src/planted.cpp", 20, "count")),
        (UBSAN, "invalid-shift-exponent", ("src/planted.cpp", 16, "power")),
    ],
)
def test_a_report_names_kind_line_and_test(
    tmp_path: Path, text: str, kind: str, place: tuple[str, int, str]
) -> None:
    (finding,) = found_in(tmp_path, text, "0 t.py::test_a\n0 \n0 t.py::test_b\n")
    assert (finding.kind, finding.file, finding.line, finding.function) == (kind, *place)
    assert finding.test == "t.py::test_b"


def test_faults_are_told_apart_by_the_size_of_the_report_when_a_test_began(tmp_path: Path) -> None:
    marks = f"0 t.py::test_a\n{len(TSAN)} \n{len(TSAN)} t.py::test_b\n"
    first, second, third = found_in(tmp_path, TSAN + UBSAN + UBSAN + TSAN, marks)
    assert [one.test for one in (first, second, third)] == ["t.py::test_a", "t.py::test_b", "t.py::test_b"]
    assert [one.kind for one in (first, second, third)] == [
        "data race",
        "invalid-shift-exponent",
        "data race",
    ]


def test_a_process_without_marks_and_one_without_a_report(tmp_path: Path) -> None:
    run = supervision(tmp_path)
    assert (run.findings(), run.last_test()) == ((), "")
    (run.folder / "report.7").write_text(ASAN, encoding="utf-8")
    (run.folder / "tests.8").write_text("0 t.py::test_a\n", encoding="utf-8")
    assert [one.describe() for one in run.findings()] == [
        "outside of any test: heap-buffer-overflow at src/planted.cpp:12 in element(int)"
    ]
    assert run.last_test() == "t.py::test_a"


@pytest.mark.parametrize("text", ["", "ThreadSanitizer: reported 3 warnings\n", "\0" * 9, "#0 a b:1\n"])
def test_what_is_no_report(text: str) -> None:
    assert read_report(text, lambda _: True) == ()


def test_the_process_gets_options_of_the_table_last(tmp_path: Path) -> None:
    found = supervision(tmp_path).variables({"ASAN_OPTIONS": "detect_leaks=1"})
    assert found["DIPTYCH_SANITIZER_RUNTIME"] == "/usr/lib/libasan.so.8 libstdc++.so.6"
    assert found["ASAN_OPTIONS"].startswith("detect_leaks=0:")
    assert found["ASAN_OPTIONS"].endswith(f"log_path='{tmp_path}/reports/report':detect_leaks=1")
    assert found["PYTHONMALLOC"] == "malloc"
    assert "LD_PRELOAD" not in found
    assert supervision(tmp_path, "tsan").variables({})["DIPTYCH_SANITIZER_RUNTIME"] == "/usr/lib/libasan.so.8"


def request(answer: str, *, name: str = "clang-16-asan") -> Request:
    return Request(
        kind="asan", name=name, clang="clang" in name, release="16", machine="x86_64", ask=lambda _: answer
    )


def test_a_runtime_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        MissingToolError, match=r'"clang-16-asan" has no runtime of AddressSanitizer'
    ) as caught:
        sanitizers.found(request("libclang_rt.asan.so"), {"PATH": str(tmp_path)})
    assert caught.value.hint


def test_a_runtime_that_no_program_starts_with(tmp_path: Path) -> None:
    (tmp_path / "libasan.so").write_bytes(b"\x7fELF")
    (tmp_path / "true").write_text("#!/bin/sh\necho $LD_PRELOAD; exit 3\n", encoding="utf-8")
    (tmp_path / "true").chmod(0o755)
    with pytest.raises(MissingToolError, match="no program starts with its runtime"):
        sanitizers.found(request(str(tmp_path / "libasan.so")), {"PATH": str(tmp_path)})


def test_a_linker_script_leads_to_the_runtime(tmp_path: Path) -> None:
    (tmp_path / "libasan.so.8.0.0").write_bytes(b"\x7fELF")
    (tmp_path / "libasan.so").write_text(f"INPUT ( {tmp_path}/libasan.so.8.0.0 )", encoding="utf-8")
    env = {"PATH": str(tmp_path)}
    (tmp_path / "true").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "true").chmod(0o755)
    found = sanitizers.found(request(str(tmp_path / "libasan.so"), name="gcc-asan"), env)
    assert found.runtime == tmp_path / "libasan.so.8.0.0"
    assert found.owns("libasan.so.8")
    assert not found.owns("libubsan.so.1")


def test_the_commands_add_flags_and_ask_clangs_linker_for_no_definitions(tmp_path: Path) -> None:
    program = tmp_path / "clang++"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    found = Sanitizer(kind="tsan", runtime=Path("/r.so"), symbolizer=None)
    spec = CompilerSpec(name="clang-tsan", cc=str(program), cxx=str(program))
    made = sanitizers.commands(spec, found, clang=True, store=Store(root=tmp_path / "store"))
    words = ["-shared", "-Wl,-z,defs", "-Wl,-O1,--no-undefined", "a b.o"]
    done = process.run([str(made.cxx), *words], env={"PATH": "/usr/bin:/bin"}, cwd=tmp_path)
    assert done.output.splitlines() == [
        "-fsanitize=thread", "-fno-omit-frame-pointer", "-g", "-shared", "-Wl,-O1", "a b.o",
    ]  # fmt: skip


def test_macos_has_no_cells_of_them() -> None:
    with pytest.raises(UnsupportedError, match='"gcc-asan" is for Linux'):
        sanitizers.require_platform(CompilerSpec(name="gcc-asan"), "osx-arm64")


def table(tmp_path: Path, *compilers: str) -> Path:
    text = '[project]\nname = "pair"\nversion = "1"\n[tool.diptych]\npython = ["3.11"]\n'
    text += f"compiler = {json.dumps(compilers)}\n"
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_table_knows_them_but_not_as_the_first(tmp_path: Path) -> None:
    config = load(table(tmp_path, "gcc", "clang-16-tsan"))
    assert config.compilers[1] == CompilerSpec(name="clang-16-tsan", cc="clang-16", cxx="clang++-16")
    with pytest.raises(ConfigError, match="packages are made with the first compiler"):
        load(table(tmp_path, "gcc-asan"))
    with pytest.raises(ConfigError, match='did you mean "gcc-asan"'):
        load(table(tmp_path, "gcc", "gcc-asn"))


def test_no_package_is_looked_for(tmp_path: Path) -> None:
    config = load(table(tmp_path, "gcc", "gcc-asan", "clang-16-tsan"))
    jobs = plan(config, ["linux-64"])
    assert [job.to_json()["artifact"] for job in jobs] == ["cell-3.11-gcc-linux-64", "", ""]
    assert [job.cell.id for job in with_pieces(jobs)] == ["3.11-gcc"]
    assert jobs[2].packages == ("clang-16", "libclang-rt-16-dev", "llvm-16")
    assert compiler_packages(config.compilers[1], "linux-64") == ("g++",)
    found = cells(config, platform="linux-64")
    assert [cell.id for cell in with_packages(found)] == ["3.11-gcc"]
    with pytest.raises(ConfigError, match=r"no package is made of 3\.11-gcc-asan"):
        find_with_packages(found, "3.11-gcc-asan")
