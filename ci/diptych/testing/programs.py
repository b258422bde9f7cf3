"""The programs of a package that is not installed: a script for each entry point, which imports from source."""

from __future__ import annotations

import configparser
from pathlib import Path

from diptych.errors import PackageError

# A path may be longer than what fits into a #! line: the shell starts the interpreter, which takes these two lines for a string.
_SCRIPT = """\
#!/bin/sh
'''exec' "{python}" "$0" "$@"
' '''
import sys

from {module} import {first}

sys.exit({function}())
"""


class _CaseKept(configparser.ConfigParser):
    """Names keep their case, as the entry points specification says."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def lay_programs(info: Path, folder: Path, *, python: Path) -> None:
    """Write the ``console_scripts`` and ``gui_scripts`` of a ``.dist-info`` into ``folder``, which is made when there are any.

    Args:
        info: the ``.dist-info`` folder (entry points specification).
        folder: where the scripts go.
        python: the interpreter that runs them.

    Raises:
        PackageError: entry_points.txt cannot be read.
    """
    file = info / "entry_points.txt"
    if not file.is_file():
        return
    parser = _CaseKept(delimiters=("=",), interpolation=None)
    try:
        parser.read_string(file.read_text(encoding="utf-8"))
    except (ValueError, configparser.Error) as error:
        raise PackageError(f'"{file}" cannot be read: {error}') from error
    for section in ("console_scripts", "gui_scripts"):
        for name, value in parser[section].items() if section in parser else ():
            module, _, function = value.partition("[")[0].strip().partition(":")
            text = _SCRIPT.format(
                python=python,
                module=module.strip(),
                function=function.strip(),
                first=function.strip().partition(".")[0],
            )
            folder.mkdir(exist_ok=True)
            script = folder / Path(name).name
            script.write_text(text, encoding="utf-8")
            script.chmod(0o755)
