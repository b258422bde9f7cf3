"""A cell from sources to verified packages, run as a person runs it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from diptych import interpreters, process
from diptych.build.pip import pip_install
from diptych.build.toolenv import without_steering
from diptych.environments import LockedPackage, read_lock, rebuild
from diptych.store import Store
from helpers.checkout import HERE, Checkout, build_out


def files(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def built(
    tmp_path_factory: pytest.TempPathFactory, repository: Path, session_env: dict[str, str]
) -> Checkout:
    """A checkout for this file alone: what other files left in the shared one's store would be counted here."""
    return build_out(tmp_path_factory.mktemp("own"), repository, session_env)


def test_a_build_leaves_two_packages_with_provenance(built: Checkout) -> None:
    wheel, conda = built.packages
    assert "manylinux" in wheel.name
    for package in (wheel, conda):
        provenance = json.loads(package.with_name(package.name + ".provenance.json").read_text())
        assert provenance["cell"] == built.cell
        assert provenance["file"] == package.name
        assert {"channels", "compiler", "inputs", "lock", "relink", "times", "tools"} <= set(provenance)
    repodata = json.loads((conda.parent / "repodata.json").read_text())
    assert conda.name in repodata["packages.conda"]


def test_a_second_run_does_nothing_and_changes_nothing(built: Checkout) -> None:
    before = files(built.root / "dist")
    done = built.build()
    assert done.returncode == 0, done.output
    for stage in ("compile", "test in source", "wheel", "conda package"):
        assert f"· {stage}" in done.output
    assert files(built.root / "dist") == before


@pytest.mark.parametrize(
    "victim", ["wheels/*.whl", "conda/*/*.conda", "conda/noarch/repodata.json", "wheels/*.json"]
)
def test_a_file_that_is_gone_from_dist_comes_back(built: Checkout, victim: str) -> None:
    (path,) = sorted((built.root / "dist").glob(victim))[:1]
    content = path.read_bytes()
    path.unlink()
    assert built.build().returncode == 0
    assert path.read_bytes() == content or path.name == "repodata.json"


def test_a_stage_that_lost_a_file_is_compiled_again(built: Checkout) -> None:
    victim = next((built.root / ".diptych" / "stage").glob("*/site/rigidalign/_core*.so"))
    victim.unlink()
    done = built.build()
    assert done.returncode == 0, done.output
    assert "✓ compile" in done.output
    assert victim.exists()


def test_verify_installs_both_into_clean_environments(built: Checkout) -> None:
    done = built.nox("-s", f"verify-{HERE}", LD_LIBRARY_PATH=str(built.root / "nowhere"))
    assert done.returncode == 0, done.output
    assert done.output.count("against the installed package") == 2
    assert list((built.root / ".diptych" / "verify").iterdir()) == []


def test_arguments_after_the_dashes_reach_the_tests(built: Checkout) -> None:
    done = built.nox("-s", f"test-{HERE}", "--", "-k", "icp")
    assert done.returncode == 0, done.output
    assert "deselected" in done.output


def test_test_and_build_share_one_environment(built: Checkout) -> None:
    assert built.nox("-s", f"test-{HERE}", "--", "-k", "icp").returncode == 0
    assert [path.name for path in (built.root / ".nox").iterdir() if path.is_dir()] == [
        f"build-{HERE.replace('.', '-')}-gcc"
    ]


def test_without_the_library_paths_the_same_tests_fail(built: Checkout) -> None:
    """The control case: what passes in source passes because of the paths that the test process was given."""
    prefix = built.root / ".nox" / f"build-{HERE.replace('.', '-')}-gcc"
    (overlay,) = (built.root / ".diptych" / "overlay").iterdir()
    env = {**without_steering(built.env), "PYTHONPATH": str(overlay)}
    command: list[str | Path] = [prefix / "bin" / "python", "-c", "import rigidalign"]
    bare = process.run(command, env=env, cwd=built.root, check=False)
    assert bare.returncode != 0
    assert "cannot open shared object file" in bare.output
    libraries = {path.resolve().parent for path in overlay.rglob("*.so")}
    env["LD_LIBRARY_PATH"] = ":".join(map(str, [*libraries, prefix / "lib"]))
    assert process.run(command, env=env, cwd=built.root, check=False).returncode == 0


