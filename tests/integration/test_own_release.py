"""Diptych's own distributions: their version is the tag's, and the wheel holds what an installation needs."""

from __future__ import annotations

import re
import subprocess  # noqa: TID251 -- git and an installed program, as a maintainer runs them
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from diptych.config.files import read_toml
from diptych.packages.lint import lint

ROOT = Path(__file__).parents[2]


def run(*words: object, cwd: Path) -> str:
    done = subprocess.run(list(map(str, words)), cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist of a clone under the tag diptych-v9.8.7, and the wheel that was built from that sdist."""
    folder = tmp_path_factory.mktemp("own")
    clone = folder / "clone"
    run("git", "clone", "-q", ROOT, clone, cwd=folder)
    for name in ("pyproject.toml", "ci/diptych/__init__.py"):  # what is tried may not be committed yet
        (clone / name).write_bytes((ROOT / name).read_bytes())
    run("git", "tag", "v1.0.0", cwd=clone)  # one of project/, which says nothing about Diptych
    run("git", "tag", "diptych-v9.8.7", cwd=clone)
    run(sys.executable, "-m", "build", "-q", "--outdir", folder / "dist", cwd=clone)
    return folder / "dist"


def test_both_carry_the_version_of_the_tag(built: Path) -> None:
    assert sorted(path.name for path in built.iterdir()) == [
        "diptych-9.8.7-py3-none-any.whl",
        "diptych-9.8.7.tar.gz",
    ]


def test_the_wheel_knows_its_version_and_has_its_data(built: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path)
    package = tmp_path / "diptych"
    tracked = run("git", "ls-files", "-z", "ci/diptych", cwd=ROOT).split("\0")
    ours = {name.removeprefix("ci/diptych/") for name in tracked if name}
    there = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    assert there >= {name for name in ours if (ROOT / "ci" / "diptych" / name).is_file()}
    assert "py.typed" in there
    said = run(
        sys.executable, "-c", "import diptych; print(diptych.__file__, diptych.__version__)", cwd=tmp_path
    )
    assert said.split() == [str(package / "__init__.py"), "9.8.7"]


def test_the_recipe_needs_what_the_metadata_needs() -> None:
    """The conda recipe says again what [project] says: under conda-forge's names."""
    project = read_toml(ROOT / "pyproject.toml")["project"]
    recipe = (ROOT / "conda" / "recipe.yaml").read_text(encoding="utf-8")
    run_section = recipe.partition("  run:\n")[2].partition("\n\n")[0]
    needed = {re.split(r"[>=;\s]", text)[0] for text in project["dependencies"]}
    named = set(re.findall(r"- ([\w.-]+) ", run_section.replace("- if:", ""))) | set(
        re.findall(r"then: ([\w.-]+) ", run_section)
    )
    assert named - {"python"} == needed


def test_the_recipe_is_as_conda_forge_wants_it_but_for_its_source() -> None:
    recipe = yaml.safe_load((ROOT / "conda" / "recipe.yaml").read_text(encoding="utf-8"))
    assert [text.partition(":")[0] for text in lint(recipe)] == ["source.url", "extra.recipe-maintainers"]
