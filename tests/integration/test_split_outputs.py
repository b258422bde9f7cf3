"""A C++ library and its bindings as two conda packages from one stage (``outputs = "split"``)."""

from __future__ import annotations

import json
import shutil
import subprocess  # noqa: TID251 -- programs of the environment
from pathlib import Path

import pytest

from diptych import process
from diptych.archives import Package, open_package
from diptych.store import sha256_file
from helpers.checkout import HERE, Checkout, adopted, clear
from helpers.conda_install import install, said_by
from helpers.projects import TABLE
from helpers.release import git
from helpers.second_project import lay_out_second
from helpers.servers import web_server

SITE = f"lib/python{HERE}/site-packages/"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, session_env: dict[str, str]) -> Checkout:
    table = TABLE.format(python=HERE, more='outputs = "split"')
    checkout = adopted("cmake-prefix", tmp_path_factory.mktemp("split") / "project", table, session_env)
    done = checkout.nox("-s", f"build-{HERE}", f"verify-{HERE}")
    assert done.returncode == 0, done.output
    assert done.output.count("2 tests passed against the installed package") == 2
    return checkout


def both(built: Checkout) -> tuple[Path, Path]:
    folder = built.root / "dist" / "conda" / "linux-64"
    (library,), (python,) = folder.glob("libquaternary-3*.conda"), folder.glob("quaternary-3*.conda")
    return library, python


def files(package: Package) -> set[str]:
    return {
        member.name
        for member in package.members
        if not member.name.startswith(("info/", "etc/conda/test-files"))
    }


def test_what_is_in_which(built: Checkout) -> None:
    library, python = both(built)
    with open_package(library) as package:
        index, exports, held = package.metadata.index, package.metadata.run_exports, files(package)
    assert {"include/quaternary.hpp", "lib/libquaternary.so.3.1", "bin/quaternary-digits"} <= held
    assert not any("python" in name for name in held)
    assert {spec.split()[0] for spec in index["depends"]} == {"__glibc", "libgcc", "libstdcxx"}
    assert index["build"].startswith("h")  # the same for every Python
    assert exports == {"weak": ["libquaternary >=3.1.0,<3.2.0a0"]}
    with open_package(python) as package:
        depends, others, exports = (
            package.metadata.index["depends"],
            files(package),
            package.metadata.run_exports,
        )
    assert all(name.startswith(SITE) for name in others)
    assert f"libquaternary ==3.1.0 {index['build']}" in depends
    assert {spec.split()[0] for spec in depends} >= {"python", "python_abi"}
    assert not exports
    assert not held & others  # no file is in both


def test_both_packages_together_are_the_wheel(built: Checkout) -> None:
    compared = built.diptych("compare", "--json")
    assert compared.returncode == 0, compared.output
    (cell,) = json.loads(compared.output)["cells"]
    assert cell["code"]["equal"] == cell["code"]["sections"] > 20
    judged = built.diptych("doctor", "--fail-on", "note", *map(str, both(built)))
    assert judged.returncode == 0, judged.output


def test_the_library_is_taken_along_with_its_bindings(built: Checkout, tmp_path: Path) -> None:
    """Of files that lie beside each other, and of a channel that others published."""
    (wheel,) = (built.root / "dist" / "wheels").glob("*.whl")
    beside = built.diptych("compare", str(wheel), str(both(built)[1]))
    assert beside.returncode == 0, beside.output
    assert "41 of 41 code sections" in beside.output or "28 of 28 code sections" in beside.output
    with web_server(built.root / "dist" / "conda", tmp_path) as url:
        done = built.diptych("compare", "--from-channel", url, "quaternary", "3.1.0", str(wheel))
    assert "libquaternary.so.3.1.0" in done.output
    assert "28 of 28 code sections" in done.output, done.output


def test_a_second_project_needs_the_library_alone(built: Checkout, tmp_path: Path) -> None:
    prefix, source, tree = tmp_path / "e", tmp_path / "second", tmp_path / "build"
    channels = [(built.root / "dist" / "conda").as_uri(), (built.root / ".diptych" / "channel").as_uri()]
    install(prefix, ["libquaternary"], channels, tmp_path / "cache")
    assert not (prefix / "bin" / "python").exists()
    assert said_by(prefix / "bin" / "quaternary-digits", "27") == "123"
    lay_out_second(source)
    env = {**built.env, "PATH": f"{process.own_tools()}:{built.env['PATH']}"}
    process.run(
        ["cmake", "-G", "Ninja", "-S", source, "-B", tree, f"-DCMAKE_PREFIX_PATH={prefix}"],
        env=env,
        cwd=source,
    )
    process.run(["cmake", "--build", tree], env=env, cwd=source)
    found = subprocess.run([tree / "second"], check=True, capture_output=True, text=True, env={})
    assert found.stdout == "123\n"
    install(prefix, ["quaternary"], channels, tmp_path / "cache")
    code = "import quaternary; print(quaternary.digits(27))"
    assert said_by(prefix / "bin" / "python", "-B", "-c", code) == "123"
    install(prefix, ["libquaternary"], channels, tmp_path / "cache")
    assert not (prefix / SITE / "quaternary").exists()
    assert said_by(prefix / "bin" / "quaternary-digits", "27") == "123"


