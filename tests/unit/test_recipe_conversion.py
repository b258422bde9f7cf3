"""meta.yaml as recipe.yaml, and a recipe that takes the finished stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from diptych.errors import ConfigError
from diptych.recipes.jinja import converted_selector
from diptych.recipes.metayaml import convert, rendered
from diptych.recipes.opening import Opened, open_recipe
from diptych.recipes.selectors import holds
from diptych.recipes.staged import staged_recipe

PROJECTS = Path(__file__).parents[1] / "projects"


def converted(text: str, folder: Path = Path("nowhere")) -> Opened:
    return convert(text, folder / "meta.yaml")


def told(opened: Opened) -> list[tuple[int, str]]:
    return [(one.line, one.text.split(":")[0]) for one in opened.left]


def test_the_seed_converts_without_a_rest() -> None:
    opened = open_recipe(PROJECTS / "seed" / "conda" / "meta.yaml")
    assert opened.left == ()
    assert opened.recipe == {
        "schema_version": 1,
        "context": {"name": "seeded", "version": "1.4.0"},
        "package": {"name": "${{ name }}", "version": "${{ version }}"},
        "source": {"git": ".."},
        "build": {"number": 0, "skip": ["win"]},
        "requirements": {
            "build": ["${{ compiler('cxx') }}", "cmake", "ninja"],
            "host": ["python", "setuptools", "pip", "libboost-python-devel"],
            "run": ["python"],
        },
        "tests": [{"python": {"imports": ["seeded"], "pip_check": False}}],
        "about": {
            "license": "MIT",
            "license_file": "LICENSE",
            "summary": "Random numbers, in C++ through Boost.Python.",
        },
    }


@pytest.mark.parametrize(
    ("selector", "condition"),
    [
        ("linux", "linux"),
        ("not win", "not win"),
        ("py>=38 and not win", 'match(python, ">=3.8") and not win'),
        ("py<310", 'match(python, "<3.10")'),
        ("py==39", 'match(python, "3.9.*")'),
        ("py<=39", 'match(python, "<3.10")'),
        ("py > 39", 'match(python, ">=3.10")'),
        ("linux64", "(linux and x86_64)"),
        ("py2k", "false"),
        ("build_platform != target_platform", "build_platform != target_platform"),
    ],
)
def test_selectors(selector: str, condition: str) -> None:
    assert converted_selector(selector) == condition


@pytest.mark.parametrize(
    ("condition", "platform", "expected"),
    [
        ("linux", "linux-64", True),
        ("unix and not osx", "linux-aarch64", True),
        ("x86_64", "linux-64", True),
        ("arm64 or win", "osx-arm64", True),
        ("win", "linux-64", False),
        ('match(python, "3.9.*")', "linux-64", None),
        ('linux or match(python, "3.9.*")', "linux-64", True),
        ('win and match(python, "3.9.*")', "linux-64", False),
        ("not (", "linux-64", None),
    ],
)
def test_conditions_on_a_platform(condition: str, platform: str, expected: bool | None) -> None:  # noqa: FBT001
    assert holds(condition, platform) is expected


def test_selectors_on_items_keys_and_variables() -> None:
    opened = converted(
        """\
{% set cuda = "12" %}  # [linux]
build:
  skip: true  # [win or py<310]
  script: make  # [unix]
  script: nmake  # [win]
  number: 3
requirements:
  host:
    - python
    - libgomp  # [linux]
    - eigen  # [not win] and a comment
  run:
    - python 3.10  # a comment
"""
    )
    assert opened.left == ()
    assert opened.recipe["context"] == {"cuda": "${{ '12' if linux else '' }}"}
    assert opened.recipe["build"] == {
        "skip": ['win or match(python, "<3.10")'],
        "script": [{"if": "unix", "then": "make"}, {"if": "win", "then": "nmake"}],
        "number": 3,
    }
    assert opened.recipe["requirements"] == {
        "host": ["python", {"if": "linux", "then": "libgomp"}, {"if": "not win", "then": "eigen"}],
        "run": ["python 3.10"],
    }


def test_versions_stay_as_they_are_written() -> None:
    opened = converted("package: {name: a, version: 1.10}\nbuild:\n  number: 08\n")
    assert opened.recipe["package"]["version"] == "1.10"
    assert opened.recipe["build"]["number"] == "08"


def test_expressions_in_the_words_of_rattler_build() -> None:
    opened = converted(
        """\
{% set version = "1.2.3" %}
{% set major = version.split(".")[0] %}
{% set number = environ.get("NUMBER", "0") %}
package:
  name: "{{ name | lower }}"
  version: {{ version }}
