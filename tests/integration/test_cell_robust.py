"""A run that is killed outright, and two runs at once: the next run has a complete, right result."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from subprocess import DEVNULL, Popen  # noqa: TID251 -- a run to be killed from outside

import pytest

from helpers.checkout import HERE, Checkout

RESULTS = ("build", "stage", "overlay", "insource", "wheel", "conda", "cells", "provenance")


def forget(checkout: Checkout, *, compiled: bool = True) -> None:
    """Remove what the stages left; with ``compiled=False`` the build tree stays, so that no compiler runs."""
    for name in RESULTS if compiled else RESULTS[1:]:
        shutil.rmtree(checkout.root / ".diptych" / name, ignore_errors=True)
    shutil.rmtree(checkout.root / "dist", ignore_errors=True)


def start(checkout: Checkout) -> Popen[bytes]:
    nox = Path(sys.executable).parent / "nox"
    command: list[str | Path] = [nox, "-s", f"build-{HERE}"]
    # A runner in the background has SIGINT ignored, and children inherit that.
    return Popen(
        command,
        cwd=checkout.root,
        env=checkout.env,
        stdout=DEVNULL,
        stderr=DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509 -- no threads here
    )


def content(checkout: Checkout) -> dict[str, bytes]:
    """Build, since another test's edit may be what was built last, and read the wheel."""
    assert checkout.build().returncode == 0
    wheel, _ = checkout.packages
    return {wheel.name: wheel.read_bytes()}


@pytest.mark.parametrize("compiled", [True, False], ids=["with the compile", "after the compile"])
def test_a_killed_run_is_made_good_by_the_next(built: Checkout, *, compiled: bool) -> None:
    before = content(built)
    forget(built, compiled=compiled)
    run = start(built)
    time.sleep(random.Random(1).uniform(0.5, 10 if compiled else 4))
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    done = built.build()
    assert done.returncode == 0, done.output
    assert content(built) == before
    left = [path for kind in RESULTS for path in (built.root / ".diptych" / kind).glob(".*")]
    assert [path for path in left if path.is_dir()] == []


def test_two_runs_at_once_both_end_well(built: Checkout) -> None:
    before = content(built)
    forget(built, compiled=False)
    other = start(built)
    done = built.build()
    assert other.wait(300) == 0
    assert done.returncode == 0, done.output
    assert content(built) == before


def test_ctrl_c_ends_the_children_too(built: Checkout) -> None:
    forget(built)
    run = start(built)
    tree = built.root / ".diptych" / "build"
    while run.poll() is None and not _working_in(tree):
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    assert run.wait(300) != 0
    assert _working_in(tree) == []
    assert built.build().returncode == 0


def _working_in(folder: Path) -> list[Path]:
    """Return the processes that name a folder on their command lines."""
    return [entry for entry in Path("/proc").glob("[0-9]*/cmdline") if str(folder).encode() in _read(entry)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_a_local_channel_that_lost_a_package_is_filled_again(built: Checkout) -> None:
    """Packing solves against the channel once more, although the host environment is there."""
    (package,) = (built.root / ".diptych" / "channel").glob("*/eigen-*.conda")
    package.unlink()
    forget(built, compiled=False)
    done = built.build()
    assert done.returncode == 0, done.output
    assert package.is_file()
