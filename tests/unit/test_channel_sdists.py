"""Wheels that are made of source distributions for the local channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from diptych.channel.sdists import make_wheel, wanted_sdist
from diptych.errors import ProcessError


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("ERROR: No matching distribution found for psleak", ("psleak", "")),
        ("ERROR: No matching distribution found for psleak>=0.1,<2", ("psleak", ">=0.1,<2")),
        ("ERROR: No matching distribution found for psleak[a]==1.*", ("psleak", "==1.*")),
        ("ERROR: Could not connect", None),
    ],
)
def test_what_pip_found_no_wheel_of(line: str, found: tuple[str, str] | None) -> None:
    assert wanted_sdist(["some words", line]) == found


@pytest.mark.parametrize(
    ("leaves", "expected"),
    [("x-1-py3-none-any.whl", True), ("x-1-cp311-cp311-linux_x86_64.whl", False), ("", False)],
)
def test_a_wheel_of_compiled_code_is_not_kept(tmp_path: Path, leaves: str, *, expected: bool) -> None:
    def pip(arguments: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> None:
        assert arguments[-1] == "x==1"
        assert not env
        if not leaves:
            raise ProcessError("pip failed")
        (cwd / leaves).write_bytes(b"")

    made = make_wheel("x", "==1", tmp_path / "made", pip, env={})
    assert (made is not None) is expected
    assert [path.name for path in (tmp_path / "made").iterdir()] == ([leaves] if expected else [])
