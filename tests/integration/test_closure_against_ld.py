"""The simulated search against the real ld.so: every case is built, loaded for real, and compared."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from diptych.closure import closure, this_machine
from diptych.process import run
from helpers.needs import needs, needs_linux

pytestmark = [needs_linux("ld.so"), needs("gcc", package="g++")]

LOADER = "/lib64/ld-linux-x86-64.so.2"
ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}
HOST = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
static int show(struct dl_phdr_info *info, size_t size, void *data) { puts(info->dlpi_name); return 0; }
void *load(const char *path);
int main(int argc, char **argv) {
  if (argc > 1 && !load(argv[1])) { printf("error: %s\n", dlerror()); return 0; }
  dl_iterate_phdr(show, 0);
  return 0;
}
"""
LOAD = "#include <dlfcn.h>\nvoid *load(const char *path) { return dlopen(path, RTLD_LAZY); }\n"


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What the real loader did: files in load order, and what it missed."""

    paths: list[str]
    missing: set[str]


@dataclass(kw_only=True)
class World:
    """A folder in which a case builds its libraries."""

    root: Path
    tools: Path
    env: dict[str, str] = field(default_factory=dict)
    cwd: Path | None = None

    def at(self, name: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def stub(self, soname: str) -> str:
        """A library with that SONAME to link against, in no folder that is searched."""
        path = self.at(f"stubs/{soname.replace('/', '%')}")
        if not path.exists():
            self._ld(path, [], [f"-soname={soname}"])
        return str(path)

    def lib(
        self,
        name: str,
        needed: Iterable[str] = (),
        *,
        soname: str | None = "",
        rpath: str | None = None,
        runpath: str | None = None,
        flags: Iterable[str] = (),
        m32: bool = False,
    ) -> Path:
        path = self.at(name)
        words = [*flags, *_path_flags(rpath, runpath)]
        if soname is not None:
            words.append(f"-soname={soname or path.name}")
        self._ld(path, [self.stub(each) for each in needed], words, m32=m32)
        return path

    def exe(
        self,
        name: str,
        needed: Iterable[str] = (),
        *,
        rpath: str | None = None,
        runpath: str | None = None,
        flags: Iterable[str] = (),
    ) -> Path:
        path = self.at(name)
        words = [f"-Wl,{flag}" for flag in (*flags, *_path_flags(rpath, runpath))]
        # The one library that the program calls must be there for the linker; all others are stubs.
        callers = {path.name: str(path) for path in self.root.rglob("libload.so")}
        stubs = [callers.get(each) or self.stub(each) for each in needed]
        objects = [self.tools / "host.o", *([] if callers else [self.tools / "load.o"])]
        argv: list[str | Path] = [
            "gcc",
            "-o",
            path,
            *objects,
            "-Wl,--no-as-needed",
            "-Wl,--unresolved-symbols=ignore-all",
        ]
        run([*argv, *words, *stubs], env=ENV, cwd=self.root)
        return path

    def load_lib(self, name: str, *, rpath: str | None = None, runpath: str | None = None) -> Path:
        """A library that calls dlopen, as libpython does."""
        path = self.at(name)
        words = [f"-Wl,{flag}" for flag in _path_flags(rpath, runpath)]
        argv: list[str | Path] = [
            "gcc",
            "-shared",
            "-o",
            path,
            self.tools / "load.o",
            f"-Wl,-soname={path.name}",
            *words,
        ]
        run(argv, env=ENV, cwd=self.root)
        return path

    def _ld(self, path: Path, inputs: list[str], words: list[str], *, m32: bool = False) -> None:
        start = self.tools / ("empty32.o" if m32 else "empty.o")
        mode = ["-m", "elf_i386"] if m32 else []
        argv: list[str | Path] = [
            "ld",
            *mode,
            "-shared",
            "-z",
            "noseparate-code",
            "-o",
            path,
            start,
            "--no-as-needed",
        ]
        run([*argv, *words, *inputs], env=ENV, cwd=self.root)


def _path_flags(rpath: str | None, runpath: str | None) -> list[str]:
    if rpath is not None:
        return ["--disable-new-dtags", f"-rpath={rpath}"]
    return [] if runpath is None else ["--enable-new-dtags", f"-rpath={runpath}"]


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a case asks: run the program, or let it load a module."""

    program: Path
    module: Path | None = None


