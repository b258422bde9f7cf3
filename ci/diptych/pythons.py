"""What a Python of the matrix is called elsewhere: ``3.14t`` is the one without the GIL (PEP 703), a version of its own."""

from __future__ import annotations

from pathlib import PurePosixPath


def is_free_threaded(python: str) -> bool:
    """Tell whether a Python has no GIL."""
    return python.endswith("t")


def plain(python: str) -> str:
    """Return the version alone: ``3.14`` of ``3.14t``."""
    return python.rstrip("t")


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


def site_packages(python: str) -> PurePosixPath:
    """Return where site-packages is, relative to the prefix of an environment."""
    return PurePosixPath(f"lib/python{python}/site-packages")


def match_spec(python: str) -> str:
    """Return conda's match specification; one without the GIL is told by its build string (conda-forge's python-feedstock).

    >>> match_spec("3.11"), match_spec("3.14t")
    ('python 3.11.*', 'python 3.14.* *_cp314t')
    """
    build = f" *_{abi_tag(python)}" if is_free_threaded(python) else ""
    return f"python {plain(python)}.*{build}"
