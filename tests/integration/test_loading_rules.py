"""What the rules of loading say, held against the real loader: each file is opened in a process of its own."""

from __future__ import annotations

import importlib.machinery
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from diptych.binaries import read_file
from diptych.doctor import gather
from diptych.process import run
from diptych.rules import Severity, all_rules, judge
from helpers.archive_makers import honest_wheel, wheel_files
from helpers.needs import needs, needs_linux, needs_x86_64

pytestmark = [
    needs_linux("ld.so"),
    needs("gcc", package="g++"),
]
NEW = "pair-1.2-cp311-cp311-manylinux_2_36_x86_64.whl"
MUSL = "pair-1.2-cp311-cp311-musllinux_1_2_x86_64.whl"
MODULE = "pair/_core.cpython-311-x86_64-linux-gnu.so"
ENTRY = "void *PyModule_Create2(void *, int);\n{more}\nvoid *PyInit_{name}(void) {{ return PyModule_Create2(0, 1013); }}\n"
TLS = "__thread char own[{size}]; char *use(void) {{ return own; }}"
TABLE = 'static const char *const names[] = {"a", "b", "c"}; const char *use(int i) { return names[i]; }'
OPEN = "import ctypes, sys; ctypes.CDLL(sys.argv[1], mode={mode})"
HOST = """
#include <dlfcn.h>
#include <stdio.h>
void PyModule_Create2(void) {}
int main(int count, char **words) { void *found = dlopen(words[1], RTLD_NOW); puts(found ? "loads" : dlerror()); return !found; }
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One fault beside its healthy twin.

    Attributes:
        code: the rule.
        severity: of its finding.
        flags: for the compiler.
        twin: the flags that are right.
        more: source that both have.
        says: what the loader answers; empty: it takes the file here, and another system does not.
    """

    code: str
    severity: Severity
    flags: tuple[str, ...]
    twin: tuple[str, ...] = ()
    more: str = ""
    says: str = ""


GLIBC = tuple(int(part) for part in (os.confstr("CS_GNU_LIBC_VERSION") or "glibc 0.0").split()[-1].split("."))
CASES = {
    "executable stack": Case(
        code="DIP410",
        severity=Severity.ERROR,
        flags=("-Wl,-z,execstack",),
        twin=("-Wl,-z,noexecstack",),
        # glibc 2.41, release notes.
        says="cannot enable executable stack" if GLIBC >= (2, 41) else "",
    ),
    "nodlopen": Case(
        code="DIP109", severity=Severity.ERROR, flags=("-Wl,-z,nodlopen",), says="cannot be dlopen()ed"
    ),
    "a program": Case(
        code="DIP109",
        severity=Severity.ERROR,
        flags=("-pie", "-rdynamic", "-Wl,--unresolved-symbols=ignore-all"),
        twin=("-shared",),
        more="int main(void) { return 0; }",
        says="cannot dynamically load position-independent executable",
    ),
    "static TLS, too much": Case(
        code="DIP412",
        severity=Severity.ERROR,
        flags=("-ftls-model=initial-exec",),
        twin=("-ftls-model=global-dynamic",),
        more=TLS.format(size=6000),
        says="static TLS block",
    ),
    "static TLS, a little": Case(
        code="DIP412",
        severity=Severity.DRIFT,
        flags=("-ftls-model=initial-exec",),
        twin=("-ftls-model=global-dynamic",),
        more=TLS.format(size=64),
    ),
    "relocations in the code": Case(
        code="DIP411",
        severity=Severity.DRIFT,
        flags=("-Wl,-z,notext", "-DTEXT"),
        more='#ifdef TEXT\n__asm__(".text\\n.globl tab\\ntab: .quad PyModule_Create2\\n");\n#endif',
    ),
    "a filter for nothing": Case(
        code="DIP414",
        severity=Severity.ERROR,
        flags=("-Wl,-F,libabsent.so.1",),
        twin=("-Wl,-F,libc.so.6",),
        says="libabsent.so.1",
    ),
    "an auxiliary for nothing is taken": Case(
        code="", severity=Severity.NOTE, flags=("-Wl,-f,libabsent.so.1",), twin=("-Wl,-f,libc.so.6",)
    ),
    "private names of glibc": Case(
        code="DIP418",
        severity=Severity.ERROR,
        flags=("-DPRIVATE",),
        more="#ifdef PRIVATE\nint __res_iclose(void *, int); int use(void) { return __res_iclose(0, 0); }\n#endif",
    ),
    "no entry point": Case(
        code="DIP107",
        severity=Severity.ERROR,
        flags=("-DPyInit__core=PyInit__other",),
    ),
    "hidden entry point": Case(code="DIP107", severity=Severity.ERROR, flags=("-fvisibility=hidden",)),
}


