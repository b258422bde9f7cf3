"""The entry points of a package that is not installed: a script for each, which imports from source."""

from __future__ import annotations

from pathlib import Path

from diptych.archives.entrypoints import commands_of

# A path may be longer than what fits into a #! line: the shell starts the interpreter, which takes these two lines for a string.
_SCRIPT = """\
#!/bin/sh
'''exec' "{python}" "$0" "$@"
' '''
import sys

from {module} import {first}

sys.exit({function}())
"""


def lay_programs(info: Path, folder: Path, *, python: Path) -> None:
    """Write the ``console_scripts`` and ``gui_scripts`` of a ``.dist-info`` into ``folder``, which is made when there are any.

    Args:
        info: the ``.dist-info`` folder (entry points specification).
        folder: where the scripts go.
        python: the interpreter that runs them.

    Raises:
        FormatError: entry_points.txt cannot be read.
    """
    for name, target in commands_of(info):
        module, _, function = target.partition(":")
        text = _SCRIPT.format(
            python=python, module=module, function=function, first=function.partition(".")[0]
        )
        folder.mkdir(exist_ok=True)
        script = folder / Path(name).name
        script.write_text(text, encoding="utf-8")
        script.chmod(0o755)