Case = Callable[[World], Question]
CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    CASES[function.__name__] = function
    return function


@case
def only_libc(w: World) -> Question:
    return Question(program=w.exe("bin/prog"))


@case
def not_found(w: World) -> Question:
    return Question(program=w.exe("bin/prog", ["libnowhere.so"]))


@case
def rpath_origin(w: World) -> Question:
    w.lib("lib/liba.so")
    return Question(program=w.exe("bin/prog", ["liba.so"], rpath="$ORIGIN/../lib"))


@case
def runpath_origin_in_braces(w: World) -> Question:
    w.lib("lib/liba.so")
    return Question(program=w.exe("bin/prog", ["liba.so"], runpath="${ORIGIN}/../lib"))


@case
def token_that_is_none(w: World) -> Question:
    w.lib("bin/$ORIGINAL/liba.so")
    w.cwd = w.root / "bin"
    return Question(program=w.exe("bin/prog", ["liba.so"], rpath="$ORIGINAL"))


@case
def token_lib_and_platform(w: World) -> Question:
    w.lib("lib/x86_64-linux-gnu/liba.so")
    w.lib("x86_64/libb.so")
    w.lib("haswell/libb.so")
    runpath = "$ORIGIN/../$LIB:$ORIGIN/../$PLATFORM"
    return Question(program=w.exe("bin/prog", ["liba.so", "libb.so"], runpath=runpath))


@case
def rpath_serves_dependencies(w: World) -> Question:
    w.lib("lib/liba.so", ["libb.so"])
    w.lib("lib/libb.so")
    return Question(program=w.exe("bin/prog", ["liba.so"], rpath="$ORIGIN/../lib"))


@case
def runpath_does_not_serve_dependencies(w: World) -> Question:
    w.lib("lib/liba.so", ["libb.so"])
    w.lib("lib/libb.so")
    return Question(program=w.exe("bin/prog", ["liba.so"], runpath="$ORIGIN/../lib"))


@case
def runpath_of_dependency_hides_rpath_of_program(w: World) -> Question:
    w.lib("lib/liba.so", ["libb.so"], runpath="$ORIGIN/empty")
    w.lib("lib/libb.so")
    return Question(program=w.exe("bin/prog", ["liba.so"], rpath="$ORIGIN/../lib"))


@case
def rpath_in_the_middle_of_the_chain(w: World) -> Question:
    w.lib("lib/liba.so", ["libb.so"], rpath="$ORIGIN/deep")
    w.lib("lib/deep/libb.so", ["libc1.so"])
    w.lib("lib/deep/libc1.so")
    return Question(program=w.exe("bin/prog", ["liba.so"], runpath="$ORIGIN/../lib"))


@case
def loader_with_runpath_breaks_nothing_above(w: World) -> Question:
    """liba has a RUNPATH, so its own RPATH is void; libb's chain still reaches the program's RPATH."""
    w.lib("lib/liba.so", ["libb.so"], runpath="$ORIGIN/deep")
    w.lib("lib/deep/libb.so", ["libc1.so"])
    w.lib("lib/libc1.so")
    return Question(program=w.exe("bin/prog", ["liba.so"], rpath="$ORIGIN/../lib"))


@case
def library_path_beats_runpath(w: World) -> Question:
    w.lib("lib/liba.so")
    w.lib("other/liba.so")
    w.env["LD_LIBRARY_PATH"] = str(w.root / "other")
    return Question(program=w.exe("bin/prog", ["liba.so"], runpath="$ORIGIN/../lib"))


@case
def rpath_beats_library_path(w: World) -> Question:
    w.lib("lib/liba.so")
    w.lib("other/liba.so")
    w.env["LD_LIBRARY_PATH"] = str(w.root / "other")
    return Question(program=w.exe("bin/prog", ["liba.so"], rpath="$ORIGIN/../lib"))


@case
def library_path_with_semicolon_and_token(w: World) -> Question:
    w.lib("one/liba.so")
    w.lib("two/libb.so")
    w.env["LD_LIBRARY_PATH"] = f"$ORIGIN/../one;{w.root}/two"
    return Question(program=w.exe("bin/prog", ["liba.so", "libb.so"]))