source:
  git_url: https://example.com/x.git
  git_rev: v{{ version }}
  sha1: abc
requirements:
  run:
    - {{ pin_compatible("numpy", min_pin="x.x", max_pin="x") }}
    - {{ os.environ["OTHER"] }}
"""
    )
    assert opened.recipe["context"] == {
        "version": "1.2.3",
        "major": '${{ (version | split("."))[0] }}',
        "number": '${{ env.get("NUMBER", default="0") }}',
    }
    assert opened.recipe["source"] == {"git": "https://example.com/x.git", "rev": "v${{ version }}"}
    assert opened.recipe["requirements"]["run"] == [
        '${{ pin_compatible("numpy", lower_bound="x.x", upper_bound="x") }}',
        '${{ env.get("OTHER") }}',
    ]
    assert told(opened) == [(10, "source.sha1")]


def test_what_cannot_be_converted_is_told_by_line() -> None:
    opened = converted(
        """\
{% set data = load_setup_py_data() %}
{% set list = ["a", "b"] %}
package:
  name: a
  version: {{ data.get("version") }}
build:
{% if cuda %}
  number: 1
{% endif %}
  features: x
  script_env: [A]
  number: 2  # [environ.get("X")]
test:
  requires: [pytest]
about:
  license_family: MIT
more: 1
"""
    )
    assert [line for line, _ in told(opened)] == [1, 2, 5, 7, 9, 10, 11, 12, 14, 16, 17]
    assert "data" not in opened.recipe.get("context", {})
    text = rendered(opened, source="meta.yaml")
    assert '# meta.yaml:5: {{ data.get("version") }}: only conda-build can compute that' in text
    assert yaml.safe_load(text) == opened.recipe


def test_tests_of_all_kinds(tmp_path: Path) -> None:
    (tmp_path / "run_test.py").touch()
    opened = converted(
        """\
test:
  imports: [a, a.b]
  requires: [pytest]
  source_files: [tests]
  commands:
    - pip check
    - pytest tests  # [unix]
  downstreams: [other]
