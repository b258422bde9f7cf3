"""What a build backend may get wrong, and the one message for each: with backends that stand in the project itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from diptych.build import pep517
from diptych.build.stage import compile_job
from diptych.compilers import Compiler
from diptych.environments import Environment
from diptych.errors import CompileError, DiptychError, PackageError
from diptych.output import Output
from diptych.workspace import open_workspace

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
TAG = f"cp{HERE.replace('.', '')}"
TABLE = f"""\
[build-system]
requires = []
build-backend = "own"
backend-path = ["."]

[project]
name = "thing"
version = "1.0"

[tool.diptych]
python = ["{HERE}"]
build-limit = "{{limit}}"
"""
WHEEL = """\
import pathlib, zipfile

def wheel(folder, name, tag, version="1.0"):
    info = f"thing-{version}.dist-info"
    files = {
        "thing/__init__.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: thing\\nVersion: {version}\\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\\nRoot-Is-Purelib: false\\nTag: {tag}\\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as file:
        for member, text in files.items():
            file.writestr(member, text)
    return name

def build_wheel(folder, config_settings=None, metadata_directory=None):
"""
ANY, LINUX = "py3-none-any", f"{TAG}-{TAG}-linux_x86_64"


def build(root: Path, env: dict[str, str], body: str, *, limit: str = "5 min") -> None:
    """Run the builder on a project whose backend has this body, in an environment of one folder."""
    (root / "project").mkdir()
    prefix = root / "environment"
    prefix.mkdir(exist_ok=True)
    (root / "project" / "pyproject.toml").write_text(TABLE.format(limit=limit), encoding="utf-8")
    (root / "project" / "own.py").write_text(f"{WHEEL}    {body}\n", encoding="utf-8")
    space = open_workspace(root / "project", env=env, machine="x86_64", output=Output(env={}))
    python = Path(sys.executable)
    compiler = Compiler(
        name="gcc", cc=Path(sys.executable), cxx=Path(sys.executable), family="gcc", version="12.2.0", target="x86_64-linux-gnu",
        library="libstdc++", library_version="12", library_date="20220819",
    )  # fmt: skip
    job = compile_job(
        space.cells[0],
        space.config,
        environment=Environment(prefix=prefix, python=python, version=HERE, lock=(), channels=()),
        compiler=compiler,
        store=space.store,
        env=env,
    )
    (root / "stage").mkdir()
    pep517.make(job, root / "tree", root / "stage")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (f'return wheel(folder, "thing-1.0-{ANY}.whl", "{ANY}")', "is a pure wheel"),
        (
            f'return wheel(folder, "thing-2.0-{LINUX}.whl", "{LINUX}", "2.0")',
            "made version 2.0; pyproject.toml says 1.0",
        ),
        (
            'return wheel(folder, "thing-1.0-cp39-cp39-linux_x86_64.whl", "cp39-cp39-linux_x86_64")',
            f"is for another Python than {HERE}",
        ),
        (
            f'return [wheel(folder, f"thing-1.0-{{tag}}.whl", tag) for tag in ("{ANY}", "{LINUX}")][1]',
            "should leave one wheel",
        ),
        (f'return "thing-1.0-{LINUX}.whl"', "should leave one wheel"),
        (f'return wheel(folder, "thing-1.0-{LINUX}.whl", "{LINUX}")', "holds no binary"),
    ],
)
def test_a_wheel_that_cannot_be_right_is_refused(
    tmp_path: Path, env: dict[str, str], body: str, words: str
) -> None:
    with pytest.raises(CompileError, match=words):
        build(tmp_path, env, body)


def test_a_wheel_that_is_no_archive_is_refused(tmp_path: Path, env: dict[str, str]) -> None:
    name = f"thing-1.0-{LINUX}.whl"
    with pytest.raises(DiptychError, match=name):
        build(tmp_path, env, f'pathlib.Path(folder, "{name}").write_text("no"); return "{name}"')


def test_a_backend_that_hangs_is_ended(tmp_path: Path, env: dict[str, str]) -> None:
    with pytest.raises(PackageError, match=r"was ended after 3 s") as caught:
        build(tmp_path, env, "import threading; threading.Event().wait()", limit="3 s")
    assert "build-limit" in caught.value.hint


def test_a_backend_writes_into_a_copy_of_the_sources(tmp_path: Path, env: dict[str, str]) -> None:
    body = (
        f'pathlib.Path("left.txt").write_text(""); return wheel(folder, "thing-1.0-{LINUX}.whl", "{LINUX}")'
    )
    with pytest.raises(CompileError, match="no binary"):
        build(tmp_path, env, body)
    assert (tmp_path / "tree" / "source" / "left.txt").is_file()
    assert not (tmp_path / "project" / "left.txt").exists()


def test_a_backend_that_writes_into_the_host_environment_is_told(tmp_path: Path, env: dict[str, str]) -> None:
    prefix = tmp_path / "environment"
    (prefix / "lib").mkdir(parents=True)
    (prefix / "lib" / "there.txt").write_text("as it was", encoding="utf-8")
    body = (
        f'pathlib.Path({str(prefix)!r}, "lib", "stray.so").write_text(""); '
        f'return wheel(folder, "thing-1.0-{LINUX}.whl", "{LINUX}")'
    )
    with pytest.raises(CompileError, match="wrote into the host environment") as caught:
        build(tmp_path, env, body)
    assert list(caught.value.details) == [str(prefix / "lib" / "stray.so")]
    assert str(prefix) in caught.value.hint


def test_a_wheel_that_leads_out_of_its_folder_is_refused(tmp_path: Path, env: dict[str, str]) -> None:
    body = (
        f'wheel(folder, "thing-1.0-{LINUX}.whl", "{LINUX}"); '
        f'zipfile.ZipFile(pathlib.Path(folder, "thing-1.0-{LINUX}.whl"), "a").writestr("../../evil.txt", "x"); '
        f'return "thing-1.0-{LINUX}.whl"'
    )
    with pytest.raises(DiptychError, match="evil"):
        build(tmp_path, env, body)
    assert not list(tmp_path.rglob("evil.txt"))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("-- The CXX compiler identification is GNU 12.2.0", False),
        ("-- The CXX compiler identification is Clang 14.0.6", True),
        ("-- The C compiler identification is GNU 11.4.0", True),
        ("-- The Fortran compiler identification is GNU 11.4.0", False),
        (
            'C++ compiler for the host machine: /usr/bin/g++ (gcc 12.2.0 "g++ (Debian 12.2.0-14) 12.2.0")',
            False,
        ),
        ('C compiler for the host machine: ccache cc (gcc 12.2.0 "cc (Debian 12.2.0-14) 12.2.0")', False),
        ('C++ compiler for the host machine: clang++ (clang 14.0.6 "Debian clang version 14.0.6")', True),
        ("compiling with whatever there is", False),
    ],
)
def test_the_backends_own_word_of_its_compiler(line: str, *, told: bool) -> None:
    compiler = Compiler(
        name="gcc", cc=Path("gcc"), cxx=Path("g++"), family="gcc", version="12.2.0", target="x86_64-linux-gnu",
        library="libstdc++", library_version="12", library_date="20220819",
    )  # fmt: skip
    assert bool(pep517.other_compilers(f"before\n{line}\nafter\n", compiler)) is told
