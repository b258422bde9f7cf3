"""What a test needs of the machine, and which Debian package brings it: the one place that skips.

The last lines of a run say what to install. With DIPTYCH_NO_SKIPS=1 a skip is a failure.
"""

from __future__ import annotations

import platform
import shutil
import sys
from typing import NoReturn

import pytest

from diptych import process

MARK = "apt install "
"""Stands in the reason of each skip that a package would end."""
_WHERE = {"PATH": f"{process.own_tools()}:/usr/local/bin:/usr/bin:/bin"}


def needs(program: str, *, package: str) -> pytest.MarkDecorator:
    """Skip what is marked where a program is missing.

    Args:
        program: its name; one of LLVM's may carry a version.
        package: Debian's package that brings it.
    """
    there = process.which_versioned(program, _WHERE) if program.startswith("llvm-") else shutil.which(program)
    return pytest.mark.skipif(there is None, reason=_reason(program, package))


def needs_found(found: object, what: str, *, package: str = "") -> pytest.MarkDecorator:
    """Skip what is marked where looking for something found nothing."""
    return pytest.mark.skipif(not found, reason=_reason(what, package))


def needs_linux(why: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(sys.platform != "linux", reason=f"Linux alone: {why}")


def needs_x86_64(why: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(platform.machine() != "x86_64", reason=f"x86-64 alone: {why}")


def lacking(what: str, *, package: str = "") -> NoReturn:
    """Skip the running test: something that cannot be known before it runs is missing."""
    pytest.skip(_reason(what, package))


def _reason(what: str, package: str) -> str:
    return f"needs {what} ({MARK}{package})" if package else f"needs {what}"
