"""A project whose recipe is conda-build's and knows nothing of Diptych: the finished stage is packed with it."""

from __future__ import annotations

from pathlib import Path

from diptych.archives import open_package
from helpers.checkout import HERE, NOXFILE, TABLE, Checkout, lay_out

META = """\
{% set name = "rigidalign" %}
package:
  name: {{ name }}
  version: 0.1.0
source:
  git_url: ../..
build:
  number: 7
  skip: true  # [win or py<310]
requirements:
  build:
    - {{ compiler('cxx') }}
    - {{ stdlib('c') }}
    - cmake
  host:
    - python
    - numpy
    - libboost-python-devel
    - eigen >=3.4
    - libgomp  # [win]
  run:
    - python
    - numpy >=1.26
test:
  imports:
    - {{ name }}
  source_files:
    - tests
  commands:
    - pytest tests  # [unix]
about:
  license: MIT
  license_file: LICENSE
  summary: Alignment
"""


def test_meta_yaml_packs_the_stage(tmp_path: Path, repository: Path, env: dict[str, str]) -> None:
    lay_out(tmp_path, repository, TABLE.format(python=HERE))
    (tmp_path / "pyproject.toml").write_text(TABLE.format(python=HERE), encoding="utf-8")
    folder = tmp_path / "project" / "conda"
    for path in folder.iterdir():
        path.unlink()
    (folder / "meta.yaml").write_text(META, encoding="utf-8")
    (folder / "build.sh").write_text("exit 1  # must not run\n", encoding="utf-8")
    (tmp_path / "noxfile.py").write_text(NOXFILE)
    there = Checkout(root=tmp_path, env=env)
    done = there.nox("-s", f"build-{HERE}", f"verify-{HERE}")
    assert done.returncode == 0, done.output
    with open_package(there.packages[1]) as package:
        assert package.metadata.index["build_number"] == 7
        depends = {spec.split()[0] for spec in package.metadata.index["depends"]}
        assert {"python", "numpy", "libboost-python"} <= depends
        names = {member.name for member in package.members}
    assert "info/licenses/LICENSE" in names
