from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from diptych.interpreters import find, find_all
from diptych.store import Store

RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"
REAL = Path(getattr(sys, "_base_executable", sys.executable)).resolve()


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment in which only the running interpreter can be found, under its plain name."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / f"python{RUNNING}").symlink_to(REAL)
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def test_running_interpreter_is_found_with_its_facts(env: dict[str, str]) -> None:
    found = find(RUNNING, env=env)

    assert found is not None
    assert found.executable == REAL
    assert found.version == ".".join(map(str, sys.version_info[:3]))
    assert found.minor.rstrip("t") == RUNNING
    assert found.soabi in found.ext_suffix
    assert found.source == "running"
    assert found.stdlib.joinpath("os.py").is_file()


def test_exact_release_and_unknown_versions(env: dict[str, str]) -> None:
    exact = ".".join(map(str, sys.version_info[:3]))

    assert find(exact, env=env) is not None
    assert find(f"{RUNNING}.99", env=env) is None
    assert find("3.2", env=env) is None


def test_second_run_starts_no_interpreter(env: dict[str, str], tmp_path: Path) -> None:
    store = Store(root=tmp_path / "store")
    first = find_all(env=env, store=store)
    entries = sorted((tmp_path / "store" / "interpreters").glob("*/said.json"))
    said = entries[0].read_text(encoding="utf-8")
    before = entries[0].stat()
    entries[0].write_text(said.replace("cpython-", "marked--"), encoding="utf-8")
    os.utime(entries[0], ns=(before.st_atime_ns, before.st_mtime_ns))

    assert len(entries) == len(first)
    assert "marked--" in find_all(env=env, store=store)[0].soabi


@pytest.mark.parametrize(
    "text", ["exit 1", "echo not json", "echo '[]'", "echo '{}'", "kill -9 $$", ""], ids=repr
)
def test_broken_programs_are_skipped(env: dict[str, str], tmp_path: Path, text: str) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    script(broken / f"python{RUNNING}", text)
    (broken / "python3").mkdir()
    (broken / "python3.99").symlink_to("nowhere")
    env["PATH"] = f"{broken}:{tmp_path / 'absent'}:{env['PATH']}"

    assert [each.executable for each in find_all(env=env)] == [REAL]


def test_hanging_program_is_skipped(
    tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diptych.interpreters._PROBE_SECONDS", 0.3)
    # It answers in the end: without the limit it would be found.
    script(tmp_path / "bin" / "python3", f'/bin/sleep 60; exec {REAL} "$@"')
    (tmp_path / "bin" / f"python{RUNNING}").unlink()

    assert not [each for each in find_all(env=env) if each.source == "PATH"]


def test_pyenv_and_uv_folders_are_searched_newest_first(env: dict[str, str], tmp_path: Path) -> None:
    for version in ("3.9.2", "3.10.13"):
        folder = tmp_path / ".pyenv" / "versions" / version / "bin"
        folder.mkdir(parents=True)
        script(folder / "python3", f'echo "{version}" >> {tmp_path}/order; exit 1')
    shims = tmp_path / ".pyenv" / "shims"
    shims.mkdir()
    script(shims / "python3", f"echo shim >> {tmp_path}/order; exit 1")
    uv = tmp_path / "uv" / "cpython-3.12.4-linux" / "bin"
    uv.mkdir(parents=True)
    script(uv / "python3", f"echo uv >> {tmp_path}/order; exit 1")

    find_all(env={**env, "PATH": f"{shims}:{env['PATH']}", "UV_PYTHON_INSTALL_DIR": str(tmp_path / "uv")})

    assert (tmp_path / "order").read_text().split() == ["3.10.13", "3.9.2", "uv"]
