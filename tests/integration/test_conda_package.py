"""A project without a recipe: its package says and holds what conda-forge's would, and rattler-build runs its tests."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from diptych import process
from diptych.archives import open_package
from helpers.checkout import HERE, Checkout
from helpers.tiny import FILES, lay_out_tiny

RUN_TESTS = """
import sys
from rattler_build.package import Package
package = Package.from_file(sys.argv[1])
for place in range(package.test_count):
    result = package.run_test(place, channel=[sys.argv[2]])
    print(*result.output, sep="\\n")
    if not result.success:
        sys.exit(1)
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, repository: Path, session_env: dict[str, str]) -> Checkout:
    root = tmp_path_factory.mktemp("tiny")
    lay_out_tiny(root, repository)
    project = root / "project"
    (project / "LICENSE").write_text("MIT License\n")
    (project / "pyproject.toml").write_text(
        FILES["pyproject.toml"]
        + 'license-files = ["LICENSE"]\n[project.scripts]\ntiny-answer = "tiny:main"\n'
        '[project.urls]\nHomepage = "https://tiny.example"\n[tool.scikit-build]\nwheel.packages = []\n'
    )
    (project / "python" / "tiny" / "__init__.py").write_text(
        "from tiny._core import answer\n\n\ndef main():\n    print(answer())\n"
    )
    checkout = Checkout(root=root, env=session_env)
    done = checkout.build()
    assert done.returncode == 0, done.output
    return checkout


def test_metadata_and_files(tiny: Checkout) -> None:
    with open_package(tiny.packages[1]) as package:
        names = {member.name for member in package.members}
        index, about = package.metadata.index, json.loads(package.read("info/about.json"))
        installer = package.read(f"lib/python{HERE}/site-packages/tiny-1.0.dist-info/INSTALLER")
    assert index["build"].startswith(f"py{HERE.replace('.', '')}h")
    depends = [spec.split()[0] for spec in index["depends"]]
    assert len(set(depends)) == len(depends)
    assert set(depends) == {"python", "python_abi"}  # of C and C++ libraries nothing is used
    assert about["license"] == "MIT"
    assert about["home"] == "https://tiny.example/"
    assert installer == b"conda\n"
    assert f"lib/python{HERE}/site-packages/tiny-1.0.dist-info/RECORD" not in names
    assert {"info/licenses/LICENSE", "bin/tiny-answer"} <= names


def test_rattler_build_runs_the_projects_own_tests(tiny: Checkout, tmp_path: Path) -> None:
    # rattler-build (0.73) looks a package up in its cache by name alone: an older one must not be found there.
    env = {**tiny.env, "RATTLER_CACHE_DIR": str(tmp_path)}
    channel = (tiny.root / ".diptych" / "channel").as_uri()
    said = process.run(
        [sys.executable, "-c", RUN_TESTS, tiny.packages[1], channel], env=env, cwd=tmp_path, check=False
    )
    assert said.returncode == 0, said.output
    assert "1 passed" in said.output
    assert "No broken requirements found" in said.output
