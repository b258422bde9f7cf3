"""A person forces another conda tool: nox calls it with the cell's channels and specs, and the cell uses what it made."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from helpers.checkout import HERE, Checkout
from helpers.tiny import TABLE, lay_out_tiny

# No micromamba can be installed where there is no conda channel. This stands in for it at its command line, and
# makes a real environment from a real channel, as the tool would.
STAND_IN = """\
#!{python}
import json, pathlib, sys
import rattler
import asyncio, os

words = iter(sys.argv[1:])
assert next(words) == "create"
channels, specs, prefix = [], [], None
for word in words:
    if word in ("-c", "--channel"):
        channels.append(next(words))
    elif word == "--prefix":
        prefix = next(words)
    elif word != "--yes":
        specs.append(word)
pathlib.Path({calls!r}).write_text(json.dumps([channels, specs]))

async def make():
    here = rattler.VirtualPackage.detect()
    records = await rattler.solve(channels, specs, virtual_packages=here)
    await rattler.install(records, prefix, show_progress=False)

asyncio.run(make())
os._exit(0)
"""


@pytest.fixture
def micromamba(tmp_path: Path) -> Path:
    program = tmp_path / "bin" / "micromamba"
    program.parent.mkdir()
    program.write_text(STAND_IN.format(python=sys.executable, calls=str(tmp_path / "calls.json")))
    program.chmod(0o755)
    return program


def test_micromamba_is_honoured(
    tmp_path: Path, micromamba: Path, built: Checkout, repository: Path, session_env: dict[str, str]
) -> None:
    root = tmp_path / "checkout"
    lay_out_tiny(root, repository, TABLE + 'host = ["libboost-python-devel", "eigen", "numpy"]\n')
    shutil.copytree(built.root / ".diptych" / "channel", root / ".diptych" / "channel")
    path = os.pathsep.join([str(micromamba.parent), session_env["PATH"]])
    checkout = Checkout(root=root, env={**session_env, "PATH": path})
    done = checkout.nox("-s", f"test-{HERE}", "--force-venv-backend", "micromamba", "--", "-k", "answer")
    assert done.returncode == 0, done.output
    channels, specs = json.loads((tmp_path / "calls.json").read_text())
    assert channels == [(root / ".diptych" / "channel").as_uri()]
    assert {"libboost-python-devel", "eigen", "numpy", "pytest", f"python={HERE}"} <= set(specs)
    again = checkout.nox("-s", f"test-{HERE}", "--force-venv-backend", "micromamba", "--", "-k", "answer")
    assert again.returncode == 0, again.output
    assert "· compile" in again.output
