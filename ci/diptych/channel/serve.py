"""Serve a channel over HTTP on this machine, for tools that take no ``file://`` channel and for tests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from diptych.errors import ChannelError


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
        """Say nothing: only the caller prints."""

    def send_head(self) -> Any:  # noqa: ANN401 -- typeshed's type is private
        """Answer in full: a time of whole seconds cannot tell two indexes of one second apart."""
        del self.headers["If-Modified-Since"]
        return super().send_head()


@contextmanager
def serve(root: Path, port: int = 0, *, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve the channel at ``root`` while the ``with`` block runs, and yield its URL.

    Not for ``rattler_build.run_build`` in the same process: it keeps the interpreter lock while it waits for an
    answer (0.73), and the answer comes from a thread of this one. py-rattler lets go of it.

    Args:
        root: the channel's folder.
        port: 0 takes a free one.
        host: the loopback address unless told otherwise.

    Raises:
        ChannelError: the port is taken.
    """
    try:
        server = ThreadingHTTPServer((host, port), partial(_Handler, directory=str(root)))
    except OSError as error:
        raise ChannelError(
            f"cannot serve on {host}:{port}: {error.strerror}", hint="choose another port; 0 takes a free one"
        ) from error
    thread = threading.Thread(target=server.serve_forever, name="channel", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
