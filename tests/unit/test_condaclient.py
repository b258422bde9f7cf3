"""py-rattler in its child process, on folders of this machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from diptych.condaclient import Order, carry_out
from diptych.environments import HostRequest, LockedPackage, create, rebuild
from diptych.errors import HostEnvironmentError


def channel(tmp_path: Path) -> Path:
    folder = tmp_path / "channel"
    (folder / "noarch").mkdir(parents=True)
    assert carry_out(Order(do="index", place=str(folder)), env={}) is None
    return folder


def test_a_folder_is_indexed_without_an_environment(tmp_path: Path) -> None:
    index = json.loads((channel(tmp_path) / "noarch" / "repodata.json").read_text())
    assert index["packages.conda"] == {}


def test_a_request_without_a_solution_is_told(tmp_path: Path, env: dict[str, str]) -> None:
    request = HostRequest(python="3.11", specs=("no-such",), channels=(channel(tmp_path).as_uri(),))
    with pytest.raises(HostEnvironmentError, match=r"no host environment for Python 3\.11") as caught:
        create(request, tmp_path / "prefix", env=env)
    assert "wanted: python 3.11.*, no-such" in caught.value.details
    assert not (tmp_path / "prefix").exists()


def test_a_package_that_is_gone_is_told_and_nothing_is_left(tmp_path: Path, env: dict[str, str]) -> None:
    url = (tmp_path / "noarch" / "gone-1-0.conda").as_uri()
    gone = LockedPackage(name="gone", version="1", build="0", subdir="noarch", url=url, sha256="0" * 64)
    with pytest.raises(HostEnvironmentError, match="cannot be made"):
        rebuild([gone], tmp_path / "prefix", env={**env, "RATTLER_CACHE_DIR": str(tmp_path / "cache")})
    assert not (tmp_path / "prefix").exists()


def test_a_child_that_crashes_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    false = tmp_path / "python"
    false.write_text("#!/bin/sh\nkill -SEGV $$\n")
    false.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(false))
    failure = carry_out(Order(do="index", place=str(tmp_path)), env={})
    assert failure is not None
    assert failure.step == "start"
