"""Recipes from metadata: what rattler-build reads, and what a reviewer of conda-forge asks for."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rattler_build import Stage0Recipe

from diptych.config import load
from diptych.errors import PackageError
from diptych.inputs import part
from diptych.matrix import cells
from diptych.packages.lint import lint
from diptych.packages.metadata import read_metadata
from diptych.packages.outputs import split_recipe
from diptych.packages.rattler import check_recipe
from diptych.packages.recipe import RecipeFacts, RecipeSettings, recipe, to_yaml
from diptych.packages.standalone import Archive, standalone_recipe
from diptych.packages.standalone_outputs import Installs, standalone_cmake, standalone_outputs

METADATA = """\
Metadata-Version: 2.4
Name: Thing
Version: 1.0
Summary: One thing
License-Expression: MIT
License-File: LICENSE
Requires-Python: >=3.10
Requires-Dist: numpy<3,>=1.26
Requires-Dist: tomli>=2; python_version < "3.11"
Requires-Dist: pytest; extra == "test"
Project-URL: Source, https://thing.example/source
Project-URL: Homepage, https://thing.example
"""
ARCHIVE = Archive(filename="thing-1.0.tar.gz", sha256="0" * 64)


@pytest.fixture
def facts(tmp_path: Path) -> RecipeFacts:
    info = tmp_path / "thing-1.0.dist-info"
    (info / "licenses").mkdir(parents=True)
    (info / "METADATA").write_text(METADATA)
    (info / "licenses" / "LICENSE").write_text("MIT\n")
    (info / "entry_points.txt").write_text("[console_scripts]\nThing = thing:main [fast]\n[other]\nx = y\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "CMakeLists.txt").write_text("")
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["scikit-build-core>=0.10", "cmake>=3.21", "pybind11[global]"]\n'
        '[project]\nname = "thing"\nversion = "1.0"\n'
        '[tool.diptych]\npython = ["3.11"]\nhost = ["numpy >=2", "eigen"]\nrun = ["tzdata"]\n'
        'test = "python -m pytest -q {source}/tests"\n'
    )
    config = load(tmp_path)
    (cell,) = cells(config, platform="linux-64")
    return RecipeFacts(
        python=cell.python,
        platform=cell.platform,
        settings=part(RecipeSettings, cell.settings),
        metadata=read_metadata(info),
        source=tmp_path,
        package="thing",
    )


def test_the_recipe_of_a_stage(facts: RecipeFacts) -> None:
    made = recipe(facts)
    assert made["package"] == {"name": "thing", "version": "1.0"}
    assert made["build"]["python"] == {"entry_points": ["Thing = thing:main"]}
    assert made["requirements"]["run"] == ["python", "numpy <3,>=1.26", "tzdata"]
    assert made["tests"][1]["script"] == ["python -m pytest -q tests"]
    assert made["tests"][1]["files"] == {"source": ["tests/**", "pyproject.toml"]}
    assert made["about"]["license_file"] == ["LICENSE"]
    Stage0Recipe.from_dict(made)


def test_the_recipe_for_conda_forge(facts: RecipeFacts) -> None:
    made = standalone_recipe(facts, ARCHIVE, ("somebody",))
    assert made["source"]["url"] == "https://pypi.org/packages/source/t/thing/thing-${{ version }}.tar.gz"
    assert made["build"]["script"]["env"] == {"CMAKE_GENERATOR": "Ninja"}
    assert made["requirements"]["build"] == [
        '${{ compiler("cxx") }}', '${{ stdlib("c") }}', "cmake >=3.21", "ninja",
    ]  # fmt: skip
    assert made["requirements"]["host"] == [
        "python", "pip", "scikit-build-core >=0.10", "pybind11", "numpy >=2", "eigen",
    ]  # fmt: skip
    assert made["build"]["skip"] == ['match(python, "<3.10")']
    assert made["about"]["homepage"] == "https://thing.example"
    assert made["about"]["repository"] == "https://thing.example/source"
    assert lint(made) == []
    text = to_yaml(made)
    assert "iptych" not in text
    Stage0Recipe.from_yaml(text)


def test_a_recipe_is_held_against_the_form(facts: RecipeFacts) -> None:
    made = standalone_recipe(facts, ARCHIVE, ("somebody",))
    assert check_recipe(to_yaml(made)) == ""
    made["build"]["number"] = "many"
    assert "build.number" in check_recipe(to_yaml(made))
    del made["build"]["number"]
    made["requirments"] = {}
    assert "requirments" in check_recipe(to_yaml(made))


def test_a_dependency_that_cannot_be_read(facts: RecipeFacts) -> None:
    path = facts.metadata.folder / "METADATA"
    path.write_text(METADATA + "Requires-Dist: numpy >> 3\n")
    with pytest.raises(PackageError, match='cannot read the requirement "numpy >> 3"'):
        recipe(facts)


def test_tests_that_the_table_does_not_place(facts: RecipeFacts, tmp_path: Path) -> None:
    (tmp_path / "tests").rmdir()
    made = recipe(facts)
    assert len(made["tests"]) == 1
    assert made["source"] == [{"path": str(facts.metadata.folder / "licenses")}]


def without(recipe: dict[str, Any], *keys: str) -> dict[str, Any]:
    part = recipe
    for key in keys[:-1]:
        part = part[key]
    del part[keys[-1]]
    return recipe


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        (("about", "summary"), "about.summary: the summary is missing"),
        (("about", "homepage"), "about.homepage: the home page is missing"),
        (("about", "license"), "about.license: the licence is missing"),
        (("about", "license_file"), "about.license_file: the licence file is missing"),
        (("source", "sha256"), "source.sha256: the hash of the archive is missing"),
        (("source", "url"), "source.url: the source is to be fetched from a release, not a folder"),
        (("tests",), "tests: there is none"),
        (("build", "number"), "build.number: it is missing"),
        (("extra",), "extra.recipe-maintainers: nobody is named (--maintainer NAME)"),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_missing_is_named(facts: RecipeFacts, keys: tuple[str, ...], word: str) -> None:
    assert lint(without(standalone_recipe(facts, ARCHIVE, ("somebody",)), *keys)) == [word]


@pytest.mark.parametrize(
    ("section", "spec", "word"),
    [
        ("run", "numpy>=2", 'requirements.run: "numpy>=2" needs one space between name and version'),
        ("run", "numpy  2", 'requirements.run: "numpy  2" needs one space between name and version'),
        ("host", "numpy", 'requirements.host: "numpy" stands there twice'),
    ],
)
def test_requirements_have_one_form(facts: RecipeFacts, section: str, spec: str, word: str) -> None:
    made = copy.deepcopy(standalone_recipe(facts, ARCHIVE, ("somebody",)))
    if section == "run":
        made["requirements"][section] = [one for one in made["requirements"][section] if "numpy" not in one]
    made["requirements"][section].append(spec)
    assert word in lint(made)


def test_a_licence_that_spdx_does_not_know(facts: RecipeFacts) -> None:
    made = standalone_recipe(facts, ARCHIVE, ("somebody",))
    made["about"]["license"] = "my own"
    assert lint(made) == ['about.license: "my own" is no SPDX expression (spdx.org/licenses)']


def test_a_compiler_without_a_c_library(facts: RecipeFacts) -> None:
    made = standalone_recipe(facts, ARCHIVE, ("somebody",))
    made["requirements"]["build"].remove('${{ stdlib("c") }}')
    assert lint(made) == ['requirements.build: a compiler needs ${{ stdlib("c") }} beside it']


def test_run_dependencies_have_condas_names_and_ranges(facts: RecipeFacts) -> None:
    path = facts.metadata.folder / "METADATA"
    path.write_text(
        METADATA + "Requires-Dist: torch~=2.1\nRequires-Dist: typing-extensions; os_name == 'posix'\n"
    )
    run = recipe(facts)["requirements"]["run"]
    # ~=2.1 admits 2.9 (PEP 440); conda's =2.1 does not.
    assert "pytorch >=2.1,2.*" in run
    assert "typing_extensions" in run


def test_a_library_with_headers_exports_itself(facts: RecipeFacts) -> None:
    made = recipe(replace(facts, libraries=("libthing.so.1",)))
    assert made["requirements"]["run_exports"] == ['${{ pin_subpackage("thing", upper_bound="x") }}']
    assert "run_exports" not in recipe(facts)["requirements"]


def test_two_outputs_from_one_stage(facts: RecipeFacts) -> None:
    owners = {"lib/python3.11/site-packages/numpy/__init__.py": "numpy", "include/eigen3/Eigen/Core": "eigen"}
    made = split_recipe(replace(facts, libraries=("libthing.so.1",)), ["lib/libthing.so.1"], owners)
    library, python = made["outputs"]
    assert library["package"] == {"name": "libthing", "version": "1.0"}
    assert library["requirements"] == {
        "host": ["eigen"],  # neither Python nor what is for it
        "run_exports": ['${{ pin_subpackage("libthing", upper_bound="x") }}'],
    }
    assert library["tests"] == [{"package_contents": {"files": ["lib/libthing.so.1"]}}]
    assert python["package"] == {"name": "thing", "version": "1.0"}
    assert python["requirements"]["run"][-1] == '${{ pin_subpackage("libthing", exact=True) }}'
    assert "run_exports" not in python["requirements"]
    assert python["build"]["python"] == {"entry_points": ["Thing = thing:main"]}
    Stage0Recipe.from_yaml(to_yaml(made))  # which reads no aliases


def test_two_outputs_that_build_by_themselves(facts: RecipeFacts) -> None:
    files = ("include/thing.hpp", "lib/libthing.so", "lib/libthing.so.1")
    installs = Installs(build_type="Release", arguments=("-DWITH_X=a b",), files=files)
    built = replace(facts, libraries=("libthing.so.1",))
    made = standalone_outputs(built, ARCHIVE, installs, ("somebody",))
    library, python = made["outputs"]
    assert library["build"]["files"] == {"exclude": python["build"]["files"]["include"]}
    assert library["build"]["variant"] == {"ignore_keys": ["python"]}
    assert library["build"]["script"][0].endswith(" -DCMAKE_BUILD_TYPE=Release '-DWITH_X=a b'")
    assert library["requirements"]["ignore_run_exports"] == {"from_package": ["python", "pybind11", "numpy"]}
    assert library["requirements"]["run_exports"] == ['${{ pin_subpackage("libthing", upper_bound="x") }}']
    assert library["tests"] == [{"package_contents": {"files": sorted(files)}}]
    assert python["requirements"]["run"][-1] == '${{ pin_subpackage("libthing", exact=True) }}'
    assert lint(made) == []
    text = to_yaml(made)
    assert "iptych" not in text
    Stage0Recipe.from_yaml(text)
    del python["tests"]
    assert lint(made) == ["tests: there is none"]


@pytest.mark.parametrize(
    ("files", "prefix"), [((), '"$SP_DIR"'), (("include/thing.hpp", "lib/libthing.so.1"), '"$PREFIX"')]
)
def test_a_project_without_a_backend_builds_with_cmake(
    facts: RecipeFacts, files: tuple[str, ...], prefix: str
) -> None:
    libraries = ("libthing.so.1",) if files else ()
    installs = Installs(build_type="Release", arguments=(), files=files)
    made = standalone_cmake(replace(facts, libraries=libraries), ARCHIVE, installs, ("somebody",))
    assert f"-DCMAKE_INSTALL_PREFIX={prefix} " in made["build"]["script"][0]
    assert "pip" not in made["requirements"]["host"]
    assert ("run_exports" in made["requirements"]) is bool(files)
    assert lint(made) == []
    Stage0Recipe.from_yaml(to_yaml(made))


def test_a_library_that_would_take_the_name_of_its_python_part(facts: RecipeFacts) -> None:
    path = facts.metadata.folder / "METADATA"
    path.write_text(METADATA.replace("Name: Thing", "Name: libthing"))
    with pytest.raises(PackageError, match='the library of "libthing" would have the name'):
        split_recipe(facts, [], {})
