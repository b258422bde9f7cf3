"""What a Python of the matrix is called elsewhere, and which conda packages are for several.

``3.14t`` is the one without the GIL (PEP 703), a version of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

STABLE = frozenset({"abi3", "abi3t"})
"""The ABI tags of the stable ABI: PEP 384, and PEP 803 for Pythons without the GIL."""
STABLE_ABI = "_python_abi3_support"
"""What a package of the stable ABI depends on beside CPython (CEP 20)."""
_CPYTHON = re.compile(r"cpython\s+>=?\s*\d")


def is_free_threaded(python: str) -> bool:
    """Tell whether a Python has no GIL."""
    return python.endswith("t")


def plain(python: str) -> str:
    """Return the version alone: ``3.14`` of ``3.14t``."""
    return python.rstrip("t")


def numbers(python: str) -> tuple[int, ...]:
    """Return the version as numbers, which sort.

    >>> numbers("3.9") < numbers("3.14t")
    True
    """
    return tuple(int(part) for part in plain(python).split("."))


def interpreter_tag(python: str) -> str:
    """Return it as in a wheel's file name (PEP 425).

    >>> interpreter_tag("3.11"), interpreter_tag("3.14t")
    ('cp311', 'cp314')
    """
    return f"cp{plain(python).replace('.', '')}"


def abi_tag(python: str) -> str:
    """Return its ABI as in a wheel's file name, and in the build strings of conda-forge.

    >>> abi_tag("3.11"), abi_tag("3.14t")
    ('cp311', 'cp314t')
    """
    return f"cp{python.replace('.', '')}"


def stable_abi_tag(python: str) -> str:
    """Return the stable ABI that it takes, as in a wheel's file name (PEP 384; PEP 803, from 3.15 on, for one without the GIL).

    >>> stable_abi_tag("3.11"), stable_abi_tag("3.15t")
    ('abi3', 'abi3t')
    """
    return "abi3t" if is_free_threaded(python) else "abi3"


def site_packages(python: str) -> PurePosixPath:
    """Return where site-packages is, relative to the prefix of an environment."""
    return PurePosixPath(f"lib/python{python}/site-packages")


def conda_depends(python: str) -> tuple[str, str]:
    """Return what a conda package with modules for this Python depends on: Python itself, and its ABI (conda-forge's pins).

    >>> conda_depends("3.14t")
    ('python >=3.14,<3.15.0a0', 'python_abi 3.14.* *_cp314t')
    """
    major, minor = numbers(python)
    version = plain(python)
    return (
        f"python >={version},<{major}.{minor + 1}.0a0",
        f"python_abi {version}.* *_{abi_tag(python)}",
    )


def match_spec(python: str) -> str:
    """Return conda's match specification; one without the GIL is told by its build string (conda-forge's python-feedstock).

    >>> match_spec("3.11"), match_spec("3.14t")
    ('python 3.11.*', 'python 3.14.* *_cp314t')
    """
    build = f" *_{abi_tag(python)}" if is_free_threaded(python) else ""
    return f"python {plain(python)}.*{build}"


def for_every_machine(*, noarch: object, subdir: str, depends: Iterable[str]) -> bool:
    """Tell whether conda installs a package on every platform: it is noarch, and not one of the stable ABI.

    Those are ``noarch: python`` too, in the subdir of their platform, and depend on CPython from some version on (CEP 20).

    Args:
        noarch: as ``info/index.json`` has it, like the others.
        subdir: likewise; ``noarch`` where it says nothing.
        depends: the run dependencies.
    """
    return bool(noarch) and (subdir == "noarch" or not any(map(_CPYTHON.match, depends)))


def indexed_for_every_machine(index: Mapping[str, Any]) -> bool:
    """Tell the same of an ``info/index.json``."""
    return for_every_machine(
        noarch=index.get("noarch"),
        subdir=index.get("subdir", "noarch"),
        depends=map(str, index.get("depends", ())),
    )
