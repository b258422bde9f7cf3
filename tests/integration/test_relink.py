"""``diptych relink`` on real files: ELF made by the compiler, Mach-O linked by zig and edited by LLVM's tool."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from diptych import process
from diptych.binaries import Signature, mapped, read_file, signature
from diptych.relink.editors import find_install_name_tool
from helpers.needs import needs


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A folder with a prefix, a library in it, a second Python's library, and a module that needs them."""

    root: Path
    env: dict[str, str]

    @property
    def module(self) -> Path:
        return self.root / "pkg" / "_core.so"

    def run(self, *words: str | Path) -> process.Completed:
        return process.run(list(words), env=self.env, cwd=self.root)

    def relink(self, *words: str | Path) -> process.Completed:
        command = ["diptych", "relink", *map(str, words)]
        return process.run(command, env={**self.env, "COLUMNS": "300"}, cwd=self.root, check=False)

    def library(self, path: Path, soname: str, code: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        source = self.root / f"{path.name}.c"
        source.write_text(code)
        self.run("gcc", "-shared", "-fPIC", source, "-o", path, f"-Wl,-soname,{soname}")
        return path


@pytest.fixture
def bench(tmp_path: Path, env: dict[str, str]) -> Bench:
    bench = Bench(root=tmp_path, env=env)
    used = bench.library(tmp_path / "prefix/lib/libused.so.1", "libused.so.1", "int used(void) {return 7;}")
    idle = bench.library(tmp_path / "prefix/lib/libidle.so.1", "libidle.so.1", "int idle(void) {return 8;}")
    python = bench.library(tmp_path / "other/lib/libpython3.11.so.1.0", "libpython3.11.so.1.0", "int Py_X;")
    bench.module.parent.mkdir()
    source = tmp_path / "core.c"
    source.write_text("int used(void); int core(void) {return used();}")
    bench.run(
        *("gcc", "-shared", "-fPIC", source, "-o", bench.module, "-Wl,--no-as-needed"),
        *(used, idle, python, "-Wl,-rpath,/opt/leak/lib"),
    )
    return bench


def load(bench: Bench, path: Path) -> int:
    code = f"import ctypes; print(ctypes.CDLL({str(path)!r}).core())"
    return int(bench.run(sys.executable, "-c", code).output)


def test_a_dry_run_shows_the_plan_and_touches_nothing(bench: Bench) -> None:
    before = bench.module.read_bytes()
    done = bench.relink(
        bench.module, "--drop-unused", "--libpython", "drop", "--prefix", "prefix", "--dry-run"
    )
    assert done.returncode == 0, done.output
    assert "drop needed    libidle.so.1" in done.output
    assert "drop needed    libpython3.11.so.1.0" in done.output
    assert "run path       $ORIGIN/../prefix/lib" in done.output
    assert bench.module.read_bytes() == before


def test_relative_paths_survive_a_move_together(bench: Bench) -> None:
    done = bench.relink(
        bench.module, "--drop-unused", "--libpython", "drop", "--prefix", "prefix", "--in-place"
    )
    assert done.returncode == 0, done.output
    (binary,) = read_file(bench.module)
    assert binary.needed == ("libused.so.1", "libc.so.6")
    assert (binary.rpath, binary.runpath) == (("$ORIGIN/../prefix/lib",), ())
    moved = bench.root / "elsewhere"
    moved.mkdir()
    for name in ("pkg", "prefix"):
        (bench.root / name).rename(moved / name)
    assert load(bench, moved / "pkg" / "_core.so") == 7


def test_absolute_paths_let_the_file_lie_anywhere(bench: Bench) -> None:
    wish = ("--drop-unused", "--libpython", "drop", "--prefix", "prefix", "--paths", "absolute")
    done = bench.relink(bench.module, *wish, "--out", "out")
    assert done.returncode == 0, done.output
    anywhere = bench.root / "anywhere.so"
    shutil.copy2(bench.root / "out" / "_core.so", anywhere)
    assert load(bench, anywhere) == 7
    assert "libidle.so.1" in read_file(bench.module)[0].needed  # the original is as it was


def test_relative_paths_start_from_where_the_copy_lies(bench: Bench) -> None:
    wish = ("--drop-unused", "--libpython", "drop", "--prefix", "prefix", "--out", "far/away")
    done = bench.relink(bench.module, *wish)
    assert done.returncode == 0, done.output
    copy = bench.root / "far" / "away" / "_core.so"
    assert read_file(copy)[0].rpath == ("$ORIGIN/../../prefix/lib",)
    assert load(bench, copy) == 7


def test_copies_of_a_folder_are_laid_out_as_the_folder(bench: Bench) -> None:
    """Two packages may each have a _core.so."""
    (bench.root / "tree" / "two").mkdir(parents=True)
    shutil.move(bench.module.parent, bench.root / "tree" / "one")
    shutil.copy2(bench.root / "tree" / "one" / "_core.so", bench.root / "tree" / "two")
    done = bench.relink("tree", "--prefix", "prefix", "--libpython", "drop", "--out", "out")
    assert done.returncode == 0, done.output
    assert [load(bench, bench.root / "out" / name / "_core.so") for name in ("one", "two")] == [7, 7]
    again = bench.relink("tree/one/_core.so", "tree/two/_core.so", "--prefix", "prefix", "--out", "flat")
    assert "two files would become one" in again.output
    assert not (bench.root / "flat").exists()


def test_a_plan_that_loses_a_library_is_refused(bench: Bench) -> None:
    """The run path to the second folder is absolute: it would go, and libmore.so.1 with it."""
    more = bench.library(bench.root / "more/libmore.so.1", "libmore.so.1", "int more(void) {return 1;}")
    source = bench.root / "core.c"
    source.write_text("int used(void); int more(void); int core(void) {return used() + more();}")
    used = bench.root / "prefix/lib/libused.so.1"
    bench.run("gcc", "-shared", "-fPIC", source, "-o", bench.module, used, more, f"-Wl,-rpath,{more.parent}")
    before = bench.module.read_bytes()
    done = bench.relink(bench.module, "--prefix", "prefix", "--in-place")
    assert done.returncode == 10
    assert "would lose libraries that are found now" in done.output
    assert "libmore.so.1" in done.output
    assert bench.module.read_bytes() == before
    shutil.rmtree(more.parent)
    done = bench.relink(bench.module, "--prefix", "prefix", "--in-place")
    assert done.returncode == 0, done.output
    assert "still missing  libmore.so.1" in done.output


def test_a_journal_tells_what_was_done(bench: Bench) -> None:
    bench.relink(bench.module, "--drop-unused", "--prefix", "prefix", "--in-place")
    journal = json.loads(bench.module.with_name("_core.so.relink.json").read_text())
    assert journal["tool"].startswith("patchelf ")
    assert "libidle.so.1" in journal["plan"]["drop"]
    assert journal["before"]["sha256"] != journal["after"]["sha256"]
    assert journal["before"]["runpath"] == ["/opt/leak/lib"]
    assert journal["after"]["rpath"] == ["$ORIGIN/../prefix/lib"]


def test_a_second_relink_finds_nothing_to_do(bench: Bench) -> None:
    wish = ("--drop-unused", "--libpython", "drop", "--prefix", "prefix", "--in-place")
    bench.relink(bench.module, *wish)
    content = bench.module.read_bytes()
    again = bench.relink(bench.module, *wish)
    assert "nothing to do" in again.output
    assert bench.module.read_bytes() == content


def test_a_libpython_is_pointed_at_another_prefix(bench: Bench) -> None:
    home = bench.root / "mine"
    bench.library(home / "lib/libpython3.11.so.1.0", "libpython3.11.so.1.0", "int Py_X;")
    done = bench.relink(bench.module, "--python", "mine", "--paths", "absolute", "--in-place")
    assert done.returncode == 0, done.output
    assert read_file(bench.module)[0].rpath == (str(home / "lib"),)


def test_another_abi_is_refused(bench: Bench) -> None:
    bench.library(bench.root / "new/lib/libpython3.12.so.1.0", "libpython3.12.so.1.0", "int Py_X;")
    bench.library(bench.root / "threaded/lib/libpython3.11t.so.1.0", "libpython3.11t.so.1.0", "int Py_X;")
    for prefix, there in (("new", "Python 3.12"), ("threaded", "Python 3.11t")):
        done = bench.relink(bench.module, "--python", prefix, "--in-place")
        assert done.returncode == 10
        assert f'the file is for Python 3.11, "{bench.root / prefix}" has {there}' in done.output


def test_a_tree_is_planned_as_the_pipeline_does(bench: Bench) -> None:
    (bench.root / "prefix/lib/python3.11/site-packages").mkdir(parents=True)
    bench.relink(bench.module, "--libpython", "drop", "--in-place")
    site = bench.root / "site"
    shutil.copytree(bench.module.parent, site / "pkg")
    done = bench.relink(site, "--for", "conda", "--prefix", "prefix", "--dry-run")
    assert "run path       $ORIGIN/../../.." in done.output, done.output
    done = bench.relink(site, "--for", "wheel", "--prefix", "prefix", "--dry-run")
    assert "run path       (removed)" in done.output, done.output


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("nothing.so", "--dry-run"), "there is no file"),
        (("pkg/_core.so",), "nothing says where the result goes"),
        (("core.c", "--libpython", "drop", "--dry-run"), "neither ELF nor Mach-O"),
        (("pkg/_core.so", "--libpython", "keep", "--dry-run"), '--libpython "keep" is not known'),
        (("pkg/_core.so", "--prefix", "pkg", "--dry-run"), "has none of the libraries"),
        (("pkg/_core.so", "--python", "prefix", "--dry-run"), "has no shared libpython"),
    ],
)
def test_bad_input_gets_one_clear_message(bench: Bench, words: tuple[str, ...], fault: str) -> None:
    done = bench.relink(*words)
    assert done.returncode != 0
    assert fault in done.output
    assert "Traceback" not in done.output


