"""`diptych init` typed in copies of whole projects, and what nox and rattler-build make of what it wrote."""

from __future__ import annotations

import json
import re
import shutil
import subprocess  # noqa: TID251 -- git, beside the commands under test
from pathlib import Path

import pytest
from rattler_build import PlatformConfig, RenderConfig, Stage0Recipe, VariantConfig

from diptych import process
from diptych.archives import open_package
from helpers.checkout import HERE, Checkout
from helpers.needs import lacking, needs

PROJECTS = Path(__file__).parents[1] / "projects"
THEIRS = """\
import nox


@nox.session(python=["3.11"])
def test(session):
    \"\"\"Theirs.\"\"\"


@nox.session
def lint(session):
    \"\"\"Theirs too.\"\"\"
"""


def checkout(tmp_path: Path, name: str, env: dict[str, str]) -> Checkout:
    root = tmp_path / name
    shutil.copytree(PROJECTS / name, root)
    subprocess.run(["git", "init", "-q", root], check=True, env=env)
    return Checkout(root=root, env=env)


def sessions(there: Checkout) -> set[str]:
    done = there.nox("-l")
    assert done.returncode == 0, done.output
    return set(re.findall(r"^[*-] (\S+)", done.output, re.MULTILINE))


@pytest.mark.parametrize(
    "name", ["skbuild-pybind11", "skbuild-boost", "setuptools-cython", "hatch-hook", "cmake-prefix"]
)
def test_init_and_the_sessions_are_there(name: str, tmp_path: Path, env: dict[str, str]) -> None:
    there = checkout(tmp_path, name, env)
    done = there.diptych("init", "--yes")
    assert done.returncode == 0, done.output
    assert "+[tool.diptych]" in done.output
    assert f"next: nox -s build-{HERE} verify-{HERE}" in done.output
    listed = sessions(there)
    assert {f"build-{HERE}(gcc)", f"verify-{HERE}(gcc)", f"test-{HERE}(gcc)", "compare"} <= listed
    status = subprocess.run(
        ["git", "check-ignore", ".diptych/x", ".nox/x", "dist/x"], cwd=there.root, env=env, check=False
    )
    assert status.returncode == 0
    before = {path: path.read_bytes() for path in there.root.glob("*") if path.is_file()}
    again = there.diptych("init", "--yes")
    assert again.returncode == 0, again.output
    assert "nothing to change" in again.output
    assert {path: path.read_bytes() for path in there.root.glob("*") if path.is_file()} == before


def test_their_sessions_keep_their_names(tmp_path: Path, env: dict[str, str]) -> None:
    there = checkout(tmp_path, "skbuild-pybind11", env)
    (there.root / "noxfile.py").write_text(THEIRS, encoding="utf-8")
    assert there.diptych("init", "--yes").returncode == 0
    listed = sessions(there)
    assert {"test-3.11", "lint", "diptych-test-3.11(gcc)", "build-3.11(gcc)", "compare"} <= listed
    assert "test-3.11(gcc)" not in listed


def test_nothing_is_written_without_a_yes(tmp_path: Path, env: dict[str, str]) -> None:
    there = checkout(tmp_path, "skbuild-pybind11", env)
    before = (there.root / "pyproject.toml").read_bytes()
    asked = there.diptych("init")
    assert asked.returncode == 3
    assert "there is no terminal to ask at" in asked.output
    looked = there.diptych("init", "--dry-run")
    assert looked.returncode == 0
    shown = there.diptych("init", "--json")
    assert json.loads(shown.output)["written"] is False
    assert (there.root / "pyproject.toml").read_bytes() == before
    assert not (there.root / "noxfile.py").exists()


