"""`diptych init`: what is read, the table that follows, the change and how it is written."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from diptych.adopt.adoption import Adoption, adopt
from diptych.adopt.apply import apply
from diptych.adopt.edit import Edit
from diptych.adopt.names import conda_names, data
from diptych.config.files import read_toml
from diptych.config.load import load
from diptych.errors import ConfigError, StoreError
from helpers.laid_out import write

PROJECTS = Path(__file__).parents[1] / "projects"
SKBUILD = """\
[build-system]
requires = ["scikit-build-core"]
build-backend = "scikit_build_core.build"

[project]
name = "crafted"  # a comment
version = "1.0"
requires-python = ">=3.11"
"""


def adopted(root: Path) -> Adoption:
    return adopt(root, platform="linux-64", here="3.11")


def table(root: Path) -> dict[str, Any]:
    """Return the table that would be written."""
    plan = adopted(root).plan
    assert plan is not None
    return {line.key: line.value for line in plan.lines}


def untold(root: Path) -> str:
    plan = adopted(root).plan
    assert plan is not None
    return "\n".join(f"{one.origin}: {one.text}" for one in plan.untold)


@pytest.fixture
def craft(tmp_path: Path) -> Path:
    """A small git repository that scikit-build-core builds, with tests."""
    write(
        tmp_path, {"pyproject.toml": SKBUILD, "CMakeLists.txt": "project(crafted)\n", ".git/HEAD": "ref: x\n"}
    )
    write(tmp_path, {"tests/test_it.py": "import crafted\n", "src/crafted/__init__.py": ""})
    return tmp_path


EXPECTED: dict[str, dict[str, Any]] = {
    "cmake-prefix": {},
    "cmeel-boost": {},
    "hatch-hook": {},
    "maturin-cffi": {},
    "meson-pybind11": {},
    "planted-faults": {},
    "poetry-script": {},
    "seed": {"host": ["libboost-python-devel"]},
    "setuptools-abi3": {},
    "setuptools-c": {"package": "fractional", "test": "pytest -q", "test-sources": ["test_fractional.py"]},
    "setuptools-cffi": {},
    "setuptools-cython": {"test": "python -m diptych_imports"},
    "setuptools-many": {"package": "alpha", "test": "pytest -q --import-mode=append {source}/tests"},
    "setuptools-pybind11": {},
    "shared-point": {"host": ["libboost-python-devel"]},
    "shared-use": {"host": ["libboost-python-devel"]},
    "skbuild-boost": {"host": ["libboost-python-devel"]},
    "skbuild-nanobind": {},
    "skbuild-pybind11": {},
}


def test_every_project_is_expected() -> None:
    assert {path.name for path in PROJECTS.iterdir() if path.is_dir()} == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_projects(name: str, tmp_path: Path) -> None:
    root = tmp_path / name
    shutil.copytree(PROJECTS / name, root)
    (root / ".git").mkdir()
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    first = adopted(root)
    assert table(root) == {"python": ["3.10", "3.11", "3.12", "3.13", "3.14"], **EXPECTED[name]}
    relative = "cumsums/tests: the tests import from the package relatively, and the wheel lacks them"
    assert untold(root).startswith(relative) if name == "setuptools-cython" else not untold(root)
    apply(first.edits)
    changed = {path.relative_to(root).as_posix() for path, old in before.items() if path.read_bytes() != old}
    assert changed == ({"pyproject.toml"} & {path.name for path in before}), "no build file is changed"
    added = (root / "pyproject.toml").read_bytes().removeprefix(before.get(root / "pyproject.toml", b""))
    assert added.startswith((b"[tool.diptych]\n", b"\n[tool.diptych]\n"))
    assert len(added.strip().splitlines()) <= 10
    assert (root / "noxfile.py").read_text().endswith("define(__file__)\n")
    assert first.command == "nox -s build-3.11 verify-3.11"
    again = adopted(root)
    assert again.edits == ()
    assert again.plan is None


def test_what_is_written_is_a_table_that_loads(craft: Path) -> None:
    write(
        craft, {"environment.yml": "channels: [robostack, conda-forge]\ndependencies: [eigen=3.4, cmake]\n"}
    )
    apply(adopted(craft).edits)
    config = load(craft)
    assert config.python == ("3.11", "3.12", "3.13", "3.14")
    assert config.settings.channels == ("robostack", "conda-forge")
    assert config.settings.host == ("eigen =3.4",)
    assert config.package == "crafted"


CIBUILDWHEEL = """
[tool.cibuildwheel]
build = "cp3{11,12,13}-* pp310-*"
skip = ["*-musllinux_*", "cp313-*"]
test-command = "pytest -x {project}/tests"
test-requires = ["pytest>=8", "hypothesis"]
test-extras = "extra"
before-all = "yum install -y zlib-devel"
environment = { WITH_X = "1", PATH = "$PATH:/x" }
build-verbosity = 1
archs = "auto64"
manylinux-x86_64-image = "manylinux_2_28"
repair-wheel-command = "auditwheel repair --exclude libcuda.so* --exclude=libnvrtc* -w {dest_dir} {wheel}"

