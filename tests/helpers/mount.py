"""A small disk of one's own, where one may mount."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from diptych import process
from helpers.needs import lacking


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """Mount a tmpfs on a folder until the block ends; skip the test where nothing can be mounted."""
    env = dict(os.environ)  # noqa: TID251 -- tests are a surface
    words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = process.run(words, env=env, cwd=folder.parent, check=False)
    if done.returncode != 0:
        lacking(f"the right to mount: {done.output.strip()}")
    try:
        yield
    finally:
        process.run(["umount", folder], env=env, cwd=folder.parent)
