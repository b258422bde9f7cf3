"""The names that glibc defines for programs: a reference without a version may be bound to any of them.

CPython links libc, libm, libdl, libpthread and libutil itself, so a module finds these names in the process whether it names
the library or not; and a package's own libraries bring libm where they need it.
"""

from __future__ import annotations

import functools
import json
from importlib import resources


@functools.cache
def glibc_names() -> frozenset[str]:
    """Return the C names of libc, libm, libdl, libpthread, librt and libutil, without those private to glibc."""
    text = resources.files("diptych").joinpath("data/glibc_names.json").read_text(encoding="utf-8")
    return frozenset(json.loads(text)["names"].split())