needs_mach_o = needs("llvm-install-name-tool", package="llvm")


@pytest.fixture
def bundle(tmp_path: Path, env: dict[str, str]) -> Bench:
    """A Mach-O bundle that names another Python's library by an absolute path, as MacPorts links it."""
    bench = Bench(root=tmp_path, env=env)
    zig = (
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-target",
        "aarch64-macos.11.0",
        "-Wl,-headerpad_max_install_names",
    )
    (tmp_path / "core.c").write_text("int Py_X(void); int core(void) {return Py_X();}")
    (tmp_path / "python.c").write_text("int Py_X(void) {return 1;}")
    for name, identity in (
        ("ports/lib/libpython3.11.dylib", "/opt/local/lib/libpython3.11.dylib"),
        ("mine/lib/libpython3.11.dylib", "@rpath/libpython3.11.dylib"),
    ):
        (tmp_path / name).parent.mkdir(parents=True)
        bench.run(*zig, "-shared", "python.c", "-o", name, f"-Wl,-install_name,{identity}")
    bench.module.parent.mkdir()
    bench.run(*zig, "-shared", "core.c", "-o", bench.module, "ports/lib/libpython3.11.dylib")
    return bench


@needs_mach_o
def test_a_mach_o_is_pointed_at_another_python_and_stays_signed(bundle: Bench) -> None:
    assert "/opt/local/lib/libpython3.11.dylib" in read_file(bundle.module)[0].needed
    done = bundle.relink(bundle.module, "--python", "mine", "--in-place")
    assert done.returncode == 0, done.output
    (binary,) = read_file(bundle.module)
    assert "@loader_path/../mine/lib/libpython3.11.dylib" in binary.needed
    with mapped(bundle.module) as data:
        assert signature(binary, data) is Signature.ADHOC
    journal = json.loads(bundle.module.with_name("_core.so.relink.json").read_text())
    assert "install-name-tool" in journal["tool"]


@needs_mach_o
def test_a_run_path_comes_before_the_one_that_is_there(bundle: Bench) -> None:
    tool = find_install_name_tool(bundle.env)
    assert tool is not None
    bundle.run(tool, "-add_rpath", "@loader_path", bundle.module)
    bundle.run(
        tool, "-change", "/opt/local/lib/libpython3.11.dylib", "@rpath/libpython3.11.dylib", bundle.module
    )
    done = bundle.relink(bundle.module, "--prefix", "mine", "--in-place")
    assert done.returncode == 0, done.output
    assert read_file(bundle.module)[0].rpath == ("@loader_path/../mine/lib", "@loader_path")
    with mapped(bundle.module) as data:
        assert signature(read_file(bundle.module)[0], data) is Signature.ADHOC


@needs_mach_o
def test_what_install_name_tool_cannot_do_is_said(bundle: Bench) -> None:
    done = bundle.relink(bundle.module, "--libpython", "drop", "--dry-run")
    assert done.returncode == 10
    assert "-undefined dynamic_lookup" in done.output
