"""Write ``data/glibc_names.json`` from the machine's glibc: ``python -m diptych.policy.generate_glibc DATE``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from diptych.binaries import read_file
from diptych.output import Output

TARGET = Path(__file__).parents[1] / "data" / "glibc_names.json"
_FOLDER = Path("/usr/lib/x86_64-linux-gnu")
_LIBRARIES = ("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1")


def names(folder: Path = _FOLDER) -> frozenset[str]:
    """Return what the libraries define under a public version.

    Raises:
        FormatError: one is not there.
    """
    return frozenset(
        symbol.name
        for library in _LIBRARIES
        for symbol in read_file(folder / library, symbols=True)[0].symbols or ()
        if symbol.defined and (symbol.version or "").startswith("GLIBC_2")
    )


def main(arguments: Sequence[str]) -> None:
    """Write the file; the date is an argument, so that two runs give the same bytes."""
    found = names()
    version = read_file(_FOLDER / "libc.so.6")[0].version_definitions
    newest = max((one.name for one in version if one.name.startswith("GLIBC_2.")), key=_number)
    table = {
        "date": arguments[0],
        "source": f"the dynamic symbols of {', '.join(_LIBRARIES)} of {newest} on x86_64, without GLIBC_PRIVATE",
        "names": " ".join(sorted(found)),
    }
    TARGET.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    Output(env={}).line(f"wrote {TARGET}")


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.removeprefix("GLIBC_").split("."))


if __name__ == "__main__":
    main(sys.argv[1:])
