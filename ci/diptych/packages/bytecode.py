"""Byte code of a conda package, compiled again so that it does not depend on where and when that happened.

A ``.pyc`` made by the packer holds the packer's temporary folder (``co_filename``), and by default the time of the
source. Here it holds the path below the prefix, and the hash of the source (PEP 552, "checked").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from diptych import process
from diptych.errors import PackageError, ProcessError

_COMPILED = re.compile(r"(?P<folder>.*/)?__pycache__/(?P<stem>[^/]+)\.(?P<tag>[a-z]+-\d+)t?\.pyc")
# Runs in the package's own Python. One process, in a fixed order: what marshal writes depends on what is interned.
_SCRIPT = """\
import sys, py_compile
for name, compiled in zip(sys.argv[1::2], sys.argv[2::2]):
    py_compile.compile(name, compiled, name, True, -1, py_compile.PycInvalidationMode.CHECKED_HASH, True)
"""


def recompile(root: Path, *, python: Path, tag: str, env: Mapping[str, str], log: Path) -> tuple[str, ...]:
    """Compile every ``.pyc`` below ``root`` again whose source is beside it.

    Args:
        root: an unpacked package, laid out as below the prefix.
        python: the interpreter that the package is for.
        tag: its cache tag, "cpython-311", without the ``t`` that one without the GIL may have; byte code of others is left as it is.
        env: the environment.
        log: where its output goes.

    Returns:
        The names of the ``.pyc`` files, relative to ``root``, sorted.

    Raises:
        PackageError: a source cannot be compiled.
    """
    pairs = [pair for path in sorted(root.rglob("__pycache__/*.pyc")) if (pair := _pair(root, path, tag))]
    if not pairs:
        return ()
    words = [word for pair in pairs for word in pair]
    try:
        process.run(
            # -S -s: no .pth file of the environment takes part.
            [python, "-S", "-s", "-B", "-c", _SCRIPT, *words],
            env={**env, "PYTHONHASHSEED": "0"},
            cwd=root,
            log=log,
        )
    except ProcessError as error:
        raise PackageError("the package's Python files cannot be compiled", details=error.details) from error
    return tuple(compiled for _, compiled in pairs)


def _pair(root: Path, path: Path, tag: str) -> tuple[str, str] | None:
    """Return the names of source and byte code, or None when they do not belong together."""
    name = path.relative_to(root).as_posix()
    match = _COMPILED.fullmatch(name)
    if match is None or match["tag"] != tag:
        return None
    source = f"{match['folder'] or ''}{match['stem']}.py"
    return (source, name) if (root / source).is_file() else None
