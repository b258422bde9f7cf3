"""What stands in for tests that a project lacks, in a process of its own as a test command has it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from diptych import process
from diptych.testing.process_records import FOLDER
from helpers.laid_out import write


@pytest.fixture
def module() -> Path:
    """A compiled module of the running Python that needs nothing."""
    import _json  # noqa: PLC0415 -- not every Python has it as a file

    if getattr(_json, "__file__", None) is None:
        pytest.skip("the modules of this Python are part of its program")
    return Path(str(_json.__file__))


def run(folder: Path, env: dict[str, str]) -> process.Completed:
    paths = f"{FOLDER}:{folder}"
    return process.run(
        [sys.executable, "-m", "diptych_imports"],
        env={**env, "PYTHONPATH": paths, "DIPTYCH_PACKAGE": "pkg.inner"},
        cwd=folder.parent,
        check=False,
    )


def test_each_compiled_module_is_imported(tmp_path: Path, env: dict[str, str], module: Path) -> None:
    site = tmp_path / "site"
    write(site, {"pkg/inner/__init__.py": "", "pkg/inner/far/more.py": "", "pkg/inner/libx.so": "no module"})
    shutil.copy(module, site / "pkg/inner/far" / module.name)
    write(tmp_path, {"pkg/inner/__init__.py": "raise ValueError('the working folder is not looked into')\n"})
    done = run(site, env)
    assert done.returncode == 0, done.output
    assert done.output.strip() == "imported: pkg.inner, pkg.inner.far._json"


def test_one_that_cannot_be_imported_is_a_failure(tmp_path: Path, env: dict[str, str], module: Path) -> None:
    site = tmp_path / "site"
    write(site, {"pkg/inner/__init__.py": ""})
    (site / "pkg/inner" / module.name).write_bytes(b"\x7fELF PyInit__json\0")
    done = run(site, env)
    assert done.returncode != 0
    assert "ImportError" in done.output
