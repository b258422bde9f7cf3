"""What a wrong table says: every fault at once, each with path, value, expectation and nearest name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from diptych.config import load
from diptych.errors import ConfigError

PROJECT = '[project]\nname = "two-leaves"\nversion = "1.0"\n'
BASE = 'python = ["3.11", "3.13"]\ncompiler = ["gcc", "clang"]\n'
Details = Callable[..., tuple[str, ...]]


@pytest.fixture
def details(tmp_path: Path) -> Details:
    def load_it(table: str, project: str = PROJECT) -> tuple[str, ...]:
        (tmp_path / "pyproject.toml").write_text(f"{project}\n[tool.diptych]\n{table}", encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load(tmp_path)
        assert caught.value.exit_code == 3
        assert str(tmp_path / "pyproject.toml") in str(caught.value)
        assert caught.value.hint
        count = len(caught.value.details)
        assert caught.value.summary.startswith(f"{count} fault{'s' * (count > 1)} in the settings of")
        return caught.value.details

    return load_it


def test_three_faults_are_three_lines(details: Details) -> None:
    assert details("""
python = ["3.11", 3.1]
hots = ["numpy"]
[[tool.diptych.overrides]]
select = "3.11-*"
host = ["eigen"]
[[tool.diptych.overrides]]
select = "3.11-*"
inherit = { hots = "append" }
host = ["boost"]
""") == (
        'tool.diptych.hots: unknown key; did you mean "host"?',
        (
            "tool.diptych.python[1] = 3.1: "
            'expected a Python version in quotes, such as "3.12" (the number 3.10 is 3.1)'
        ),
        (
            'tool.diptych.overrides[1].inherit.hots: wrong name, expected one of "channels", "host", "run", '
            '"names", "test-sources", "test-requires", "config-settings", "cmake-args", "env", "exclude-libraries", "share", "wheel-include"; did you mean "host"?'
        ),
    )


def test_form_faults_do_not_hide_faults_across_keys(details: Details) -> None:
    found = details(
        BASE
        + """