def compiled(folder: Path, source: str, flags: tuple[str, ...], compiler: tuple[str, ...] = ("gcc",)) -> Path:
    code, target = folder / "source.c", folder / "_core.so"
    code.write_text(source, encoding="utf-8")
    shape = () if "-pie" in flags else ("-shared",)
    words: list[str | Path] = [*compiler, *shape, "-fPIC", "-O1", "-w", "-o", target, code, *flags]
    run(words, env=os.environ, cwd=folder)  # noqa: TID251 -- a test is a surface
    return target


def codes(path: Path) -> dict[str, Severity]:
    judged = judge(gather(path, shown=path.name, host=None), all_rules())
    return {
        one.code: one.severity for one in judged.findings if one.code.startswith(("DIP1", "DIP4", "DIP7"))
    }


def said(folder: Path, member: bytes, *, name: str = NEW, place: str = MODULE) -> dict[str, Severity]:
    found = codes(honest_wheel(folder, wheel_files({place: member}), name=name))
    return {code: severity for code, severity in found.items() if code != "DIP405"}


def answer(path: Path) -> str:
    """Open a file in a new process, lazily: of the interpreter's names nothing is called."""
    words: list[str | Path] = [sys.executable, "-c", OPEN.format(mode=1), path]
    done = run(words, env=os.environ, cwd=path.parent, check=False)  # noqa: TID251 -- as above
    return done.output if done.returncode else ""


