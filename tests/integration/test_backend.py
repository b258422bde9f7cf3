"""PEP 517's order, with a backend that stands in the project itself and says what it found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from diptych.build.backend import Backend, open_backend
from diptych.errors import PackageError
from diptych.store import Store

WORKING = """
import importlib.util
import pathlib

def get_requires_for_build_wheel(config_settings=None):
    assert importlib.util.find_spec("flit_core") is None
    return ["flit_core>=3.9"]

def prepare_metadata_for_build_wheel(folder, config_settings=None):
    import flit_core
    info = pathlib.Path(folder, "thing-1.dist-info")
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: thing\\nVersion: 1\\n")
    return info.name

def build_wheel(*args):
    raise NotImplementedError
"""
FAILING = """
import sys

def build_wheel(*args, **kwargs):
    print("the last words of a backend", flush=True)
    sys.exit(3)
"""


def backend(tmp_path: Path, env: Mapping[str, str], code: str) -> Backend:
    source = tmp_path / "thing"
    source.mkdir()
    table = '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n'
    (source / "pyproject.toml").write_text(table, encoding="utf-8")
    (source / "own.py").write_text(code, encoding="utf-8")
    return open_backend(source, store=Store(root=tmp_path / "store"), env=env, log=tmp_path / "logs" / "log")


def test_requirements_that_the_backend_asks_for_are_there_in_the_hook_and_not_before(
    tmp_path: Path, session_env: dict[str, str]
) -> None:
    target = tmp_path / "out"
    target.mkdir()
    working = backend(tmp_path, session_env, WORKING)
    made = working.metadata(target, working.environment("wheel", {}))
    assert (made / "METADATA").is_file()
    locks = [file.read_text(encoding="utf-8") for file in (tmp_path / "store").glob("backends/**/lock.txt")]
    (text,) = filter(None, locks)
    assert "flit-core==" in text.replace("_", "-")
    assert "--hash=sha256:" in text


def test_a_backend_that_fails_is_told_with_its_last_lines(
    tmp_path: Path, session_env: dict[str, str]
) -> None:
    failing = backend(tmp_path, session_env, FAILING)
    within = failing.environment("wheel", {})
    with pytest.raises(PackageError) as caught:
        failing.build("wheel", tmp_path, within)
    assert "made no wheel" in caught.value.summary
    assert any("the last words of a backend" in line for line in caught.value.details)


def test_a_backend_that_is_not_there_is_told(tmp_path: Path, session_env: dict[str, str]) -> None:
    with pytest.raises(PackageError) as caught:
        backend(tmp_path, session_env, "raise ImportError('no such thing')").environment("wheel", {})
    assert "pyproject.toml" in caught.value.summary
    assert caught.value.details


def test_build_requirements_that_do_not_exist_are_named(tmp_path: Path, session_env: dict[str, str]) -> None:
    wanting = backend(tmp_path, session_env, FAILING)
    table = '[build-system]\nrequires = ["setuptools>=99999"]\nbuild-backend = "own"\nbackend-path = ["."]\n'
    (tmp_path / "thing" / "pyproject.toml").write_text(table, encoding="utf-8")
    with pytest.raises(PackageError) as caught:
        wanting.environment("wheel", {})
    assert "pyproject.toml" in caught.value.summary
    assert any("setuptools>=99999" in line for line in caught.value.details)
