"""Two wheels with one Boost.Python: a type of the first is known to the second, and likewise as conda packages."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from diptych import process
from diptych.binaries import read
from diptych.build.pip import install, make_venv
from diptych.environments import HostRequest, create
from helpers.checkout import HERE, Checkout, adopted, clear
from helpers.needs import needs_linux

pytestmark = needs_linux("share is for Linux")

TABLE = """
[tool.diptych]
python = ["{python}"]
builder = "cmake"
channels = ["conda-forge", "local"]
host = ["libboost-python-devel"]
share = ["cmeel-boost"]
"""
PROOF = """
import sharedpoint, shareduse
point = sharedpoint.Point()
point.x, point.y = 3, 4
assert shareduse.length(point) == 5
"""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, session_env: dict[str, str]) -> tuple[Checkout, Checkout]:
    root = tmp_path_factory.mktemp("shared")
    found: list[Checkout] = []
    for name in ("shared-point", "shared-use"):
        checkout = adopted(name, root / name, TABLE.format(python=HERE), session_env)
        if found:  # what it needs is made already
            (checkout.root / ".diptych").mkdir()
            for part in ("channel", "wheels", "share"):
                shutil.copytree(found[0].root / ".diptych" / part, checkout.root / ".diptych" / part)
        done = checkout.build()
        assert done.returncode == 0, done.output
        found.append(checkout)
    return found[0], found[1]


def test_the_wheel_requires_its_sibling_and_brings_no_copy(pair: tuple[Checkout, Checkout]) -> None:
    for checkout in pair:
        wheel, conda = checkout.packages
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
            (metadata,) = (archive.read(name).decode() for name in names if name.endswith("/METADATA"))
            (module,) = (name for name in names if name.endswith(".so"))
            (binary,) = read(archive.read(module), module)
        assert "Requires-Dist: cmeel-boost >=" in metadata
        assert "$ORIGIN/../cmeel.prefix/lib" in (*binary.rpath, *binary.runpath)
        told = checkout.diptych("doctor", str(wheel))
        assert told.returncode == 0, told.output
        told = checkout.diptych("compare", str(wheel), str(conda), "--json")
        (cell,) = json.loads(told.output)["cells"]
        assert {one["severity"] for one in cell["findings"]} == {"expected"}


def test_a_type_of_one_wheel_is_known_to_the_other(
    pair: tuple[Checkout, Checkout], tmp_path: Path, env: dict[str, str]
) -> None:
    python = make_venv(
        Path(shutil.which("python") or "python"), tmp_path / "venv", env=env, log=tmp_path / "log"
    )
    install(python, [checkout.packages[0] for checkout in pair], env=env, log=tmp_path / "log")
    process.run([python, "-c", PROOF], env=env, cwd=tmp_path)


def test_a_type_of_one_conda_package_is_known_to_the_other(
    pair: tuple[Checkout, Checkout], tmp_path: Path, env: dict[str, str]
) -> None:
    channels = [checkout.root / "dist/conda" for checkout in pair]
    channels.append(pair[0].root / ".diptych/channel")
    request = HostRequest(
        python=HERE, specs=("sharedpoint", "shareduse"), channels=tuple(one.as_uri() for one in channels)
    )
    environment = create(request, tmp_path / "prefix", env=env)
    process.run([environment.python, "-c", PROOF], env=env, cwd=tmp_path)


def test_a_sibling_that_does_not_fit_is_one_message(pair: tuple[Checkout, Checkout]) -> None:
    first, _ = pair
    first.edit("pyproject.toml", 'share = ["cmeel-boost"]', 'share = ["numpy"]')
    try:
        clear(first.build(), "share: ", "numpy")
    finally:
        first.edit("pyproject.toml", 'share = ["numpy"]', 'share = ["cmeel-boost"]')