@case
def library_path_empty_entry_is_cwd(w: World) -> Question:
    w.lib("here/liba.so")
    w.cwd = w.root / "here"
    w.env["LD_LIBRARY_PATH"] = "/nonexistent:"
    return Question(program=w.exe("bin/prog", ["liba.so"]))


@case
def library_path_empty_is_nothing(w: World) -> Question:
    w.lib("here/liba.so")
    w.cwd = w.root / "here"
    w.env["LD_LIBRARY_PATH"] = ""
    return Question(program=w.exe("bin/prog", ["liba.so"]))


@case
def runpath_empty_entry_is_cwd(w: World) -> Question:
    w.lib("here/liba.so")
    w.cwd = w.root / "here"
    return Question(program=w.exe("bin/prog", ["liba.so"], runpath="/nonexistent::/elsewhere"))


@case
def relative_runpath_is_from_cwd(w: World) -> Question:
    w.lib("here/sub/liba.so")
    w.cwd = w.root / "here"
    return Question(program=w.exe("bin/prog", ["liba.so"], runpath="sub/"))


@case
def needed_with_slash_is_a_path(w: World) -> Question:
    w.lib("here/sub/liba.so")
    w.cwd = w.root / "here"
    return Question(program=w.exe("bin/prog", ["sub/liba.so"], rpath="$ORIGIN"))


@case
def needed_with_token(w: World) -> Question:
    w.lib("lib/liba.so")
    return Question(program=w.exe("bin/prog", ["$ORIGIN/../lib/liba.so"]))


@case
def soname_of_another_file_name(w: World) -> Question:
    """libreal.so calls itself libalias.so, so the need for libalias.so is met without a search."""
    w.lib("lib/libreal.so", soname="libalias.so")
    w.lib("lib/libalias.so")
    return Question(program=w.exe("bin/prog", ["libreal.so", "libalias.so"], rpath="$ORIGIN/../lib"))


@case
def soname_comes_too_late(w: World) -> Question:
    w.lib("lib/libreal.so", soname="libalias.so")
    w.lib("lib/libalias.so")
    return Question(program=w.exe("bin/prog", ["libalias.so", "libreal.so"], rpath="$ORIGIN/../lib"))


@case
def same_file_under_two_names(w: World) -> Question:
    w.lib("lib/liba.so", soname=None)
    (w.root / "lib/libb.so").symlink_to("liba.so")
    return Question(program=w.exe("bin/prog", ["liba.so", "libb.so"], rpath="$ORIGIN/../lib"))


@case
def hard_link_is_the_same_file(w: World) -> Question:
    os.link(w.lib("lib/liba.so", soname=None), w.at("lib/libb.so"))
    return Question(program=w.exe("bin/prog", ["liba.so", "libb.so"], rpath="$ORIGIN/../lib"))


@case
def origin_of_library_keeps_links(w: World) -> Question:
    """$ORIGIN of a library is where it was found, not where the link leads."""
    w.lib("store/liba.so", ["libb.so"], runpath="$ORIGIN")
    w.lib("store/libb.so")
    w.lib("lib/libb.so")
    (w.root / "lib/liba.so").symlink_to("../store/liba.so")
    return Question(program=w.exe("bin/prog", ["liba.so"], rpath="$ORIGIN/../lib"))


@case
def origin_of_program_has_no_links(w: World) -> Question:
    w.lib("store/lib/liba.so")
    w.lib("lib/liba.so")
    real = w.exe("store/bin/prog", ["liba.so"], runpath="$ORIGIN/../lib")
    w.at("bin/prog").symlink_to(real)
    return Question(program=w.root / "bin/prog")


@case
def other_class_is_passed_over(w: World) -> Question:
    w.lib("one/liba.so", m32=True)
    w.lib("two/liba.so")
    return Question(program=w.exe("bin/prog", ["liba.so"], runpath="$ORIGIN/../one:$ORIGIN/../two"))


@case
def other_machine_is_passed_over(w: World) -> Question:
    foreign = w.lib("one/liba.so")
    content = bytearray(foreign.read_bytes())
    content[18:20] = b"\xb7\x00"  # EM_AARCH64
    foreign.write_bytes(content)
    w.lib("two/liba.so")
    return Question(program=w.exe("bin/prog", ["liba.so"], rpath="$ORIGIN/../one:$ORIGIN/../two"))


