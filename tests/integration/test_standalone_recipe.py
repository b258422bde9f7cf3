"""The recipe of `diptych recipe`, built from the sdist by plain rattler-build, gives the same code as our own packages."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from diptych import channel, process
from diptych.archives import open_package, unpack
from diptych.packages.lint import lint
from diptych.store import Store, sha256_file
from helpers.checkout import HERE, PROJECTS, Checkout, adopted, clear
from helpers.needs import needs_found
from helpers.plain_build import build, stand_ins
from helpers.projects import TABLE, small

pytestmark = needs_found(
    Path("/lib/x86_64-linux-gnu/libc.so.6").exists(), "Debian's layout, which the stand-ins are made on"
)
ENV = dict(os.environ)  # noqa: TID251 -- tests are a surface
_NO_HOME = "about.homepage: the home page is missing"  # the small projects have none


def printed(checkout: Checkout, archive: Path) -> Path:
    """The recipe of a checkout whose sources are in an archive."""
    words = ("--sdist", str(archive), "--url", archive.as_uri(), "--maintainer", "somebody")
    done = checkout.diptych("recipe", *words)
    assert done.returncode == 0, done.output
    text = "".join(line for line in done.output.splitlines(keepends=True) if _NO_HOME not in line)
    assert "iptych" not in text
    recipe = archive.parent / "recipe" / "recipe.yaml"
    recipe.parent.mkdir()
    recipe.write_text(text, encoding="utf-8")
    values = yaml.safe_load(text)
    assert values["source"] == {"url": archive.as_uri(), "sha256": sha256_file(archive)}
    assert [word for word in lint(values) if word != _NO_HOME] == []
    return recipe


def built_plainly(checkout: Checkout, recipe: Path, host: list[str]) -> dict[str, Path]:
    """What rattler-build alone makes of a recipe, from the checkout's local channel with these packages too."""
    root = checkout.root / ".diptych" / "channel"
    store = Store(root=checkout.root / ".diptych")
    local = channel.ensure(host, python=HERE, root=root, store=store, env=checkout.env, say=print)
    folder = recipe.parents[1]
    env = {**checkout.env, "RATTLER_CACHE_DIR": str(folder / "cache")}
    channels = [stand_ins(folder / "stand-ins"), local.url]
    return build(recipe, folder / "out", python=HERE, channels=channels, env=env)


def sdist_of(checkout: Checkout, source: str, folder: Path) -> Path:
    command: list[str | Path] = [sys.executable, "-m", "build", "--sdist", "--outdir", folder, source]
    process.run(command, env=checkout.env, cwd=checkout.root)
    (sdist,) = folder.glob("*.tar.gz")
    return sdist


def side_by_side(checkout: Checkout, ours: Path, theirs: Path) -> dict[str, Any]:
    found = json.loads(checkout.diptych("compare", "--json", str(ours), str(theirs)).output)
    (cell,) = found["cells"]
    return dict(cell)


def instructions(package: Path, folder: Path) -> list[str]:
    """The instructions of a package's module without addresses, as GNU objdump writes them."""
    with open_package(package) as opened:
        unpack(opened, folder)
    (module,) = folder.rglob("*.so")
    lines = process.run(["objdump", "-d", "--no-show-raw-insn", module], env=ENV, cwd=folder).output
    found = (re.sub(r"#.*|<[^>]*>|\b(0x)?[0-9a-f]{4,}\b:?", "", line) for line in lines.splitlines()[3:])
    return [re.sub(r"^ *[0-9a-f]+:", "", line).strip() for line in found]


def places_that_differ(cell: dict[str, Any]) -> list[str]:
    return [one["place"] for one in cell["findings"] if one["code"] == "DIP801"]


def test_plain_rattler_build_gives_equal_code(built: Checkout, tmp_path: Path) -> None:
    recipe = printed(built, sdist_of(built, "project", tmp_path))
    packages = built_plainly(built, recipe, ["scikit-build-core", "pip", "pytest", "numpy"])
    cell = side_by_side(built, built.packages[1], packages["rigidalign"])
    assert places_that_differ(cell) == []
    assert cell["code"]["equal"] == cell["code"]["sections"] > 20


def test_a_project_whose_own_backend_compiles(tmp_path: Path, session_env: dict[str, str]) -> None:
    checkout = small("skbuild-pybind11", tmp_path / "project", session_env)
    done = checkout.build()
    assert done.returncode == 0, done.output
    recipe = printed(checkout, sdist_of(checkout, ".", tmp_path))
    packages = built_plainly(checkout, recipe, ["scikit-build-core", "pip", "pytest", "pybind11"])
    cell = side_by_side(checkout, checkout.packages[1], packages["meanwhile"])
    assert places_that_differ(cell) == []
    assert cell["code"]["equal"] == cell["code"]["sections"] > 10
    # GNU's disassembler says the same: one needed library less moves data, and changes no instruction.
    ours = instructions(checkout.packages[1], tmp_path / "ours")
    assert ours == instructions(packages["meanwhile"], tmp_path / "theirs")
    assert len(ours) > 10_000


@pytest.fixture(scope="module")
def parted(tmp_path_factory: pytest.TempPathFactory, session_env: dict[str, str]) -> Checkout:
    table = TABLE.format(python=HERE, more='outputs = "split"')
    return adopted("cmake-prefix", tmp_path_factory.mktemp("parted") / "project", table, session_env)


def test_a_library_and_its_bindings(parted: Checkout, tmp_path: Path) -> None:
    archive = (
        tmp_path / "quaternary-3.1.0.tar.gz"
    )  # as a release's page has it: setuptools' sdist holds no C++
    clear(parted.diptych("recipe"), "the source distribution would hold no C++", "--sdist FILE")
    words: list[str | Path] = ["tar", "-czf", archive, "--transform", "s,^[.],quaternary-3.1.0,", "."]
    process.run(words, env=parted.env, cwd=PROJECTS / "cmake-prefix")
    clear(parted.diptych("recipe", "--sdist", str(archive)), "known from a build of")
    done = parted.build()
    assert done.returncode == 0, done.output
    packages = built_plainly(parted, printed(parted, archive), ["pip", "pytest"])
    folder = parted.root / "dist" / "conda" / "linux-64"
    assert packages.keys() == {"libquaternary", "quaternary"}
    equal = 0
    for name, package in packages.items():
        (ours,) = folder.glob(f"{name}-3*.conda")
        cell = side_by_side(parted, ours, package)
        # The program's own text names the environment that it is made for, and thus differs.
        assert set(places_that_differ(cell)) <= {"$PREFIX/bin/quaternary-digits"}
        equal += cell["code"]["equal"]
    assert equal > 30