""",
        tmp_path,
    )
    assert opened.recipe["tests"] == [
        {"python": {"imports": ["a", "a.b"], "pip_check": True}},
        {
            "script": [{"if": "unix", "then": "pytest tests"}],
            "requirements": {"run": ["pytest"]},
            "files": {"source": ["tests"]},
        },
        {"downstream": "other"},
    ]
    assert told(opened) == [(1, "test")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("package: {name: a\nbuild: x: y\n", "meta.yaml"),
        ("- a\n", "no table"),
        ("package: {name: a}\noutputs:\n  - name: b\n", ":2: a recipe of several outputs"),
        ("", "no table"),
    ],
)
def test_bad_files(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        converted(text)
    assert words in str(raised.value)


def project(tmp_path: Path, recipe: dict[str, Any], place: str = "conda/recipe.yaml") -> tuple[Path, Path]:
    root = tmp_path / "project"
    path = root / place
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    (root / "LICENSE").write_text("free", encoding="utf-8")
    (root / "tests").mkdir()
    (root / "tests" / "test_a.py").touch()
    return root, path


def test_a_recipe_that_compiles_takes_the_stage(tmp_path: Path) -> None:
    given = {
        "package": {"name": "a", "version": "1"},
        "source": {"git": ".."},
        "build": {"number": 4, "script": "cmake", "skip": ["linux"], "python": {"entry_points": ["a = a:b"]}},
        "requirements": {
            "build": ["${{ compiler('cxx') }}"],
            "host": ["python", "setuptools >=70", "pip", "fmt"],
            "run": ["python"],
        },
        "about": {"license_file": ["LICENSE", "../outside", "${{ x }}"]},
        "tests": [{"script": ["pytest"], "files": {"source": ["tests/"]}}],
    }
    root, path = project(tmp_path, given)
    (path.parent / "build.sh").touch()
    work = tmp_path / "work"
    work.mkdir()
    target = staged_recipe(path, source=root, folder=work)
    assert target == work / "recipe" / "recipe.yaml"
    assert (work / "recipe" / "build.sh").is_file()
    made = yaml.safe_load(target.read_text(encoding="utf-8"))
    assert made["requirements"] == {"host": ["python", "fmt"], "run": ["python"]}
    assert made["build"]["number"] == 4
    assert made["build"]["python"] == {"entry_points": ["a = a:b"]}
    assert "skip" not in made["build"]
    assert "DIPTYCH_STAGE" in made["build"]["script"]["content"]
    assert made["source"] == {"path": str(work / "source")}
    copied = {one.relative_to(work / "source").as_posix() for one in (work / "source").rglob("*")}
    assert copied == {"LICENSE", "tests", "tests/test_a.py"}


def test_a_recipe_that_asks_for_the_stage_is_left(tmp_path: Path) -> None:
    script = {"script": {"file": "build.sh", "env": {"DIPTYCH_STAGE": '${{ env.get("DIPTYCH_STAGE") }}'}}}
    root, path = project(tmp_path, {"package": {"name": "a", "version": "1"}, "build": script})
    path.with_name("build.sh").write_text("cp -R $DIPTYCH_STAGE/. $SP_DIR", encoding="utf-8")
    assert staged_recipe(path, source=root, folder=tmp_path / "work") == path
    with pytest.raises(ConfigError, match="other places than site-packages"):
        staged_recipe(path, source=root, folder=tmp_path / "work", elsewhere=True)


TAKEN = 'cp -R "$DIPTYCH_STAGE"/. "$SP_DIR"/\n'
HANDED = {"DIPTYCH_STAGE": '${{ env.get("DIPTYCH_STAGE") }}'}


@pytest.mark.parametrize(
    "recipe",
    [
        {"build": {"script": {"content": TAKEN}}},
        {"build": {"script": ["mkdir -p $SP_DIR", TAKEN]}},
        {"build": {"script": "install.sh"}},
        {"build": {"script": {"file": "install.sh", "env": {"OTHER": "1"}}}},
        {"build": {"script": [{"if": "unix", "then": [TAKEN]}]}},
        {
            "outputs": [
                {"build": {"script": {"content": "true", "env": HANDED}}},
                {"build": {"script": TAKEN}},
            ]
        },
        {"build": {"number": 0}},
    ],
    ids=["content", "lines", "file", "other variable", "condition", "second output", "build.sh"],
)
def test_a_stage_that_the_script_would_not_get_is_refused(tmp_path: Path, recipe: dict[str, Any]) -> None:
    root, path = project(tmp_path, {"package": {"name": "a", "version": "1"}, **recipe})
    name = "install.sh" if "install" in str(recipe) else "build.sh"
    path.with_name(name).write_text(TAKEN, encoding="utf-8")
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "# it takes DIPTYCH_STAGE\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="takes DIPTYCH_STAGE, which would be empty") as refused:
        staged_recipe(path, source=root, folder=tmp_path / "work")
    assert refused.value.details == ('DIPTYCH_STAGE: ${{ env.get("DIPTYCH_STAGE") }}',)


@pytest.mark.parametrize(
    "script",
    [
        {"content": TAKEN, "env": HANDED},
        {"content": TAKEN, "secrets": ["DIPTYCH_STAGE"]},
        ['cp -R ${{ env.get("DIPTYCH_STAGE") }}/. $SP_DIR/', "cp -R ${{ env['DIPTYCH_STAGE'] }}/a $SP_DIR/"],
    ],
    ids=["env", "secrets", "rendered"],
)
def test_a_stage_that_the_script_gets(tmp_path: Path, script: object) -> None:
    root, path = project(tmp_path, {"package": {"name": "a", "version": "1"}, "build": {"script": script}})
    assert staged_recipe(path, source=root, folder=tmp_path / "work") == path


def test_a_recipe_at_the_top_takes_nothing_else_along(tmp_path: Path) -> None:
    root, path = project(tmp_path, {"package": {"name": "a", "version": "1"}}, "recipe.yaml")
    work = tmp_path / "work"
    work.mkdir()
    target = staged_recipe(path, source=root, folder=work)
    assert [one.name for one in target.parent.iterdir()] == ["recipe.yaml"]


def test_several_outputs_are_refused(tmp_path: Path) -> None:
    root, path = project(tmp_path, {"outputs": []})
    with pytest.raises(ConfigError, match="several outputs"):
        staged_recipe(path, source=root, folder=tmp_path)
