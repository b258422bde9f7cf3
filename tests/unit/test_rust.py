"""Rust for backends that compile with it: the person's cargo, found only when it is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych.build.cargo import Cargo, cargo_of, linking
from diptych.build.missing import lacking
from helpers.laid_out import write


@pytest.fixture
def path(tmp_path: Path) -> dict[str, str]:
    """A PATH with a cargo that knows its version alone."""
    program = tmp_path / "bin" / "cargo"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho cargo 1.95.0\n", encoding="utf-8")
    program.chmod(0o755)
    return {"PATH": str(program.parent)}


@pytest.mark.parametrize(
    ("requires", "found"),
    [("maturin>=1", True), ("setuptools_rust", True), ("setuptools", False), ("not a requirement", False)],
)
def test_cargo_is_looked_for_when_the_backend_needs_it(
    tmp_path: Path, path: dict[str, str], requires: str, *, found: bool
) -> None:
    text = f'[build-system]\nrequires = ["{requires}"]\nbuild-backend = "maturin"\n'
    write(tmp_path, {"source/pyproject.toml": text})
    cargo = Cargo(program=tmp_path / "bin" / "cargo", version="cargo 1.95.0")
    assert cargo_of(tmp_path / "source", path) == (cargo if found else None)
    assert cargo_of(tmp_path / "source", {"PATH": str(tmp_path)}) is None


def test_it_links_with_the_compiler_of_the_cell() -> None:
    linker = Path("/opt/bin/gcc")
    assert linking(platform="linux-64", linker=linker) == {
        "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER": "/opt/bin/gcc"
    }
    assert linking(platform="win-64", linker=linker) == {}


@pytest.mark.parametrize(
    "output",
    [
        "Rust not found, installing into a temporary directory",
        "Cargo, the Rust package manager, is not installed or is not on PATH.",
        "error: can't find Rust compiler",
    ],
)
def test_a_machine_without_rust_is_told(tmp_path: Path, env: dict[str, str], output: str) -> None:
    found = lacking(tmp_path, output, env=env)
    assert found is not None
    assert "no cargo" in found.detail
    assert 'host = ["rust"]' in found.hint