[tool.cibuildwheel.macos]
environment = "MACOSX_DEPLOYMENT_TARGET=11"

[tool.cibuildwheel.linux]
before-build = "pip install x"
"""


def test_cibuildwheel_is_taken_over_or_told_one_by_one(craft: Path) -> None:
    extra = '\n[project.optional-dependencies]\nextra = ["scipy"]\n'
    write(craft, {"pyproject.toml": SKBUILD + extra + CIBUILDWHEEL})
    assert table(craft) == {
        "python": ["3.11", "3.12"],
        "test": "pytest -x {source}/tests",
        "test-requires": ["pytest >=8", "hypothesis", "scipy"],
        "env": {"WITH_X": "1"},
        "exclude-libraries": ["libcuda.so*", "libnvrtc*"],
    }
    told = untold(craft)
    for name in (
        'build: "pp310-*"', 'before-all: "yum install -y zlib-devel"', "environment: PATH=$PATH:/x",
        'archs: "auto64"', 'manylinux-x86_64-image: "manylinux_2_28"', "macos: the settings for macos",
        'linux.before-build: "pip install x"',
    ):  # fmt: skip
        assert f"pyproject.toml tool.cibuildwheel.{name}" in told
    assert "build-verbosity" not in told
    assert "repair-wheel-command" not in told


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python -m pytest tools/wheel.py", "python -m pytest {source}/tools/wheel.py"),
        ("echo {project} && ls . && pytest {package}/t", "pytest {source}/t"),
        ("pytest --pyargs crafted", "pytest --pyargs crafted"),
    ],
)
def test_a_test_command_runs_from_anywhere(craft: Path, command: str, expected: str) -> None:
    write(craft, {"tools/wheel.py": ""})
    write(craft, {"pyproject.toml": SKBUILD + f'\n[tool.cibuildwheel]\ntest-command = "{command}"\n'})
    assert table(craft)["test"] == expected


def test_test_sources_of_cibuildwheel(craft: Path) -> None:
    given = '\n[tool.cibuildwheel]\ntest-sources = ["tools/t.py"]\ntest-command = "pytest tools/t.py"\n'
    write(craft, {"tools/t.py": "", "pyproject.toml": SKBUILD + given})
    found = table(craft)
    assert (found["test"], found["test-sources"]) == ("pytest tools/t.py", ["tools/t.py"])


def test_tests_inside_the_package_are_copied_away_from_it(craft: Path) -> None:
    shutil.rmtree(craft / "tests")
    write(craft, {"src/crafted/tests/test_it.py": "from crafted import x\n", "src/crafted/__init__.py": ""})
    found = table(craft)
    assert (found["test"], found["test-sources"]) == ("pytest -q", ["src/crafted/tests"])
    write(craft, {"src/crafted/tests/test_it.py": "from .. import x\n"})
    assert table(craft)["test"] == "pytest -q --pyargs crafted.tests"


def test_setup_py_that_computes_its_extensions(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "setup.py": "from setuptools import setup\nargs = {}\nargs.update(ext_modules=x())\nsetup(name='a', **args)\n"
        },
    )
    assert "setup.py:3: the extensions are computed" in untold(tmp_path)


@pytest.mark.parametrize(
    "command", ["cd {project} && pytest", "pytest; true", "pytest $X", "pytest {wheel}", "pytest 'a"]
)
def test_a_test_command_for_a_shell_is_told(craft: Path, command: str) -> None:
    write(craft, {"pyproject.toml": SKBUILD + f'\n[tool.cibuildwheel]\ntest-command = "{command}"\n'})
    assert "test" not in table(craft)
    assert f'test-command: "{command}": ' in untold(craft)


def test_cmake_names_and_lines(craft: Path) -> None:
    cmake = """\