@pytest.mark.parametrize("name", CASES)
def test_fault_and_twin(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    source = ENTRY.format(more=case.more, name="_core")
    bad = compiled(tmp_path, source, case.flags)
    assert said(tmp_path, bad.read_bytes()) == ({case.code: case.severity} if case.code else {})
    outcome = answer(bad)
    assert (case.says in outcome) if case.says else (outcome == ""), outcome
    good = compiled(tmp_path, source, case.twin)
    assert said(tmp_path, good.read_bytes()) == {}
    assert answer(good) == ""


def test_the_stack_becomes_executable(tmp_path: Path) -> None:
    """What older glibc does, and newer refuses: it is seen in the process, or in its answer."""
    source = ENTRY.format(more="", name="_core")
    look = "print([l.split()[1] for l in open('/proc/self/maps') if '[stack]' in l])"
    for flag, expected in (("-Wl,-z,execstack", True), ("-Wl,-z,noexecstack", False)):
        path = compiled(tmp_path, source, (flag,))
        words: list[str | Path] = [sys.executable, "-c", f"{OPEN.format(mode=1)}; {look}", path]
        done = run(words, env=os.environ, cwd=tmp_path, check=False)  # noqa: TID251 -- as above
        assert ("x" in done.output.split("[")[-1] or "executable stack" in done.output) is expected, (
            done.output
        )


def test_no_word_of_the_stack(tmp_path: Path) -> None:
    path = compiled(tmp_path, ENTRY.format(more="", name="_core"), ())
    data = bytearray(path.read_bytes())
    at = data.index((0x6474E551).to_bytes(4, "little"))
    data[at : at + 4] = bytes(4)
    assert said(tmp_path, bytes(data)) == {"DIP410": Severity.DRIFT}


@needs("ld.lld", package="lld")
def test_packed_relocations_without_the_mark(tmp_path: Path) -> None:
    source = ENTRY.format(more=TABLE, name="_core")
    packed = "-Wl,--pack-dyn-relocs=relr"
    bad = compiled(tmp_path, source, ("-fuse-ld=lld", packed), ("clang",)).read_bytes()
    (binary,) = read_file(tmp_path / "_core.so")
    assert "RELR" in binary.dynamic_flags
    old = NEW.replace("2_36", "2_17")
    assert said(tmp_path, bad, name=old) == {"DIP413": Severity.ERROR}
    good = compiled(tmp_path, source, ("-fuse-ld=lld",), ("clang",)).read_bytes()
    assert said(tmp_path, good, name=old) == {}


@needs("musl-gcc", package="musl-tools")
class TestMusl:
    """musl's own loader answers."""

    @pytest.fixture
    def host(self, tmp_path: Path) -> Path:
        (tmp_path / "host.c").write_text(HOST, encoding="utf-8")
        run(["musl-gcc", "-rdynamic", "host.c", "-o", "host"], env=os.environ, cwd=tmp_path)  # noqa: TID251
        return tmp_path / "host"

    def loads(self, host: Path, member: Path) -> tuple[bool, str]:
        done = run([host, member], env=os.environ, cwd=host.parent, check=False)  # noqa: TID251 -- as above
        return done.returncode == 0, done.output

    def test_static_tls_of_any_size(self, tmp_path: Path, host: Path) -> None:
        source = ENTRY.format(more=TLS.format(size=64), name="_core")
        bare = ("-nostdlib",)
        bad = compiled(tmp_path, source, ("-ftls-model=initial-exec", *bare), ("musl-gcc",))
        assert said(tmp_path, bad.read_bytes(), name=MUSL) == {"DIP412": Severity.ERROR}
        works, output = self.loads(host, bad)
        assert not works
        assert "initial-exec TLS" in output
        good = compiled(tmp_path, source, ("-ftls-model=global-dynamic", *bare), ("musl-gcc",))
        assert said(tmp_path, good.read_bytes(), name=MUSL) == {}
        assert self.loads(host, good)[0]

    def test_a_binary_of_glibc(self, tmp_path: Path, host: Path) -> None:
        more = 'int __printf_chk(int, const char *, ...); int use(void) { return __printf_chk(1, ""); }'
        source = ENTRY.format(more=more, name="_core")
        bad = compiled(tmp_path, source, ())
        assert said(tmp_path, bad.read_bytes(), name=MUSL) == {"DIP415": Severity.ERROR}
        works, output = self.loads(host, bad)
        assert not works
        assert "__printf_chk" in output
        good = compiled(tmp_path, ENTRY.format(more="", name="_core"), (), ("musl-gcc",))
        assert said(tmp_path, good.read_bytes(), name=MUSL) == {}
        assert self.loads(host, good)[0]

    def test_a_binary_of_musl(self, tmp_path: Path) -> None:
        source = ENTRY.format(more='int puts(const char *); int use(void) { return puts(""); }', name="_core")
        bad = compiled(tmp_path, source, ("-Wl,--no-as-needed", "-lc"), ("musl-gcc",))
        path = honest_wheel(tmp_path, wheel_files({MODULE: bad.read_bytes()}), name=NEW)
        findings = judge(gather(path, shown=path.name, host=None), all_rules()).findings
        assert [one.code for one in findings if one.severity is Severity.ERROR] == ["DIP415"]
        assert "libc.so" in answer(bad), "glibc's loader does not find it"

    def test_what_musl_does_not_look_at(self, tmp_path: Path, host: Path) -> None:
        source = ENTRY.format(more="", name="_core")
        for flag in ("-Wl,-z,nodlopen", "-Wl,-z,execstack"):
            path = compiled(tmp_path, source, (flag, "-nostdlib"), ("musl-gcc",))
            worst = min(
                (one.rank for one in said(tmp_path, path.read_bytes(), name=MUSL).values()), default=9
            )
            assert worst > Severity.ERROR.rank
            assert self.loads(host, path)[0]


FALSE_BINARIES: Mapping[str, tuple[bytes, str]] = {
    "empty": (b"", "file too short"),
    "LFS pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\n", ""),
    "text": (b"not built\n" * 99, "invalid ELF header"),
    "a library for the linker": (b"!<arch>\n" + bytes(99), "invalid ELF header"),
}