def test_a_release_takes_both_everywhere(built: Checkout, tmp_path: Path) -> None:
    """Pieces, collecting, gates, the page, the folder of the release, a channel that they are sent to, and clean."""
    checkout = Checkout(root=Path(shutil.copytree(built.root, tmp_path / "r", symlinks=True)), env=built.env)
    (checkout.root / ".gitignore").write_text(".nox/\n.diptych/\ndist/\n__pycache__/\n")
    (checkout.root / "CHANGELOG.md").write_text("# Changes\n\n## 3.1.0\n\n- Two packages.\n")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "first"), ("tag", "v3.1.0")):
        git(checkout, *words)
    forge = tmp_path / "forge"
    sent = ("release", "--allow", "local", "--index", "none", "--channel", str(forge))
    looked = checkout.diptych(*sent)
    assert looked.returncode == 0, looked.output
    assert not forge.exists()
    (piece,) = (checkout.root / ".diptych" / "pieces").iterdir()
    kinds = [one["kind"] for one in json.loads((piece / "cell.json").read_text())["files"]]
    assert (kinds.count("conda"), kinds.count("library"), kinds.count("provenance")) == (1, 1, 3)
    (cell,) = json.loads((checkout.root / "dist" / "report" / "report.json").read_text())["cells"]
    assert cell["code"]["equal"] == cell["code"]["sections"] > 20
    done = checkout.diptych(*sent, "--publish")
    assert done.returncode == 0, done.output
    names = {path.name for path in both(built)}
    released = checkout.root / "dist" / "release"
    for folder in (forge, released / "conda"):
        assert set(json.loads((folder / "linux-64" / "repodata.json").read_text())["packages.conda"]) == names
    for name in names:
        (told,) = released.glob(f"provenance/{name}.intoto.json")
        assert json.loads(told.read_text())["subject"][0]["name"] == name
        assert name in (released / "SHA256SUMS").read_text()
    prefix, channels = (
        tmp_path / "e",
        [forge.as_uri(), (checkout.root / ".diptych" / "channel").as_uri()],
    )
    install(prefix, ["quaternary"], channels, tmp_path / "cache")
    assert said_by(prefix / "bin" / "quaternary-digits", "27") == "123"
    assert checkout.diptych("clean", "--yes", "--dist").returncode == 0
    assert not list((checkout.root / "dist" / "conda").rglob("*.conda"))


def test_both_are_the_same_bytes_from_two_places(built: Checkout) -> None:
    done = built.diptych("reproduce", built.cell, "--json")
    assert done.returncode == 0, done.output
    (found,) = json.loads(done.output[done.output.index("\n{\n") :])["cells"]
    library, python = both(built)
    assert found["identical"] is True
    assert found["sha256"]["library"] == [sha256_file(library)] * 2
    assert found["sha256"]["conda"] == [sha256_file(python)] * 2


def test_what_both_cost_together(built: Checkout) -> None:
    done = built.diptych("compare", "--measure", "--json")
    assert done.returncode == 0, done.output
    (cell,) = json.loads(done.output[done.output.index("{\n") :])["cells"]
    cost = cell["cost"]["right"]
    assert "libquaternary" not in {one["name"] for one in cost["shared"]}
    with open_package(both(built)[0]) as package:
        library = sum(member.size for member in package.members if not member.name.startswith("info/"))
    assert cost["own"] > library


def test_without_a_library_there_is_nothing_to_split(tmp_path: Path, session_env: dict[str, str]) -> None:
    table = TABLE.format(
        python=HERE,
        more='package = "fractional"\ntest-sources = ["test_fractional.py"]\ntest = "pytest -q"\noutputs = "split"',
    )
    done = adopted("setuptools-c", tmp_path / "c", table, session_env).build()
    clear(done, "nothing is installed outside site-packages")
