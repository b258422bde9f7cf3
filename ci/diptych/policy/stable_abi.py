"""The symbols of CPython's stable ABI, and the Python that added each (PEP 384; docs.python.org, "Contents of Limited API")."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping
from importlib import resources

Version = tuple[int, int]
_C_API = re.compile(r"_?Py(_|[A-Z])")


@functools.cache
def stable_abi() -> Mapping[str, Version]:
    """Return each symbol with the version that added it."""
    text = resources.files("diptych").joinpath("data/stable_abi.json").read_text(encoding="utf-8")
    found: dict[str, Version] = {}
    for added, names in json.loads(text)["names"].items():
        major, minor = added.split(".")
        found |= dict.fromkeys(names.split(), (int(major), int(minor)))
    return found


def outside_stable_abi(wanted: Iterable[str], floor: Version | None) -> dict[str, Version | None]:
    """Return the symbols of the C API that a module may not want, with the version that added each; None: it is not stable.

    Args:
        wanted: the undefined names of a module that claims the stable ABI.
        floor: the oldest Python that it claims to work with; None: it does not say.

    >>> outside_stable_abi({"PyLong_FromLong", "PyUnicode_New", "PyType_GetName", "malloc"}, (3, 10))
    {'PyType_GetName': (3, 11), 'PyUnicode_New': None}
    """
    known = stable_abi()
    return {
        name: known.get(name)
        for name in sorted(wanted)
        if _C_API.match(name) and (name not in known or (floor is not None and known[name] > floor))
    }
