"""A server that takes conda packages as prefix.dev and Quetz do, for rattler-build's uploaders: a program of its own.

Neither can be had here. The requests are those that the uploaders really send: a form with the package in one part
(POST /api/v1/upload/CHANNEL, Bearer key), and the bare package (POST /api/channels/CHANNEL/upload/NAME, X-API-Key).
"""

from __future__ import annotations

import email.parser
import email.policy
import sys
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from diptych.packages.channel_folder import index_folder


class Handler(SimpleHTTPRequestHandler):
    """Serves the channels below its folder, and adds to them."""

    key = ""

    def do_POST(self) -> None:
        body = b"".join(self._body())
        if self.key not in {
            self.headers.get("X-API-Key"),
            self.headers.get("Authorization", "").removeprefix("Bearer "),
        }:
            self.send_error(401, "who are you?")
            return
        words = self.path.partition("?")[0].strip("/").split("/")
        if words[:3] == ["api", "v1", "upload"]:
            name, content = self._form(body)
            folder = Path(self.directory) / words[3]
        else:
            name, content = words[4], body
            folder = Path(self.directory) / "get" / words[2]
        target = folder / "linux-64" / name
        if target.exists():
            self.send_error(409, "it is there")
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        (folder / "noarch").mkdir(exist_ok=True)
        target.write_bytes(content)
        index_folder(folder)
        self.send_response(201)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding") != "chunked":
            yield self.rfile.read(int(self.headers.get("Content-Length", "0")))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _form(self, body: bytes) -> tuple[str, bytes]:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        part = next(one for one in form.iter_parts() if one.get_filename())
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        return str(part.get_filename()), content


def main(argv: list[str]) -> None:
    Handler.key = argv[3]
    server = ThreadingHTTPServer(
        ("127.0.0.1", int(argv[1])), lambda *words: Handler(*words, directory=argv[2])
    )
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv)
