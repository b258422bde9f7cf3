"""The conda package of a C++ library with bindings, as its users have it: moved, and linked by a second project."""

from __future__ import annotations

import json
import subprocess  # noqa: TID251 -- programs of the environment
from pathlib import Path

import pytest
from rattler.shell import ActivationVariables, Shell, activate

from diptych import process
from diptych.archives import open_package
from helpers.checkout import HERE, Checkout
from helpers.conda_install import LONG, SHORT, install, said_by
from helpers.projects import small
from helpers.second_project import lay_out_second

# What conda's activation runs, and what menuinst makes shortcuts of (its schema, version 1).
HANDED = {
    "etc/conda/activate.d/quaternary.sh": "export QUATERNARY_BASE=4\n",
    "etc/conda/deactivate.d/quaternary.sh": "unset QUATERNARY_BASE\n",
    "Menu/quaternary.json": json.dumps(
        {
            "$schema": "https://json-schema.org/draft-07/schema",
            "$id": "https://schemas.conda.io/menuinst-1.schema.json",
            "menu_name": "Quaternary",
            "menu_items": [
                {
                    "name": "Digits",
                    "description": "Numbers to the base of four",
                    "command": ["{{ PREFIX }}/bin/quaternary-digits", "27"],
                    "platforms": {"linux": {}},
                }
            ],
        }
    ),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, session_env: dict[str, str]) -> Checkout:
    checkout = small("cmake-prefix", tmp_path_factory.mktemp("prefix") / "cmake-prefix", session_env)
    for name, text in HANDED.items():
        path = checkout.root / "handed" / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    with (checkout.root / "CMakeLists.txt").open("a", encoding="utf-8") as file:
        file.write("install(DIRECTORY handed/ DESTINATION .)\n")
    done = checkout.build()
    assert done.returncode == 0, done.output
    return checkout


def channels(built: Checkout) -> list[str]:
    return [(built.root / "dist" / "conda").as_uri(), (built.root / ".diptych" / "channel").as_uri()]


@pytest.mark.parametrize("name", [SHORT, LONG], ids=["short", "long"])
def test_program_and_texts_know_where_they_are(built: Checkout, tmp_path: Path, name: str) -> None:
    """A program that has its install prefix compiled in, and a .pc file: both name the environment."""
    prefix = tmp_path / name
    install(prefix, [f"python {HERE}.*", "quaternary"], channels(built), tmp_path / "cache")
    assert said_by(prefix / "bin" / "quaternary-digits", "--prefix") == str(prefix)
    text = (prefix / "lib" / "pkgconfig" / "quaternary.pc").read_text(encoding="utf-8")
    assert text.startswith(f"prefix={prefix}\n")
    code = "import quaternary; print(quaternary.digits(27))"
    assert said_by(prefix / "bin" / "python", "-B", "-c", code) == "123"


def test_a_second_project_links_the_library(built: Checkout, tmp_path: Path) -> None:
    prefix, source, tree = tmp_path / "e", tmp_path / "second", tmp_path / "build"
    install(prefix, [f"python {HERE}.*", "quaternary"], channels(built), tmp_path / "cache")
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


def test_what_it_asks_of_those_who_compile_against_it(built: Checkout) -> None:
    """quaternary 3.1.0 has libquaternary.so.3.1: any 3.1 from 3.1.0 on."""
    with open_package(built.packages[1]) as package:
        assert package.metadata.run_exports == {"weak": ["quaternary >=3.1.0,<3.2.0a0"]}
    listed = json.loads((built.root / "dist" / "conda" / "linux-64" / "run_exports.json").read_text())
    (one,) = listed["packages.conda"].values()
    assert one == {"run_exports": {"weak": ["quaternary >=3.1.0,<3.2.0a0"]}}


def test_files_for_activation_and_menus_are_passed_through(built: Checkout, tmp_path: Path) -> None:
    prefix = tmp_path / "e"
    install(prefix, ["quaternary"], channels(built), tmp_path / "cache")
    for name, text in HANDED.items():
        assert (prefix / name).read_text(encoding="utf-8") == text
    script = activate(prefix, ActivationVariables(None, None), shell=Shell.bash).script
    assert said_by("bash", "-c", f"{script}\necho $QUATERNARY_BASE") == "4"
    overview = json.loads((built.root / "dist" / "conda" / "channeldata.json").read_text())
    assert overview["packages"]["quaternary"]["activate.d"] is True
    assert overview["packages"]["quaternary"]["deactivate.d"] is True
