"""Upload one conda package with rattler-build's library; called as a child process by :mod:`diptych.release.server_channel`.

The library blocks with the interpreter's lock held until the server has answered: in a process of its own it can be timed
out and interrupted. The key comes by the environment, where no process list shows it.
"""

from __future__ import annotations

import os
import sys

from rattler_build import upload


def main(argv: list[str]) -> int:
    """Upload; the words are the kind of server, its URL, the channel, the variable with the key, and the file."""
    kind, url, channel, variable, file = argv[1:]
    key = os.environ.get(variable) or None  # noqa: TID251 -- a program of its own: this is its surface
    try:
        if kind == "prefix":
            upload.upload_package_to_prefix([file], url, channel, api_key=key)
        elif kind == "anaconda":
            upload.upload_package_to_anaconda([file], channel, api_key=key, url=url)
        else:
            upload.upload_package_to_quetz([file], url, channel, api_key=key)
    except Exception as error:  # noqa: BLE001 -- py-rattler-build raises a different class for each thing
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
