"""``entry_points.txt`` (entry points specification, packaging.python.org)."""

from __future__ import annotations

import re
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from pathlib import Path

from diptych.errors import FormatError


class _Parser(ConfigParser):
    """Names keep their case, as the specification says."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def points_in(text: str, where: object) -> dict[str, str]:
    """Return ``group:name`` → object reference, without blanks.

    Args:
        text: of the file.
        where: what an error names.

    Raises:
        FormatError: it cannot be read.
    """
    parser = _Parser(delimiters=("=",), interpolation=None, strict=False)
    try:
        parser.read_string(text)
    except ConfigParserError as error:
        cause = str(error).splitlines()[0]
        raise FormatError(f'"{where}": entry_points.txt is broken: {cause}') from error
    return {
        f"{group}:{name}": re.sub(r"\s+", "", target)
        for group in parser.sections()
        for name, target in parser.items(group)
    }


def commands_of(info: Path) -> list[tuple[str, str]]:
    """Return the commands that an installer makes of a ``.dist-info`` folder: (name, ``module:function``), sorted.

    An extra in brackets after the target means nothing to the script.

    Raises:
        FormatError: as :func:`points_in`.
    """
    file, found = info / "entry_points.txt", {}
    if not file.is_file():
        return []
    for point, target in points_in(file.read_text(encoding="utf-8", errors="replace"), file).items():
        group, _, name = point.partition(":")
        if group in ("console_scripts", "gui_scripts"):
            found[name] = target.partition("[")[0]
    return sorted(found.items())