exclude = ["3.12-gcc"]
recipe = "conda/recipe.yml"
[[tool.diptych.overrides]]
select = "3.13-clnag"
hosts = ["x"]
[[tool.diptych.overrides]]
inherit = { env = "append" }
[tool.diptych.compilers.mine]
cc = 3
[tool.diptych.compilers.other]
flags = ["-O3"]
"""
    )
    assert set(found) == {
        'tool.diptych.overrides[0].hosts: unknown key; did you mean "host"?',
        'tool.diptych.overrides[0].select[0] = "3.13-clnag": matches no cell; did you mean "3.13-clang"?',
        'tool.diptych.overrides[0]: changes nothing: give a per-cell key such as "host"',
        (
            "tool.diptych.overrides[1].select: is required, expected a cell selector: a cell such as "
            '"3.12-gcc", a glob such as "3.12-*", a Python or a compiler, or a list of them'
        ),
        'tool.diptych.overrides[1].inherit.env: has no effect: the override has no "env"',
        'tool.diptych.overrides[1]: changes nothing: give a per-cell key such as "host"',
        'tool.diptych.exclude[0] = "3.12-gcc": matches no cell; did you mean "3.13-gcc"?',
        f'tool.diptych.recipe = "conda/recipe.yml": there is no such file in "{_folder(found)}"',
        (
            "tool.diptych.compilers.mine.cc = 3: "
            'expected the name or path of a program, such as "g++-13", in quotes'
        ),
        'tool.diptych.compilers.mine: needs cxx = "…" or packages = ["…"]',
        'tool.diptych.compilers.other: needs cxx = "…" or packages = ["…"]',
    }


def _folder(found: tuple[str, ...]) -> str:
    return next(line for line in found if "no such file in" in line).split('"')[-2]


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("", 'python: is required, expected a list, each entry a Python version such as "3.12"'),
        ("python = []", 'python = []: expected at least 1 entry, a Python version such as "3.12"'),
        ('python = "3.12"', 'python = "3.12": expected a list, each entry a Python version such as "3.12"'),
        (
            'python = ["3.12t"]',
            'python[0] = "3.12t": the first Python without the GIL is "3.13t" (PEP 703); "3.12" has it',
        ),
        ('python = ["3.14.1t"]', 'python[0] = "3.14.1t": expected the minor version alone, "3.14t"'),
        ('python = ["3.14t.1"]', 'python[0] = "3.14t.1": expected the minor version alone, "3.14t"'),
        ('python = ["2.7"]', 'python[0] = "2.7": Diptych needs Python 3.10 or newer'),
        ('python = ["3.9"]', 'python[0] = "3.9": Diptych needs Python 3.10 or newer'),
        ('python = ["3.12.1"]', 'python[0] = "3.12.1": expected the minor version alone, "3.12"'),
        ('python = ["py312"]', 'python[0] = "py312": expected a Python version such as "3.12"'),
        ('python = ["3.12", "3.12"]', 'python[1] = "3.12": stands there already, as entry [0]'),
        (BASE + "[[tool.diptych.compilers]]", "compilers = a list: expected a table from"),
    ],
)
def test_pythons(details: Details, table: str, line: str) -> None:
    (found,) = details(table)
    assert found.startswith(f"tool.diptych.{line}")


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ('host = "numpy"', 'host = "numpy": expected a list, each entry a conda match spec such as "numpy >=2"'),
        ('host = ["numpy", "numpy"]', 'host[1] = "numpy": stands there already, as entry [0]'),
        ('host = [""]', 'host[0] = "": expected a conda match spec such as "numpy >=2"'),
        ("host = [true]", 'host[0] = true: expected a conda match spec such as "numpy >=2", in quotes'),
        ("channels = []", "channels = []: expected at least 1 entry, a channel"),
        ('channels = ["./here"]', 'channels[0] = "./here": expected a channel: a name such as "conda-forge", a URL'),
        ("env = { N = 1 }", "env.N = 1: expected a string, in quotes"),
        ('env = { "A B" = "1" }', 'env."A B": wrong name, expected the name of an environment variable'),
        ('env = { A = "\\u0000" }', 'env.A = "\\u0000": expected a string'),
        ("test = ' '", 'test = " ": expected a command such as'),
        ("test = 'pytest \"'", 'test = "pytest \\"": cannot be split into words: no closing quotation'),
        ("test = 'pytest {sorce}'", 'test = "pytest {sorce}": unknown placeholder "{sorce}", there are {source}'),
        ('build-type = "-O3"', 'build-type = "-O3": expected a CMake build type such as "Release"'),
        ("build_type = 'Debug'", 'build_type: unknown key; did you mean "build-type"?'),
        ("source = 'nowhere'", 'source = "nowhere": there is no such folder in'),
        (f"source = '{'x' * 5000}'", f'source = "{"x" * 60}…": there is no such folder in'),
        ("include = ['3.11-gcd']", 'include[0] = "3.11-gcd": matches no cell; did you mean "3.11-gcc"?'),
        ("exclude = ['*']", "exclude: no cell is left to build"),
        ("package = 'a-b'", 'package = "a-b": expected the name to import, such as "my_package"'),
        ("when = 1979-05-27", "when: unknown key"),
        ("build-type = 1979-05-27", "build-type = 1979-05-27: expected a CMake build type"),
        ("overrides = [3]", "overrides[0] = 3: expected a table of an override"),
        ("overrides = 3", "overrides = 3: expected a list, each entry a table of an override"),
    ],
)  # fmt: skip
def test_single_faults(details: Details, keys: str, line: str) -> None:
    (found,) = details(BASE + keys)
    assert found.startswith(f"tool.diptych.{line}")


@pytest.mark.parametrize(
    ("compiler", "line"),
    [
        ("gc", 'compiler[0] = "gc": there is no [tool.diptych.compilers.gc] table; did you mean "gcc"?'),
        ("msvc", 'compiler[0] = "msvc": there is no [tool.diptych.compilers.msvc] table'),
        ("conda-gc", ('compiler[0] = "conda-gc": there is no [tool.diptych.compilers.conda-gc] table; '
         'did you mean "conda-gcc"?')),
    ],
)  # fmt: skip
def test_unknown_compilers(details: Details, compiler: str, line: str) -> None:
    table = f'python = ["3.12"]\ncompiler = ["{compiler}"]\n[tool.diptych.compilers.conda-gcc]\npackages = ["gxx"]'
    assert details(table) == (f"tool.diptych.{line}",)


@pytest.mark.parametrize(
    ("project", "line"),
    [
        ("", 'project: is required, with at least name = "…" and version = "…"'),
        ("project = 3", "project = 3: expected a table"),
        ('[project]\nversion = "1"', "project.name: is required, expected a project name"),
        ('[project]\nname = "x"', 'project.version: is required, or dynamic = ["version"]'),
        ('[project]\nname = "x y"\nversion = "1"', 'project.name = "x y": expected a project name'),
        ('[project]\nname = "x"\nversion = "one"', 'project.version = "one": expected a version such as "1.2.0"'),
        (f'{PROJECT}requires-python = "3.10+"', 'project.requires-python = "3.10+": expected Python versions'),
        (f'{PROJECT}dependencies = "numpy"', 'project.dependencies = "numpy": expected a list'),
        ('[project]\nname = "3d-x"\nversion = "1"',
         'tool.diptych.package: is required, "3d-x" cannot be imported under that name'),
    ],
)  # fmt: skip
def test_faults_of_the_project(details: Details, project: str, line: str) -> None:
    (found,) = details('python = ["3.12"]', project)
    assert found.startswith(line)


def test_faults_of_the_projects_own_file_name_it(details: Details, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    table = BASE + 'source = "project"\nhots = 1'
    assert details(table)[1] == 'tool.diptych.source = "project": there is no pyproject.toml in it'
    file = tmp_path / "project" / "pyproject.toml"
    file.write_text('[project]\nname = "a"')
    assert details(table)[1] == f'{file}: project.version: is required, or dynamic = ["version"]'
    file.write_text("[project")
    assert details(table)[1].startswith(f'"{file}" is not TOML: ')


def test_a_near_folder_is_proposed(details: Details, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (found,) = details(BASE + 'source = "projekt"')
    assert found.endswith('; did you mean "project"?')


@pytest.mark.parametrize(
    ("content", "summary", "hint"),
    [
        (None, "cannot read", "run in the folder that has the pyproject.toml"),
        (b"", "has no table [tool.diptych]", 'add the lines [tool.diptych] and python = ["3.12"]'),
        (b"tool = 3", "has no table [tool.diptych]", "add the lines"),
        (b"[tool.dyptich]", 'has no table [tool.diptych]; did you mean "dyptich"?', "add the lines"),
        (b"[tool.diptych", "is not TOML", "mend the file"),
        (b"python = ['3.12'\n", "is not TOML", "mend the file"),
        (b"a = '\xff'", "is not UTF-8 (byte 5)", "UTF-8"),
        (b"a = " + b"9" * 5000, "is not TOML", "mend the file"),
        (b"a = " + b"[" * 100_000, "too deep", "flat"),
        (b"[tool]\ndiptych = 3", "1 fault in the settings", "mend"),
    ],
)
def test_files_that_are_no_table(tmp_path: Path, content: bytes | None, summary: str, hint: str) -> None:
    file = tmp_path / "pyproject.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert summary in caught.value.summary
    assert str(file) in caught.value.summary
    assert hint in caught.value.hint


def test_folders_and_links_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").mkdir()
    with pytest.raises(ConfigError, match="Is a directory"):
        load(tmp_path)
    with pytest.raises(ConfigError, match="cannot read") as caught:
        load(tmp_path / "nowhere")
    assert "is not there" in caught.value.hint


def test_an_unreadable_file(tmp_path: Path) -> None:
    """A file that nobody can read, root included: links in a circle."""
    (tmp_path / "pyproject.toml").symlink_to("pyproject.toml")
    with pytest.raises(ConfigError, match=r"cannot read.*symbolic links"):
        load(tmp_path)


def test_nothing_from_the_file_reaches_the_terminal_raw(details: Details) -> None:
    (found,) = details(BASE + '"\\u001b[31m\\u009b\\u202e\\n" = 1')
    assert found == 'tool.diptych."\\u001b[31m\\u009b\\u202e\\n": unknown key'


def test_a_recipe_of_ones_own_is_not_split(details: Details, tmp_path: Path) -> None:
    (tmp_path / "conda").mkdir()
    (tmp_path / "conda" / "recipe.yaml").write_text("schema_version: 1\n", encoding="utf-8")
    (fault,) = details(BASE + 'outputs = "split"\n')
    assert fault.startswith('tool.diptych.outputs = "split": ')
    assert fault.endswith('conda/recipe.yaml" says its outputs itself')