@pytest.mark.parametrize("name", FALSE_BINARIES)
def test_files_that_are_no_library(tmp_path: Path, name: str) -> None:
    content, words = FALSE_BINARIES[name]
    assert said(tmp_path, content) == {"DIP108": Severity.ERROR}
    path = tmp_path / "_core.so"
    path.write_bytes(content)
    assert answer(path) != ""
    assert words in answer(path)
    good = compiled(tmp_path, ENTRY.format(more="", name="_core"), ()).read_bytes()
    assert said(tmp_path, good) == {}


def test_a_linker_script_beside_the_module(tmp_path: Path) -> None:
    good = compiled(tmp_path, ENTRY.format(more="", name="_core"), ()).read_bytes()
    script = b"/* GNU ld script */\nINPUT(libfoo.so.1)\n"
    path = honest_wheel(tmp_path, wheel_files({MODULE: good, "pair/libfoo.so": script}), name=NEW)
    assert codes(path)["DIP108"] is Severity.DRIFT


def test_a_static_zlib_that_is_exported(tmp_path: Path) -> None:
    more = "int deflate(void) { return 1; } int inflate(void) { return 1; } int crc32(void) { return 1; }"
    bad = compiled(tmp_path, ENTRY.format(more=more, name="_core"), ()).read_bytes()
    assert said(tmp_path, bad) == {"DIP707": Severity.DRIFT}
    script = tmp_path / "exports"
    script.write_text("{ global: PyInit__core; local: *; };", encoding="utf-8")
    good = compiled(tmp_path, ENTRY.format(more=more, name="_core"), (f"-Wl,--version-script={script}",))
    assert said(tmp_path, good.read_bytes()) == {}


def test_names_that_are_not_ascii(tmp_path: Path) -> None:
    """PEP 489: ``PyInitU_`` and the name in punycode; the import system asks for it."""
    encoded = "ärger".encode("punycode").decode().replace("-", "_")
    source = ENTRY.format(more="", name="_core").replace("PyInit__core", f"PyInitU_{encoded}")
    place = "pair/ärger.cpython-311-x86_64-linux-gnu.so"
    assert said(tmp_path, compiled(tmp_path, source, ()).read_bytes(), place=place) == {}
    bad = compiled(tmp_path, ENTRY.format(more="", name="_core"), ()).read_bytes()
    assert said(tmp_path, bad, place=place) == {"DIP107": Severity.ERROR}
    name = f"ärger{importlib.machinery.EXTENSION_SUFFIXES[0]}"
    (tmp_path / name).write_bytes(bad)
    words = [sys.executable, "-c", "import ärger"]
    variables = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONIOENCODING": "utf-8"}  # noqa: TID251 -- as above
    done = run(words, env=variables, cwd=tmp_path, check=False)
    assert f"PyInitU_{encoded}" in done.output


@needs_x86_64("AVX")
@pytest.mark.parametrize("level", ["x86-64-v3", "x86-64-v4"])
def test_code_above_the_baseline(tmp_path: Path, level: str) -> None:
    loop = """
    static double all[256];
    CLONES long use(void) { for (int k = 0; k < 9; k++) for (int i = 0; i < 256; i++) all[i] = all[i] * 1.5 + k; return all[3]; }
    """
    flags = {
        "unmarked": ("-O3", f"-march={level}", "-DCLONES="),
        "baseline": ("-O3", "-DCLONES="),
        "chosen": ("-O3", f'-DCLONES=__attribute__((target_clones("default","arch={level}")))'),
    }
    for name, words in flags.items():
        member = compiled(tmp_path, ENTRY.format(more=loop, name="_core"), words).read_bytes()
        found = said(tmp_path, member)
        assert found == ({"DIP419": Severity.NOTE} if name == "unmarked" else {}), name
    marked = (*flags["unmarked"], f"-Wl,-z,{level}")
    member = compiled(tmp_path, ENTRY.format(more=loop, name="_core"), marked).read_bytes()
    assert said(tmp_path, member) == {"DIP406": Severity.ERROR}
