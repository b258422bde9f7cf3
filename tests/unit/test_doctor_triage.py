"""Logs in, causes out."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych.doctor import Report, examine, find_target
from diptych.doctor.triage import symptoms, triage, triage_lines
from diptych.rules import all_rules
from helpers.elf_builder import Sym, elf

NOTHING = Report(judged=(), rules=all_rules())

# As the tools print them (glibc 2.36, dyld, CPython 3.11, Boost.Python 1.86, pybind11, auditwheel 6.8, delocate 0.13, conda-build).
LINES = {
    "ImportError: libpython3.10.so.1.0: cannot open shared object file: No such file or directory": "LOG101",
    "Library not loaded: @rpath/libpython3.11.dylib": "LOG101",
    "Fatal Python error: PyThreadState_Get: no current thread": "LOG102",
    "ImportError: Python version mismatch: module was compiled for Python 3.9, but the interpreter version is "
    "incompatible: 3.11.7": "LOG103",
    "ModuleNotFoundError: No module named 'pair._core'": "LOG103",
    "RuntimeWarning: The global interpreter lock (GIL) has been enabled to load module 'pair._core', which has": "LOG106",
    "ImportError: x.so: undefined symbol: _ZTIN5boost6python15instance_holderE": "LOG201",
    "ImportError: x.so: undefined symbol: PyClass_Type": "LOG201",
    "TypeError: No to_python (by-value) C++ converter found for C++ type: geometry::Point": "LOG202",
    "RuntimeWarning: to-Python converter for Point already registered; second conversion method ignored.": "LOG202",
    "undefined symbol: _ZNK5thing4nameB5cxx11Ev": "LOG203",
    "TypeError: Unable to convert function return value to a Python type! The signature was": "LOG207",
    "/lib/x86_64-linux-gnu/libstdc++.so.6: version `GLIBCXX_3.4.30' not found (required by /a/b.so)": "LOG308",
    "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by /a/b.so)": "LOG401",
    'cannot repair "x.whl" to "manylinux_2_28_x86_64" ABI because of the presence of too-recent versioned symbols.': "LOG402",
    "400 Binary wheel 'x-1-cp311-cp311-linux_x86_64.whl' has an unsupported platform tag 'linux_x86_64'.": "LOG403",
    "ImportError: /a/b.so: wrong ELF class: ELFCLASS32": "LOG404",
    "(mach-o file, but is an incompatible architecture (have 'x86_64', need 'arm64'))": "LOG404",
    "CPU ISA level is lower than required": "LOG406",
    "ImportError: /a/b.so: ELF load command address/offset not page-aligned": "LOG408",
    "Library not loaded: @rpath/libx.dylib ... duplicate LC_RPATH '@loader_path/../lib'": "LOG601",
    "zsh: killed     python": "LOG603",
    "Library dependencies do not satisfy target MacOS version 11.0:": "LOG604",
    "/x/libfoo.dylib has a minimum target of 14.0": "LOG604",
    "#2  0x00007f2 in std::codecvt<char, char, __mbstate_t>::do_out () from /x/libstdc++.so.6": "LOG705",
    "#3  0x00007f2 in std::locale::classic() ()": "LOG705",
    "ImportError: x.so: undefined symbol: foo, version V2": "LOG309",
    "OMP: Error #15: Initializing libomp.dylib, but found libiomp5.dylib already initialized.": "LOG701",
    'Cannot repair wheel, because required library "libfoo.so.3" could not be located': "LOG305",
    "delocate.libsana.DelocationError: Already planning to copy library with same basename as: libfoo.dylib": "LOG704",
    "ImportError: libfoo.so.3: cannot open shared object file: No such file or directory": "LOG307",
    "Library not loaded: /opt/homebrew/lib/libfoo.dylib": "LOG307",
    "ImportError: x.so: undefined symbol: foo_bar": "LOG309",
    "Overlinking against: libz": "LOG504",
    "ImportError: /w/m.so: cannot enable executable stack as shared object requires: Invalid argument": "LOG409",
    "ImportError: /w/m.so: cannot allocate memory in static TLS block": "LOG410",
    "ImportError: Error relocating /w/m.so: __printf_chk: symbol not found": "LOG412",
    "ImportError: dynamic module does not define module export function (PyInit_evtx)": "LOG107",
    "ImportError: /src/build/libfoo.so: cannot open shared object file: No such file or directory": "LOG310",
    "/lib64/libc.so.6: version `GLIBC_ABI_DT_RELR' not found (required by /w/m.so)": "LOG407",
    "/lib64/libc.so.6: version `GLIBC_PRIVATE' not found (required by /w/libnsl.so.1)": "LOG415",
    "ImportError: /w/m.so: file too short": "LOG417",
    "ERROR: d-1.0-cp311-cp311-macosx_14_2_arm64.whl is not a supported wheel on this platform.": "LOG422",
    "Library not loaded: @rpath/a.dylib\n  Reason: Incompatible library version: m.so requires version 9.0.0 "
    "or later, but a.dylib provides version 8.0.0": "LOG607",
}


@pytest.mark.parametrize("line", LINES)
def test_known_lines(line: str) -> None:
    (match,) = triage(f"some line before\n{line}\nand one after", NOTHING).matches
    assert match.symptom.code == LINES[line]
    assert match.number in {2, 1 + len(line.splitlines())}


@pytest.mark.parametrize(
    "line",
    [
        "[ 50%] Building CXX object CMakeFiles/_core.dir/core.cpp.o",
        "ModuleNotFoundError: No module named 'numpy'",
        "Successfully installed pair-1.2",
        "ld: warning: ignoring duplicate libraries: '-lm'",
    ],
)
def test_ordinary_lines(line: str) -> None:
    assert triage(line, NOTHING).matches == ()


def test_symptoms_refer_to_rules_that_exist() -> None:
    known = {rule.code for rule in all_rules()}
    codes = [symptom.code for symptom in symptoms()]
    assert len(set(codes)) == len(codes)
    for symptom in symptoms():
        assert set(symptom.rules) <= known, symptom.code


def test_colours_and_endless_lines_do_no_harm() -> None:
    text = "\x1b[31mOMP: Error #15: Initializing libomp.dylib, but found\x1b[0m\n" + "x" * 5_000_000
    assert [match.symptom.code for match in triage(text, NOTHING).matches] == ["LOG701"]


def test_the_binary_proves_it(tmp_path: Path) -> None:
    path = tmp_path / "_core.so"
    symbols = (Sym(name="PyInit__core", defined=True), Sym(name="PyModule_Create2"))
    path.write_bytes(elf(needed=["libpython3.10.so.1.0"], symbols=symbols))
    report = examine([find_target(str(path), cwd=tmp_path, search=[])], rules=all_rules(), host=None)
    (match,) = triage("ImportError: libpython3.10.so.1.0: cannot open shared object file", report).matches
    assert any(line.startswith("DIP101") for line in match.proof)
    assert f"{path} needs libpython3.10.so.1.0" in match.proof


def test_another_binary_does_not(tmp_path: Path) -> None:
    path = tmp_path / "_core.so"
    path.write_bytes(elf(needed=["libc.so.6"]))
    report = examine([find_target(str(path), cwd=tmp_path, search=[])], rules=all_rules(), host=None)
    found = triage("ImportError: libpython3.10.so.1.0: cannot open shared object file", report)
    assert found.matches[0].proof == ()
    assert "  proof: none in the binaries given; the fault lies elsewhere" in [
        line.text for line in triage_lines(found)
    ]


def test_the_same_symptom_is_told_once() -> None:
    found = triage(
        "libfoo.so.3: cannot open shared object file\nlibbar.so: cannot open shared object file\n" * 3,
        NOTHING,
    )
    (match,) = found.matches
    assert match.count == 6
    assert match.about == ("libfoo.so.3", "libbar.so")
