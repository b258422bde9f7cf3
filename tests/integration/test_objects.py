"""The compiler launcher with the real compiler: what it takes is what would be compiled, and nothing else is taken."""

from __future__ import annotations

import fcntl
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from diptych import process
from diptych.build.objects import Counted, counted, launcher, prune
from diptych.compilers import Compiler

MAIN = '#include <host.h>\n#include "own.h"\nconst char* f() { return HOST OWN __FILE__; }\n'


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One of two cells with folders of their own and one folder of objects."""

    root: Path
    objects: Path
    env: dict[str, str]

    def lay_out(self, **files: str) -> None:
        texts = {
            "src/a.cpp": MAIN,
            "src/own.h": '#define OWN "own"\n',
            "host/include/host.h": '#define HOST "host"\n',
            **files,
        }
        for name, text in texts.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text, encoding="utf-8")
        (self.root / "tree").mkdir(exist_ok=True)

    def command(self, *more: str) -> list[str]:
        names = {self.root / "tree": "/build", self.root / "src": "/source", self.root / "host": "/host"}
        maps = [f"-ffile-prefix-map={path}={name}" for path, name in names.items()]
        words = ["-MD", "-MT", "a.o", "-MF", "a.o.d", "-o", "a.o", "-c", str(self.root / "src" / "a.cpp")]
        return [
            "/usr/bin/g++",
            f"-I{self.root}/src/first",
            "-isystem",
            f"{self.root}/host/include",
            *maps,
            *more,
            *words,
        ]

    def compile(self, *more: str) -> process.Completed:
        names = {self.root / "tree": "/build", self.root / "src": "/source", self.root / "host": "/host"}
        compiler = Compiler(
            name="gcc", cc=Path("/usr/bin/gcc"), cxx=Path("/usr/bin/g++"), family="gcc", version="1", target="t",
            library="libstdc++", library_version="1", library_date="1",
        )  # fmt: skip
        first = launcher(self.root / "tree", objects=self.objects, names=names, compiler=compiler)
        words = [*first.split(";"), *self.command(*more)]
        return process.run(words, env=self.env, cwd=self.root / "tree", check=False)

    @property
    def object(self) -> bytes:
        return (self.root / "tree" / "a.o").read_bytes()

    @property
    def counted(self) -> Counted:
        return counted(self.root / "tree")


TAKEN, COMPILED = Counted(taken=1, compiled=0), Counted(taken=0, compiled=1)


@pytest.fixture
def cells(tmp_path: Path, env: dict[str, str]) -> tuple[Cell, Cell]:
    one, two = (
        Cell(root=tmp_path / name, objects=tmp_path / "objects", env=env)
        for name in ("one", "in a deeper/two")
    )
    one.lay_out()
    two.lay_out()
    return one, two


def test_a_second_cell_gets_the_bytes_that_it_would_have_compiled(cells: tuple[Cell, Cell]) -> None:
    one, two = cells
    assert one.compile().returncode == 0
    assert one.counted == COMPILED
    assert two.compile("-Wall").returncode == 0  # another command
    assert two.counted == COMPILED
    assert two.compile().returncode == 0
    assert two.counted == TAKEN
    taken, listing = two.object, (two.root / "tree" / "a.o.d").read_text()
    process.run(two.command(), env=two.env, cwd=two.root / "tree")
    assert two.object == taken
    compiled = (two.root / "tree" / "a.o.d").read_text()
    assert listing.replace("\\\n", "").split() == compiled.replace("\\\n", "").split()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("src/a.cpp", MAIN + "// edited\n"),
        ("src/own.h", '#define OWN "other"\n'),
        ("host/include/host.h", '#define HOST "other"\n'),
        ("src/first/host.h", '#define HOST "a header that is found before the one of the environment"\n'),
        ("src/host.h", '#define HOST "not looked for in angle brackets, but by whoever quotes the name"\n'),
    ],
)
def test_what_is_read_is_compared(cells: tuple[Cell, Cell], name: str, text: str) -> None:
    one, two = cells
    one.compile()
    two.lay_out(**{name: text})
    assert two.compile().returncode == 0
    assert two.counted == COMPILED
    process.run(one.command(), env=one.env, cwd=one.root / "tree")
    assert one.compile().returncode == 0
    assert one.counted == TAKEN  # two results of one command


@pytest.mark.parametrize("name", ["<extra.h>", "EXTRA"])
def test_a_header_that_has_include_asks_for_is_looked_for_again(cells: tuple[Cell, Cell], name: str) -> None:
    one, two = cells
    asks = f"#define EXTRA <extra.h>\n#if __has_include({name})\nint extra;\n#endif\nint f();\n"
    one.lay_out(**{"src/a.cpp": asks})
    two.lay_out(**{"src/a.cpp": asks, "host/include/extra.h": ""})
    one.compile()
    two.compile()
    assert two.counted == COMPILED
    assert b"extra" in two.object
    assert b"extra" not in one.object


@pytest.mark.parametrize(
    ("source", "option"),
    [
        ("const char* f() { return __DATE__; }\n", "-O1"),
        ("#define HAS(x) __has_include(x)\n#if HAS(<a>)\n#endif\n", "-O1"),
        ("const char* f() { return PLACE; }\n", '-DPLACE="{root}"'),  # another command
        (MAIN, "-flto"),
        (MAIN, "-fprofile-generate"),
        (MAIN, "-march=native"),
        (MAIN, "@options"),
    ],
)
def test_what_is_bound_to_a_place_or_a_time_is_compiled(
    cells: tuple[Cell, Cell], source: str, option: str
) -> None:
    one, two = cells
    for cell in cells:
        cell.lay_out(**{"src/a.cpp": source, "tree/options": "-O1"})
    assert one.compile(option.format(root=one.root)).returncode == 0
    assert two.compile(option.format(root=two.root)).returncode == 0
    assert two.counted.taken == 0


def test_an_object_that_names_a_folder_of_the_cell_is_not_kept(cells: tuple[Cell, Cell]) -> None:
    one, _ = cells
    # A later map takes the first one back (gcc(1): of several that fit, the last).
    back = f"-ffile-prefix-map={one.root}/src={one.root}/src"
    for _ in range(2):
        assert one.compile("-O2", back).returncode == 0
        assert one.counted == COMPILED
    assert str(one.root).encode() in one.object


def test_a_fault_is_the_compilers_own(cells: tuple[Cell, Cell]) -> None:
    one, _ = cells
    one.lay_out(**{"src/a.cpp": "int f( {\n"})
    done = one.compile()
    assert done.returncode == 1
    assert "a.cpp:1" in done.output
    assert not list(one.objects.glob("*/*/*"))


def test_warnings_are_said_again(cells: tuple[Cell, Cell]) -> None:
    one, two = cells
    for cell in cells:
        cell.lay_out(**{"src/a.cpp": "int f() { int unused; return 1; }\n"})
    assert "unused" in one.compile("-Wall").output
    assert "unused" in two.compile("-Wall").output
    assert two.counted == TAKEN


def test_a_damaged_object_is_compiled_again(cells: tuple[Cell, Cell]) -> None:
    one, two = cells
    one.compile()
    (kept,) = one.objects.glob("*/*/*.o")
    kept.write_bytes(kept.read_bytes()[:-1])
    assert two.compile().returncode == 0
    assert two.counted == COMPILED
    assert two.object == one.object


def test_of_many_at_once_one_compiles(tmp_path: Path, env: dict[str, str]) -> None:
    many = [Cell(root=tmp_path / str(number), objects=tmp_path / "objects", env=env) for number in range(8)]
    for cell in many:
        cell.lay_out()
    with ThreadPoolExecutor(4) as pool:
        assert {done.returncode for done in pool.map(Cell.compile, many)} == {0}
    assert len({cell.object for cell in many}) == 1
    assert sorted(cell.counted.compiled for cell in many) == [0] * 7 + [1]


def test_nobody_waits_for_an_object_that_is_not_kept(cells: tuple[Cell, Cell]) -> None:
    one, two = cells
    for cell in cells:
        cell.lay_out(**{"src/a.cpp": "const char* when() { return __DATE__; }\n"})
    one.compile()
    (lock,) = one.objects.glob("*/*.lock")
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert two.compile().returncode == 0
    assert two.counted == COMPILED


def test_what_somebody_else_compiles_is_waited_for(cells: tuple[Cell, Cell]) -> None:
    one, two = cells
    one.compile()
    (lock,) = one.objects.glob("*/*.lock")
    (folder,) = (path for path in one.objects.glob("*/*") if path.is_dir())
    hidden = folder.rename(folder.with_suffix(".hidden"))
    with ThreadPoolExecutor(1) as pool, lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = pool.submit(two.compile)
        while not waits_for(lock):
            assert not done.done()
        hidden.rename(folder)
        fcntl.flock(held, fcntl.LOCK_UN)
        assert done.result().returncode == 0
    assert two.counted == TAKEN


def waits_for(lock: Path) -> bool:
    """Whether somebody waits for a lock (proc_locks(5): such a line has an arrow)."""
    inode = f":{lock.stat().st_ino} "
    return any("->" in line and inode in line for line in Path("/proc/locks").read_text().splitlines())


def test_what_was_not_used_longest_goes_first(cells: tuple[Cell, Cell]) -> None:
    one, two = cells
    one.compile()
    one.compile("-O1")
    two.compile()  # uses the first again
    size = sum(file.stat().st_size for file in one.objects.glob("*/*/*.o"))
    prune(one.objects, most=size - 1)
    assert two.compile().returncode == 0
    assert two.counted == TAKEN
    one.compile("-O1")
    assert one.counted == COMPILED


def test_the_launcher_starts_without_site_packages() -> None:
    done = process.run(
        [sys.executable, "-I", "-S", "-X", "importtime", str(Path(launcher.__code__.co_filename).parents[1] / "launcher.py")],
        env={}, check=False, cwd=Path("/"),
    )  # fmt: skip
    assert "site-packages" not in done.output
