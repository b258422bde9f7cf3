"""Where site-packages is; goes into the package of a distribution's Python, and runs there at every start.

The ``site`` module is frozen into the executable from 3.11 on (https://docs.python.org/3/whatsnew/3.11.html, "Frozen imports"),
so that a distribution's choice of folders (Debian: dist-packages) stays there whatever site.py says.
"""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

_HERE = os.path.dirname(__file__)


def getsitepackages(prefixes: Iterable[str] | None = None) -> list[str]:
    """Return the site-packages folder of each prefix."""
    wanted = dict.fromkeys(site.PREFIXES if prefixes is None else prefixes)
    return [
        os.path.join(prefix, "lib", os.path.basename(_HERE), "site-packages") for prefix in wanted if prefix
    ]


def run_next() -> None:
    """Run the sitecustomize that would have been found if this one were not here."""
    spec = PathFinder.find_spec("sitecustomize", [folder for folder in sys.path if folder != _HERE])
    if spec and spec.loader:
        spec.loader.exec_module(module_from_spec(spec))


def settle() -> None:
    """Put site-packages in the place of the distribution's folders."""
    sys.platlibdir = "lib"
    site.getsitepackages = getsitepackages
    sys.path[:] = [folder for folder in sys.path if os.path.basename(folder) != "dist-packages"]
    # In a virtual environment site has been there already; its .pth files must not run twice.
    known = {os.path.normcase(os.path.abspath(folder)) for folder in sys.path}
    for folder in getsitepackages():
        if os.path.isdir(folder) and os.path.normcase(os.path.abspath(folder)) not in known:
            site.addsitedir(folder, known)


if __name__ == "sitecustomize":
    settle()
    run_next()