@case
def only_other_class_is_not_found(w: World) -> Question:
    w.lib("one/liba.so", m32=True)
    return Question(program=w.exe("bin/prog", ["liba.so"], runpath="$ORIGIN/../one"))


@case
def preload_by_path_meets_a_need(w: World) -> Question:
    w.lib("lib/liba.so")
    w.env["LD_PRELOAD"] = str(w.lib("pre/libpre.so", soname="liba.so"))
    return Question(program=w.exe("bin/prog", ["liba.so"], runpath="$ORIGIN/../lib"))


@case
def preload_by_name_uses_runpath_of_program(w: World) -> Question:
    w.lib("lib/liba.so", ["libb.so"])
    w.lib("lib/libb.so")
    w.env["LD_PRELOAD"] = "liba.so libmissing.so"
    return Question(program=w.exe("bin/prog", ["libb.so"], runpath="$ORIGIN/../lib"))


@case
def breadth_first(w: World) -> Question:
    w.lib("lib/liba.so", ["libd.so"])
    w.lib("lib/libb.so", ["libe.so", "libd.so"])
    w.lib("lib/libd.so", ["libf.so"])
    w.lib("lib/libe.so", ["libb.so"])
    w.lib("lib/libf.so", ["liba.so"])
    return Question(program=w.exe("bin/prog", ["liba.so", "libb.so"], rpath="$ORIGIN/../lib"))


@case
def first_found_serves_all(w: World) -> Question:
    """liba and libb have a libx each; the one loaded first serves both."""
    w.lib("one/liba.so", ["libx.so"], runpath="$ORIGIN")
    w.lib("one/libx.so")
    w.lib("two/libb.so", ["libx.so"], runpath="$ORIGIN")
    w.lib("two/libx.so")
    rpath = "$ORIGIN/../one:$ORIGIN/../two"
    return Question(program=w.exe("bin/prog", ["liba.so", "libb.so"], rpath=rpath))


@case
def hwcaps_folder_comes_first(w: World) -> Question:
    w.lib("lib/liba.so")
    w.lib("lib/glibc-hwcaps/x86-64-v2/liba.so")
    w.lib("lib/glibc-hwcaps/x86-64-v3/liba.so")
    w.lib("lib/glibc-hwcaps/x86-64-v9/liba.so")
    return Question(program=w.exe("bin/prog", ["liba.so"], runpath="$ORIGIN/../lib"))


@case
def hwcaps_within_each_folder(w: World) -> Question:
    w.lib("one/liba.so")
    w.lib("two/glibc-hwcaps/x86-64-v2/liba.so")
    return Question(program=w.exe("bin/prog", ["liba.so"], runpath="$ORIGIN/../one:$ORIGIN/../two"))


@case
def platform_subfolders_up_to_glibc_2_36(w: World) -> Question:
    w.lib("lib/liba.so")
    w.lib("lib/tls/liba.so")
    w.lib("lib/tls/x86_64/liba.so")
    w.lib("lib/libb.so")
    w.lib("lib/x86_64/libb.so")
    return Question(program=w.exe("bin/prog", ["liba.so", "libb.so"], runpath="$ORIGIN/../lib"))


@case
def cache_and_default_folders(w: World) -> Question:
    return Question(program=w.exe("bin/prog", ["libz.so.1", "libstdc++.so.6", "libgcc_s.so.1"]))


@case
def nodeflib_shuts_out_the_system(w: World) -> Question:
    w.lib("lib/liba.so", ["libz.so.1"], flags=["-z", "nodefaultlib"])
    return Question(program=w.exe("bin/prog", ["liba.so"], runpath="$ORIGIN/../lib"))


@case
def trailing_slashes_and_dots(w: World) -> Question:
    w.lib("lib/liba.so", ["libb.so"], runpath="$ORIGIN/./../more///")
    w.lib("more/libb.so")
    return Question(program=w.exe("bin/prog", ["liba.so"], runpath="$ORIGIN/../lib//"))


@case
def parent_of_a_missing_folder(w: World) -> Question:
    w.lib("lib/liba.so")
    return Question(program=w.exe("bin/prog", ["liba.so"], runpath="$ORIGIN/missing/../../lib"))


