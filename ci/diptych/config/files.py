"""Reading a TOML file so that whatever is wrong with it ends in one clear error."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from diptych.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def read_toml(file: Path) -> dict[str, Any]:
    """Return the tables of a TOML file.

    Raises:
        ConfigError: it is not there, cannot be read, or is not TOML.
    """
    try:
        return toml_of(file.read_bytes(), file)
    except OSError as error:
        raise ConfigError(
            f'cannot read "{file}": {error.strerror or error}', hint=_reading_hint(file)
        ) from error


def toml_of(content: bytes, file: Path) -> dict[str, Any]:
    """Return the tables of a TOML file's content; ``file`` is what a message names.

    Raises:
        ConfigError: it is not TOML.
    """
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        raise ConfigError(
            f'"{file}" is not UTF-8 (byte {error.start})',
            hint="TOML is UTF-8: save the file in that encoding",
        ) from error
    except ValueError as error:  # TOMLDecodeError, or an integer of thousands of digits
        raise ConfigError(f'"{file}" is not TOML: {error}', hint="mend the file at that line") from error
    except RecursionError as error:
        raise ConfigError(f'"{file}" nests its lists or tables too deep', hint="write it flat") from error


def _reading_hint(file: Path) -> str:
    if is_dir(file.parent):
        return "run in the folder that has the pyproject.toml with [tool.diptych]"
    return f'the folder "{file.parent}" is not there'


def is_dir(path: Path) -> bool:
    """Tell whether a folder is there; a path that cannot exist (too long, say) is no folder."""
    return os.path.isdir(path)  # noqa: PTH112 -- Path.is_dir raises for such a path


def is_file(path: Path) -> bool:
    """Tell whether a file is there; a path that cannot exist is no file."""
    return os.path.isfile(path)  # noqa: PTH113 -- Path.is_file raises for such a path