def test_a_folder_without_compiled_code(tmp_path: Path, env: dict[str, str]) -> None:
    done = Checkout(root=tmp_path, env=env).diptych("init", "--yes")
    assert done.returncode == 3
    assert "is compiled, as far as its files tell" in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_broken_pyproject(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "a\n', encoding="utf-8")
    done = Checkout(root=tmp_path, env=env).diptych("init", "--yes")
    assert done.returncode == 3
    assert "line 2" in done.output
    assert "Traceback" not in done.output


@needs("unshare", package="util-linux")
def test_a_read_only_folder(tmp_path: Path, env: dict[str, str]) -> None:
    there = checkout(tmp_path, "skbuild-pybind11", env)
    root = there.root
    diptych = process.own_tools() / "diptych"
    script = f"mount --bind -o ro {root} {root} && mount -o remount,ro,bind {root} && cd {root} && {diptych} init --yes"
    done = process.run(
        ["unshare", "--mount", "sh", "-c", script], env=env, cwd=tmp_path, check=False, timeout=60
    )
    # No right to, or no root that is a mount point (a chroot).
    if done.output.startswith(("unshare:", "mount:")):
        lacking(f"a mount of its own: {done.output.strip()}")
    assert done.returncode == 14, done.output
    assert "cannot write" in done.output
    assert "read-only" in done.output
    assert "[tool.diptych]" not in (root / "pyproject.toml").read_text(encoding="utf-8")


def test_the_seed_becomes_two_verified_packages(tmp_path: Path, env: dict[str, str]) -> None:
    """CMake compiles, setuptools has the Python files, conda/meta.yaml is conda-build's: nothing is changed but what init adds."""
    there = checkout(tmp_path, "seed", env)
    assert there.diptych("init", "--yes").returncode == 0
    done = there.nox("-s", f"build-{HERE}", f"verify-{HERE}")
    assert done.returncode == 0, done.output
    assert done.output.count("1 tests passed against the installed package") == 2
    with open_package(there.packages[0]) as wheel, open_package(there.packages[1]) as conda:
        assert (wheel.name, wheel.version) == (conda.name, conda.version) == ("seeded", "1.4.0")
        in_wheel = {member.name for member in wheel.members}
        in_conda = {member.name for member in conda.members}
    module = f"seeded/_seeded.cpython-{HERE.replace('.', '')}-x86_64-linux-gnu.so"
    site = f"lib/python{HERE}/site-packages"
    assert {module, "seeded/__init__.py"} <= in_wheel
    assert {f"{site}/{module}", f"{site}/seeded/__init__.py"} <= in_conda
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=there.root, env=env, check=True, capture_output=True, text=True
    )
    assert "build/" not in status.stdout
    the_build_script_alone(there, tmp_path / "alone")


def the_build_script_alone(there: Checkout, source: Path) -> None:
    """conda-build's script, in the variables that conda-build gives it, and in the host environment of the cell."""
    shutil.copytree(PROJECTS / "seed", source)
    (prefix,) = (there.root / ".nox").glob("build-*-gcc")
    python = prefix / "bin" / "python"
    given = {"PREFIX": str(prefix), "PYTHON": str(python), "PY_VER": HERE, "SRC_DIR": str(source)}
    env = {**there.env, **given, "PATH": f"{process.own_tools()}:{there.env['PATH']}"}
    process.run(
        [python, "-m", "pip", "install", "-q", "setuptools"], env=env, cwd=source
    )  # of the recipe's host
    process.run(["bash", "conda/build.sh"], env=env, cwd=source)
    # What links the libraries of the prefix gets its run path from conda-build, after the script.
    found = {**env, "LD_LIBRARY_PATH": str(prefix / "lib")}
    where = "import seeded._seeded; print(seeded._seeded.__file__)"
    done = process.run([python, "-c", where], env=found, cwd=source / "conda")
    assert done.output.startswith(str(prefix))


def test_the_seeds_recipe_renders(tmp_path: Path, env: dict[str, str]) -> None:
    there = checkout(tmp_path, "seed", env)
    done = there.diptych("init", "--recipe", "--yes")
    assert done.returncode == 0, done.output
    recipe = there.root / "conda" / "recipe.yaml"
    variants = VariantConfig({"python": ["3.11.*"]})
    config = RenderConfig(platform=PlatformConfig(target_platform="linux-64"))
    (rendered,) = Stage0Recipe.from_file(str(recipe)).render(variants, config)
    values = rendered.recipe.to_dict()
    assert values["package"] == {"name": "seeded", "version": "1.4.0"}
    assert "libboost-python-devel" in values["requirements"]["host"]
    again = there.diptych("init", "--recipe", "--yes")
    assert "is there already" in again.output
