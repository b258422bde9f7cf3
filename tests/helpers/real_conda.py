"""conda itself, as conda-lock's wheel carries it: PyPI has no conda of its own, and its channels may be out of reach."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from diptych import process
from helpers.needs import lacking

_CARRIER = "conda-lock==4.0.3"  # conda 24.7.1
_NEEDED = (
    "archspec",
    "boltons",
    "conda-package-handling",
    "distro",
    "frozendict",
    "jsonpatch",
    "packaging",
    "platformdirs",
    "pluggy",
    "pycosat",  # its solver
    "requests",
    "ruamel.yaml",
    "tqdm",
    "truststore",
    "zstandard",
)


@dataclass(frozen=True, kw_only=True)
class Conda:
    """A conda of its own folder, which reads nobody's settings.

    Attributes:
        python: the interpreter that it runs in.
        folder: where it lies and keeps packages.
        env: the process environment of each call.
    """

    python: Path
    folder: Path
    env: Mapping[str, str]

    def __call__(self, *words: str | Path, **env: str) -> process.Completed:
        command: list[str | Path] = [self.python, "-m", "conda", *words]
        return process.run(command, env={**self.env, **env}, cwd=self.folder, check=False, timeout=300)


def real_conda(folder: Path, env: Mapping[str, str]) -> Conda:
    """Install conda into a folder, by pip."""
    python, carried, here = folder / "venv" / "bin" / "python", folder / "carried", folder / "here"
    process.run([sys.executable, "-m", "venv", folder / "venv"], env=env, cwd=folder)
    pip: list[str | Path] = [python, "-m", "pip", "install", "-q"]
    for words in (_NEEDED, ("--no-deps", "--target", carried, _CARRIER)):
        if process.run([*pip, *words], env=env, cwd=folder, check=False).returncode:
            lacking("conda, which pip takes out of conda-lock's wheel")
    # It calls itself by both names.
    (here / "conda_lock").mkdir(parents=True)
    (here / "conda_lock" / "__init__.py").touch()
    vendored = carried / "conda_lock" / "_vendor"
    (here / "conda_lock" / "_vendor").symlink_to(vendored)
    (here / "conda").symlink_to(vendored / "conda")
    own = {
        "CONDARC": "/dev/null",
        "CONDA_NO_PLUGINS": "true",
        "CONDA_PKGS_DIRS": str(folder / "packages"),
        "CONDA_SOLVER": "classic",
        "PYTHONPATH": str(here),
    }
    return Conda(python=python, folder=folder, env={**env, **own})