@case
def missing_for_one_but_not_for_another(w: World) -> Question:
    w.lib("lib/liba.so", ["libx.so"])
    w.lib("lib/libb.so", ["libx.so"], runpath="$ORIGIN/x")
    w.lib("lib/x/libx.so")
    return Question(program=w.exe("bin/prog", ["liba.so", "libb.so"], runpath="$ORIGIN/../lib"))


@case
def module_with_runpath(w: World) -> Question:
    w.lib("pkg.libs/liba.so")
    module = w.lib("pkg/mod.so", ["liba.so"], runpath="$ORIGIN/../pkg.libs", soname=None)
    return Question(program=w.exe("bin/python"), module=module)


@case
def module_uses_rpath_of_program(w: World) -> Question:
    w.lib("lib/liba.so")
    module = w.lib("pkg/mod.so", ["liba.so"], soname=None)
    return Question(program=w.exe("bin/python", rpath="$ORIGIN/../lib"), module=module)


@case
def module_with_runpath_shuts_out_rpath_of_program(w: World) -> Question:
    w.lib("lib/liba.so")
    module = w.lib("pkg/mod.so", ["liba.so"], soname=None, runpath="$ORIGIN/none")
    return Question(program=w.exe("bin/python", rpath="$ORIGIN/../lib"), module=module)


@case
def module_gets_nothing_from_runpath_of_program(w: World) -> Question:
    w.lib("lib/liba.so")
    module = w.lib("pkg/mod.so", ["liba.so"], soname=None)
    return Question(program=w.exe("bin/python", runpath="$ORIGIN/../lib"), module=module)


@case
def module_finds_what_the_program_has_loaded(w: World) -> Question:
    w.lib("lib/liba.so")
    w.lib("pkg/liba.so")
    module = w.lib("pkg/mod.so", ["liba.so"], soname=None, rpath="$ORIGIN")
    return Question(program=w.exe("bin/python", ["liba.so"], runpath="$ORIGIN/../lib"), module=module)


@case
def module_gets_nothing_from_rpath_of_the_calling_library(w: World) -> Question:
    """As with libpython3.11.so: it calls dlopen, but its RPATH does not count for the module's needs."""
    w.load_lib("lib/libload.so", rpath="$ORIGIN/more")
    w.lib("lib/more/liba.so", ["libb.so"])
    w.lib("lib/more/libb.so")
    module = w.lib("pkg/mod.so", ["liba.so"], soname=None)
    program = w.exe("bin/python", ["libload.so"], runpath="$ORIGIN/../lib")
    return Question(program=program, module=module)


@case
def module_uses_rpath_of_program_whoever_calls(w: World) -> Question:
    w.load_lib("lib/libload.so")
    w.lib("lib/liba.so")
    module = w.lib("pkg/mod.so", ["liba.so"], soname=None, rpath="/nonexistent")
    program = w.exe("bin/python", ["libload.so"], rpath="$ORIGIN/../lib")
    return Question(program=program, module=module)


@case
def module_with_library_path(w: World) -> Question:
    w.lib("lib/liba.so", ["libb.so"])
    w.lib("lib/libb.so")
    w.env["LD_LIBRARY_PATH"] = str(w.root / "lib")
    module = w.lib("pkg/mod.so", ["liba.so"], soname=None, runpath="$ORIGIN/none")
    return Question(program=w.exe("bin/python"), module=module)


@case
def not_an_elf_file_ends_the_search(w: World) -> Question:
    w.at("one/liba.so").write_text("INPUT(libc.so)\n" * 99, encoding="ascii")
    w.lib("two/liba.so")
    module = w.lib("pkg/mod.so", ["liba.so"], soname=None, runpath="$ORIGIN/../one:$ORIGIN/../two")
    return Question(program=w.exe("bin/python"), module=module)


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("objects")
    for name, text in {"host": HOST, "load": LOAD, "empty": "int unused;\n"}.items():
        (folder / f"{name}.c").write_text(text, encoding="ascii")
        run(["gcc", "-fPIC", "-w", "-c", f"{name}.c"], env=ENV, cwd=folder)
    run(["gcc", "-m32", "-fPIC", "-c", "empty.c", "-o", "empty32.o"], env=ENV, cwd=folder)
    return folder


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_ld_so(name: str, tmp_path: Path, tools: Path) -> None:
    world = World(root=tmp_path.resolve(), tools=tools)
    question = CASES[name](world)
    cwd = world.cwd or world.root
    truth = _truth(question, {**ENV, **world.env}, cwd)
    where = this_machine(
        environment=world.env,
        cwd=str(cwd),
        executable=str(question.program) if question.module else None,
    )
    found = closure(question.module or question.program, where=where)

    assert {entry.name for entry in found.missing} == truth.missing, found
    if question.module is None or not truth.missing:
        assert [os.path.normpath(path) for path in found.paths] == truth.paths, found


