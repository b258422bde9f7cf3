"""Stands in for codesign(1) where there is none: it checks an ad-hoc signature, and renews it where it moves the pool of names.

Called as ``codesign --verify FILE`` or ``codesign --force --sign - FILE``, as delocate does. Silent and 0 when every slice
is unsigned or signed ad hoc with page hashes that agree, and its load commands end before the code; otherwise it says what is wrong and ends with 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

from diptych.binaries import Signature, align_names, header_room, mapped, read, signature
from diptych.errors import FormatError


def main(argv: list[str]) -> int:
    """Check the file named last."""
    path = argv[-1]
    try:
        if "--force" in argv:
            align_names(Path(path))
        with mapped(path) as data:
            slices = read(data, path)
            states = {signature(binary, data) for binary in slices}
            overrun = any(header_room(binary, data) < 0 for binary in slices)
    except FormatError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if overrun:
        sys.stderr.write(
            f"{path}: its load commands reach into the code; link it with -Wl,-headerpad_max_install_names\n"
        )
        return 1
    if "--verify" in argv and states == {Signature.ABSENT}:
        sys.stderr.write(f"{path}: code object is not signed at all\n")  # the words that delocate looks for
        return 1
    if Signature.STALE in states:
        sys.stderr.write(
            f"{path}: page hashes no longer agree with the signature; only macOS can sign it again\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