project(crafted)
# find_package(Comment REQUIRED)
#[[ find_package(Block REQUIRED) ]]
find_package(Boost 1.70 REQUIRED COMPONENTS python${V} numpy${V})
find_package(fmt CONFIG)
find_package(Mystery REQUIRED)
pkg_check_modules(DEPS REQUIRED IMPORTED_TARGET
  libzstd>=1.4 unheard-of)
find_package(Threads REQUIRED)
message("find_package(String REQUIRED)")
FetchContent_Declare(json URL https://example.com)
add_subdirectory(core)
add_subdirectory(${CMAKE_CURRENT_SOURCE_DIR}/empty)
add_subdirectory(tests)
include(cmake/deps.cmake)
if(MSVC)
  find_package(Elsewhere REQUIRED)
endif()
"""
    write(
        craft,
        {
            "CMakeLists.txt": cmake,
            "core/CMakeLists.txt": "find_package(Eigen3 REQUIRED NO_MODULE)\n",
            "tests/CMakeLists.txt": "find_package(OpenCV REQUIRED)\n",
            "stray/CMakeLists.txt": "find_package(OpenCV REQUIRED)\n",
            "cmake/deps.cmake": "\nfind_package(TBB REQUIRED)\n",
        },
    )
    (craft / "empty").mkdir()
    assert table(craft)["host"] == ["libboost-python-devel", "zstd", "eigen", "tbb-devel"]
    plan = adopted(craft).plan
    assert plan is not None
    (host,) = (line for line in plan.lines if line.key == "host")
    assert "tbb-devel: cmake/deps.cmake:2" in host.why
    told = untold(craft)
    assert "CMakeLists.txt:5: find_package(fmt) may be missing: add fmt to host" in told
    assert "CMakeLists.txt:6: find_package(Mystery): which conda package brings this CMake package?" in told
    assert "CMakeLists.txt:7: pkg-config module unheard-of: which conda package" in told
    assert "CMakeLists.txt:11: json is downloaded" in told
    assert "CMakeLists.txt:13: the folder empty is empty: a submodule" in told
    for never in ("Comment", "Block", "String", "OpenCV", "Threads", "Elsewhere"):
        assert never not in told


def test_names_of_the_table_win(craft: Path) -> None:
    cmake = "project(crafted)\nfind_package(Mystery REQUIRED)\nfind_package(fmt REQUIRED)\n"
    names = '\n[tool.diptych.names]\n"cmake:mystery" = "libmystery-devel"\n"cmake:fmt" = "fmt =10"\n'
    write(craft, {"CMakeLists.txt": cmake, "pyproject.toml": SKBUILD + names})
    assert table(craft)["host"] == ["libmystery-devel", "fmt =10"]
    assert not untold(craft)
    apply(adopted(craft).edits)
    assert load(craft).settings.host == ("libmystery-devel", "fmt =10")
    assert adopted(craft).edits == ()


def test_meson_names(tmp_path: Path) -> None:
    meson = """\
project('m', 'cpp')
# dependency('comment')
dependency('zlib')  # why
dep = dependency('boost', modules: ['python311'])
dependency('hdf5', required: false)
cc.find_library('m')
subdir('sub')
"""
    write(tmp_path, {"meson.build": meson, "sub/meson.build": "dependency('fmt', version: '>=9')\n"})
    write(tmp_path, {"pyproject.toml": '[build-system]\nrequires=["meson-python"]\nbuild-backend="mesonpy"\n[project]\nname="m"\nversion="1"\n'})  # fmt: skip
    assert table(tmp_path)["host"] == ["zlib", "libboost-python-devel", "fmt"]
    assert "meson.build:5: pkg-config module hdf5 may be missing: add hdf5 to host" in untold(tmp_path)


def test_setup_py_is_read_and_never_run(tmp_path: Path) -> None:
    script = """\
import os
raise SystemExit("run!")
LIBS = ["z", "m", "nothing-known"]
from setuptools import setup, Extension
setup(name="plain", version=compute(), python_requires=">=3.12", install_requires=["numpy"],
      packages=["plain", "plain.sub"], ext_modules=[Extension("plain._x", ["x.c"], libraries=LIBS)])
"""
    write(tmp_path, {"setup.py": script, "x.c": ""})
    found = table(tmp_path)
    assert found["python"] == ["3.12", "3.13", "3.14"]
    assert found["host"] == ["zlib"]
    assert "setup.py:6: -lnothing-known: which conda package brings this library?" in untold(tmp_path)
    adoption = adopted(tmp_path)
    assert {edit.path.name for edit in adoption.edits} == {"pyproject.toml", "noxfile.py"}
    assert "no git repository" in adoption.notes[0]
    assert found["test"] == "python -m diptych_imports"
    assert "no tests were found" in untold(tmp_path)


@pytest.mark.parametrize(
    "call",
    [
        "kwargs = dict(name='plain', packages=['plain'])\n    setup(ext_modules=x(), **kwargs)",
        "kwargs = {'name': 'plain', 'packages': ['plain']}\n    setup(ext_modules=x(), **kwargs)",
        "setup(ext_modules=x(), **dict(name='plain', packages=['plain']))",
        "setup(ext_modules=x(), name=NAME, packages=[NAME])",
    ],
)
def test_setup_py_that_hands_on_a_table_of_words(tmp_path: Path, call: str) -> None:
    script = f"from setuptools import setup\nNAME = 'plain'\ndef main():\n    {call}\nmain()\n"
    write(tmp_path, {"setup.py": script, "plain/__init__.py": "", "plain/test_it.py": ""})
    found = table(tmp_path)
    assert "package" not in found
    assert found["test"] == "pytest -q --pyargs plain"
    apply(adopted(tmp_path).edits)
    assert load(tmp_path).project.name == "plain"


def test_extras_of_setup_py_that_are_put_together(tmp_path: Path) -> None:
    script = """\
from setuptools import Extension, setup
TEST = ["pytest", "hypothesis"]
MORE = TEST + ["pytest-xdist"]
def main():
    kwargs = dict(name="plain", packages=["plain"], ext_modules=[Extension("plain._x", ["x.c"])])
    extras = {"test": MORE}
    kwargs.update(extras_require=extras)
    setup(**kwargs)
main()
"""
    write(tmp_path, {"setup.py": script, "plain/__init__.py": "", "tests/test_it.py": ""})
    assert table(tmp_path)["test-requires"] == ["pytest", "hypothesis", "pytest-xdist"]


@pytest.mark.parametrize("word", ["-Ic", "-I -c", "-EIc", "-c"])
def test_an_isolated_python_would_not_find_the_package_in_source(craft: Path, word: str) -> None:
    command = f"python {word} 'import crafted._x'"
    write(craft, {"pyproject.toml": SKBUILD + f'\n[tool.cibuildwheel]\ntest-command = "{command}"\n'})
    assert table(craft)["test"] == "python -c 'import crafted._x'"


def test_a_backend_of_the_projects_own(tmp_path: Path) -> None:
    text = """\
[build-system]
requires = ["setuptools", "Cython"]
build-backend = "hooks"
backend-path = ["packaging"]

[project]
name = "plain"
version = "1"
"""
    write(tmp_path, {"pyproject.toml": text, "plain/__init__.py": "", "packaging/hooks.py": ""})
    with pytest.raises(ConfigError, match="is compiled, as far as its files tell"):
        adopted(tmp_path)
    write(tmp_path, {"plain/_x.pyx": ""})
    assert "python" in table(tmp_path)


def test_a_task_runner_is_no_test_command(craft: Path) -> None:
    command = "make -C {project} test-wheel"
    write(craft, {"pyproject.toml": SKBUILD + f'\n[tool.cibuildwheel]\ntest-command = "{command}"\n'})
    assert "test" not in table(craft)
    assert "make may install what it needs" in untold(craft)


def test_recipe_and_external(craft: Path) -> None:
    recipe = """\
requirements:
  host:
    - python
    - ${{ compiler('cxx') }}
    - eigen >=3.4
    - if: win
      then: onlywin
    - if: linux
      then: libgomp
    - ${{ strange }}
tests:
  - script: [pip check, pytest tests]
    requirements: {run: [hypothesis]}
"""
    external = (
        '\n[external]\nhost-requires = ["dep:generic/zlib", "dep:virtual/compiler/cxx", "dep:generic/odd"]\n'
    )
    write(craft, {"recipe/recipe.yaml": recipe, "pyproject.toml": SKBUILD + external})
    found = table(craft)
    assert found["host"] == ["zlib", "eigen >=3.4", "libgomp"]
    assert found["recipe"] == "recipe/recipe.yaml"
    assert found["test-requires"] == ["pytest", "hypothesis"]
    told = untold(craft)
    assert "dep:generic/odd: which conda package brings this name?" in told
    assert "${{ strange }}: computed by the recipe" in told
    assert '"pytest tests": stays with the recipe' in told
    assert "onlywin" not in told


def test_pixi_and_groups(craft: Path) -> None:
    pixi = '[workspace]\nchannels = ["conda-forge"]\n[dependencies]\nfmt = "11.*"\ncmake = "*"\n'
    groups = '\n[dependency-groups]\nbase = ["pytest>=8"]\ntest = [{include-group = "base"}, "crafted[x]", "pytz; sys_platform == \'win32\'"]\n'
    write(craft, {"pixi.toml": pixi, "pyproject.toml": SKBUILD + groups})
    assert table(craft)["host"] == ["fmt 11.*"]
    assert table(craft)["test-requires"] == ["pytest >=8"]


def test_of_a_wide_extra_only_what_the_tests_import(craft: Path) -> None:
    extra = '\n[project.optional-dependencies]\ndev = ["ruff", "pytest-cov", "hypothesis>=6"]\n'
    write(
        craft, {"pyproject.toml": SKBUILD + extra, "tests/test_it.py": "import hypothesis\nimport absent\n"}
    )
    assert table(craft)["test-requires"] == ["pytest", "pytest-cov", "hypothesis >=6"]
    assert 'the tests import "absent"' in untold(craft)


def test_an_existing_noxfile_keeps_its_sessions(craft: Path) -> None:
    theirs = '"""Ours."""\n\nimport nox\n\n\n@nox.session\ndef test(session):\n    pass\n\n\nif __name__ == "__main__":\n    nox.main()\n'
    write(craft, {"noxfile.py": theirs})
    (edit,) = (edit for edit in adopted(craft).edits if edit.path.name == "noxfile.py")
    lines = edit.after.decode().splitlines()
    assert [line for line in lines if line not in theirs.splitlines()] == [
        "from diptych.sessions import define",
        "define(__file__)",
    ]
    assert [line for line in lines if line.strip() and line in theirs] == [
        line for line in theirs.splitlines() if line.strip()
    ]
    assert lines.index("from diptych.sessions import define") == lines.index("import nox") + 1
    assert lines.index("define(__file__)") < lines.index('if __name__ == "__main__":')


def test_line_ends_and_bytes_are_kept(craft: Path) -> None:
    pyproject = SKBUILD.replace("\n", "\r\n").rstrip()
    noxfile = "import nox\r\n\r\nnox.options.reuse_venv = True"
    write(craft, {"pyproject.toml": pyproject, "noxfile.py": noxfile, ".gitignore": "build\r\n.nox"})
    apply(adopted(craft).edits)
    for name, old in (("pyproject.toml", pyproject), (".gitignore", "build\r\n.nox")):
        new = (craft / name).read_bytes()
        assert new.startswith(old.encode())
        assert new.count(b"\n") == new.count(b"\r\n")
    assert (craft / ".gitignore").read_bytes() == b"build\r\n.nox\r\n.diptych/\r\n/dist/\r\n"
    assert read_toml(craft / "pyproject.toml")["project"]["name"] == "crafted"
    assert b"\n" not in (craft / "noxfile.py").read_bytes().replace(b"\r\n", b"")


def test_a_link_stays_a_link(craft: Path) -> None:
    (craft / "elsewhere").mkdir()
    (craft / "pyproject.toml").rename(craft / "elsewhere" / "p.toml")
    (craft / "pyproject.toml").symlink_to("elsewhere/p.toml")
    apply(adopted(craft).edits)
    assert (craft / "pyproject.toml").is_symlink()
    assert "[tool.diptych]" in (craft / "elsewhere" / "p.toml").read_text()


def test_an_existing_table_is_kept_and_the_rest_added(craft: Path) -> None:
    mine = SKBUILD + '\n[tool.diptych]\npython = ["3.13"]\n'
    write(craft, {"pyproject.toml": mine})
    adoption = adopted(craft)
    assert {edit.path.name for edit in adoption.edits} == {"noxfile.py", ".gitignore"}
    assert "kept as it is" in adoption.notes[0]
    assert adoption.command == "nox -s build-3.13 verify-3.13"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"pyproject.toml": '[project]\nname = "a\n'}, ["pyproject.toml", "line 2"]),
        ({"pyproject.toml": SKBUILD + "\n[tool]\nx = {a=1}\n[tool]\n"}, ["pyproject.toml", "line"]),
        ({"noxfile.py": "def (:\n"}, ["noxfile.py", ":1", "Python"]),
        ({"pyproject.toml": "tool = {ruff = {}}\n" + SKBUILD}, ["pyproject.toml", "inline table"]),
        (
            {"pyproject.toml": SKBUILD + '[tool.diptych]\nnames = {a = "b"}\n'},
            ["pyproject.toml", "names in it"],
        ),
        ({"pyproject.toml": SKBUILD.replace(">=3.11", "<3.8")}, ["<3.8", "project.requires-python"]),
    ],
)
def test_bad_files_are_named(craft: Path, files: dict[str, str], words: list[str]) -> None:
    write(craft, files)
    with pytest.raises(ConfigError) as raised:
        adopted(craft)
    for word in words:
        assert word in str(raised.value)


@pytest.mark.parametrize(
    "files",
    [
        {"CMakeLists.txt": "include(/etc/passwd)\nadd_subdirectory(..)\nfind_package(\nfind_package()\n"},
        {"CMakeLists.txt": "add_subdirectory(a\x00b)\npkg_check_modules()\n)"},
        {"pyproject.toml": SKBUILD + '[tool.pytest.ini_options]\ntestpaths = ["/", "../.."]\n'},
        {"pyproject.toml": SKBUILD + '[tool.scikit-build]\ncmake.source-dir = "/"\nwheel.packages = 3\n'},
        {"pyproject.toml": SKBUILD + '[tool.poetry]\npackages = [3]\nbuild.script = "/etc/passwd"\n'},
        {"pyproject.toml": SKBUILD + "[tool]\ncibuildwheel = 3\nsetuptools = []\npixi = 1\n"},
        {"pyproject.toml": SKBUILD + "[tool.cibuildwheel]\nbuild = 3\ntest-command = []\nenvironment = 'a'\nlinux = 1\n"},
        {"pyproject.toml": SKBUILD + 'classifiers = 3\ndependencies = ["=", 3]\n[dependency-groups]\ntest = [{include-group = "test"}, 3]\n'},
        {"conda/meta.yaml": "a: &a [*a]\n"},
        {"conda/recipe.yaml": "a: &a\n  b: *a\n"},
        {"conda/meta.yaml": "requirements:\n  host:\n    -\n    - ''\n    - {a: b}\nsource: 3\nbuild: 3\n"},
        {"environment.yml": "channels: {a: b}\ndependencies: [1, '', '=', '::', 'eigen=1=2']\n"},
        {"environment.yml": "a: [\n"},
        {"pixi.toml": "a=\n"},
        {"setup.py": "setup(name=1, packages='x', package_dir=[], cffi_modules=['/x:y'], extras_require=[])\n"},
        {"setup.py": "setup(\n", "setup.cfg": "[\n", ".gitmodules": "path = \n"},
        {"tests/test_it.py": "x(\n"},
    ],
)  # fmt: skip
def test_garbage_ends_in_a_plan_or_a_message(craft: Path, files: dict[str, str]) -> None:
    write(craft, files)
    with contextlib.suppress(ConfigError):
        assert json.dumps(adopted(craft).to_json(written=False))


def test_nothing_compiled_is_said(tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": '[build-system]\nrequires=["flit_core"]\nbuild-backend="flit_core.buildapi"\n[project]\nname="p"\nversion="1"\n'})  # fmt: skip
    with pytest.raises(ConfigError, match=r"nothing in .* is compiled") as raised:
        adopted(tmp_path)
    assert "flit compiles nothing" in str(raised.value)


def test_submodules_that_were_not_fetched(craft: Path) -> None:
    write(craft, {".gitmodules": '[submodule "x"]\n\tpath = extern/x\n\turl = https://example.com\n'})
    assert "the submodule extern/x was not fetched" in untold(craft)


def test_all_files_or_none(craft: Path) -> None:
    adoption = adopted(craft)
    before = {path: path.read_bytes() for path in craft.rglob("*") if path.is_file()}
    nowhere = Edit(path=Path("/proc/no-such-folder/x"), before=None, after=b"")
    with pytest.raises(StoreError, match="no-such-folder"):
        apply([*adoption.edits, nowhere])
    in_the_way = Edit(path=craft / "folder", before=None, after=b"")
    (craft / "folder" / "full").mkdir(parents=True)
    with pytest.raises((StoreError, OSError)):
        apply([*adoption.edits, in_the_way])
    assert {path: path.read_bytes() for path in craft.rglob("*") if path.is_file()} == before


def test_a_file_that_changed_meanwhile_is_left(craft: Path) -> None:
    adoption = adopted(craft)
    write(craft, {"pyproject.toml": SKBUILD + "# edited\n"})
    with pytest.raises(StoreError, match="was changed"):
        apply(adoption.edits)
    assert not (craft / "noxfile.py").exists()


def test_json_has_all_of_it(craft: Path) -> None:
    value = json.loads(json.dumps(adopted(craft).to_json(written=False)))
    assert [file["path"] for file in value["files"]] == ["pyproject.toml", "noxfile.py", ".gitignore"]
    assert value["table"][0] == {
        "key": "python",
        "value": ["3.11", "3.12", "3.13", "3.14"],
        "from": ["pyproject.toml project.requires-python"],
    }
    assert value["next"] == "nox -s build-3.11 verify-3.11"


def test_names_are_dated_and_plain() -> None:
    assert data()["date"]
    assert data()["source"]
    for table_name in ("cmake", "pkg-config", "library", "pypi"):
        for name, package in data()[table_name].items():
            assert name
            assert package == package.lower().strip()
            assert " " not in package
    assert conda_names.__module__ == "diptych.adopt.names"