def _truth(question: Question, env: Mapping[str, str], cwd: Path) -> Truth:
    if question.module is None:
        output = run(
            [question.program], env={**env, "LD_TRACE_LOADED_OBJECTS": "1"}, cwd=cwd, check=False
        ).output
        return _traced(output, cwd)
    before = run([question.program], env=env, cwd=cwd).output.splitlines()
    after = run([question.program, question.module], env=env, cwd=cwd).output.splitlines()
    if after and after[0].startswith("error: "):
        return Truth(paths=[], missing={_culprit(after[0])})
    loaded = [path for path in after if path not in before and path != str(question.module)]
    needed = [path for path in after if path in before]
    reused = [path for path in needed if "/liba.so" in path]
    return Truth(paths=[os.path.normpath(cwd / path) for path in reused + loaded], missing=set())


def _traced(output: str, cwd: Path) -> Truth:
    paths: list[str] = []
    missing: set[str] = set()
    for line in output.splitlines():
        if "not found" in line:
            missing.add(line.split("=>")[0].strip())
        elif (match := re.match(r"\s*(?:.* => )?(\S+) \(0x", line)) and "vdso" not in line:
            paths.append(os.path.normpath(cwd / match[1]))
    return Truth(paths=paths, missing=missing)


def _culprit(message: str) -> str:
    name = message.removeprefix("error: ").split(":")[0]
    return Path(name).name


def test_real_programs_agree_with_ldd() -> None:
    where = this_machine(environment={}, cwd="/")
    for program in ("gcc", "ld", "bash", "python3", "git", "cmake", "clang", "ssh"):
        path = shutil.which(program, path="/usr/bin:/bin")
        if path is None or Path(path).read_bytes()[:4] != b"\x7fELF":
            continue
        output = run([path], env={**ENV, "LD_TRACE_LOADED_OBJECTS": "1"}, cwd=Path("/"), check=False).output
        assert [os.path.normpath(each) for each in closure(path, where=where).paths] == _traced(
            output, Path("/")
        ).paths, program


def test_real_modules_agree_with_what_an_import_maps() -> None:
    script = (
        "import sys, re; "
        "read = lambda: list(dict.fromkeys(re.findall(r'(/\\S+)$', open('/proc/self/maps').read(), re.M)));"
        "before = set(read()); module = __import__(sys.argv[1]);"
        "print(module.__file__); [print(path) for path in read() if path not in before]"
    )
    executable = str(Path(sys.executable).resolve())
    for name in ("_ssl", "_sqlite3", "_ctypes", "_lzma"):
        output = run(
            [executable, "-I", "-c", script, name], env=ENV, cwd=Path("/"), check=False
        ).output.splitlines()
        if len(output) < 2 or not output[0].endswith(".so"):
            continue
        where = this_machine(environment={}, cwd="/", executable=executable)
        found = closure(output[0], where=where)
        fresh = {os.path.realpath(entry.path) for entry in found.loaded if entry.path and entry.searched}
        mapped = {
            path for path in output[1:] if ".so" in path and path != output[0] and "lib-dynload" not in path
        }
        assert fresh <= mapped, name
        assert found.missing == ()


def test_subfolders_and_folders_are_those_of_the_loader() -> None:
    env = {**ENV, "LD_DEBUG": "libs", "LD_LIBRARY_PATH": "/nonexistent"}
    output = run(["/bin/true"], env=env, cwd=Path("/")).output
    match = re.search(r"search path=(\S+)\s+\(LD_LIBRARY_PATH\)", output)
    assert match
    tried = [path.removeprefix("/nonexistent/") for path in match[1].split(":")][:-1]
    assert tried == list(this_machine(environment={}, cwd="/").hwcaps)


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 30