def test_a_shell_session_imports_from_source(built: Checkout) -> None:
    code = "import rigidalign, pathlib; print(pathlib.Path(rigidalign.__file__).resolve())"
    done = built.nox("-s", f"shell-{HERE}", "--", "python", "-c", code)
    assert done.returncode == 0, done.output
    assert str(built.root / "project" / "python" / "rigidalign" / "__init__.py") in done.output


def test_the_wheel_works_in_other_builds_of_this_python(built: Checkout, tmp_path: Path) -> None:
    wheel, _ = built.packages
    store = Store(root=tmp_path / "store")
    others = [
        one for one in interpreters.find_all(env=built.env, store=store) if one.version.startswith(f"{HERE}.")
    ]
    plain = without_steering(built.env)
    for number, other in enumerate(others):
        python = tmp_path / f"venv-{number}" / "bin" / "python"
        process.run(
            [other.executable, "-m", "venv", "--without-pip", python.parents[1]], env=plain, cwd=tmp_path
        )
        process.run([*pip_install(python), wheel, "pytest"], env=plain, cwd=tmp_path)
        command: list[str | Path] = [
            python,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            built.root / "project" / "tests",
        ]
        process.run(command, env=plain, cwd=tmp_path)
    assert others


def test_the_environment_can_be_rebuilt_from_its_lock(built: Checkout, tmp_path: Path) -> None:
    lock = json.loads((built.root / ".diptych" / "environment-locks" / f"{built.cell}.json").read_text())
    packages = [LockedPackage(**one) for one in lock["packages"]]
    assert all(len(package.sha256) == 64 and package.url for package in packages)
    rebuild(packages, tmp_path / "again", env=built.env)
    assert list(read_lock(tmp_path / "again")) == packages
    code = "import numpy, pytest, sys; print(sys.prefix)"
    done = process.run(
        [tmp_path / "again/bin/python", "-c", code], env=without_steering(built.env), cwd=tmp_path
    )
    assert done.output.strip() == str(tmp_path / "again")


def test_an_edit_of_a_python_file_compiles_nothing(sources: Checkout) -> None:
    log = sources.root / ".diptych" / "logs" / sources.cell / "compile.log"
    sources.edit("project/python/rigidalign/__init__.py", '"""', '"""An edit. ')
    done = sources.build()
    assert done.returncode == 0, done.output
    assert "ninja: no work to do" in log.read_text()
    why = json.loads(sources.diptych("why-rebuilt", sources.cell, "--json").output)["cells"][sources.cell]
    changed = {stage["stage"]: [one["name"] for one in stage["changes"]] for stage in why}
    assert changed["stage"] == ["sources python/rigidalign/__init__.py"]
    assert changed["wheel"] == ["stage"]


def test_cleaning_shows_its_plan_and_removes_only_what_it_made(built: Checkout, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(
        built.root, copy, symlinks=True, ignore=shutil.ignore_patterns(".nox", "channel", "wheels.d")
    )
    checkout = Checkout(root=copy, env=built.env)
    mine = copy / "dist" / "wheels" / "mine.whl"
    mine.write_text("not Diptych's")
    shown = checkout.diptych("clean", "--dist")
    assert "would be removed; run again with --yes" in shown.output
    assert (copy / ".diptych" / "stage").is_dir()
    assert checkout.diptych("clean", "--dist", "--channel", "--yes").returncode == 0
    assert [path.name for path in (copy / "dist").rglob("*") if path.is_file()] == ["mine.whl"]
    assert not any((copy / ".diptych").iterdir())
