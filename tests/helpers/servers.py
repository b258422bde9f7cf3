"""Real servers on loopback, each a process of its own: a package index, an S3-compatible store, a web server."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import signal
import socket
import subprocess  # noqa: TID251 -- servers outlive the call, which process.run does not allow
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3

_ATTEMPTS = 5
_LIMIT = 300.0
"""Seconds after which a server counts as broken; no test waits for them."""


@contextlib.contextmanager
def refusing() -> Iterator[str]:
    """Yield the URL of a server that is down: the port is taken, so that nobody else can answer, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/"


@contextlib.contextmanager
def running(
    command: Callable[[int], Sequence[str | Path]], log: Path, *, port: int | None = None
) -> Iterator[str]:
    """Run a server until the block ends; its URL is yielded once it answers.

    Args:
        command: what starts it at a port.
        log: where its words go.
        port: a certain one; else one that is free, and another one if somebody was quicker.
    """
    for _ in range(1 if port else _ATTEMPTS):
        at = port or _free_port()
        with log.open("wb") as sink:
            server = subprocess.Popen(command(at), stdout=sink, stderr=sink, start_new_session=True)
        try:
            if _answers(f"http://127.0.0.1:{at}/", server) and _listens(server.pid, at):
                yield f"http://127.0.0.1:{at}/"
                return
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
            server.wait(_LIMIT)
    raise AssertionError(f"{command(0)!r} does not answer:\n{log.read_text(errors='replace')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def package_index(folder: Path, *, user: str, password: str, port: int | None = None) -> Iterator[str]:
    """Run pypiserver over ``folder/packages``: reading is free, uploading asks for the password."""
    packages = folder / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    digest = base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()  # noqa: S324 -- htpasswd's own form
    (folder / "htpasswd").write_text(f"{user}:{{SHA}}{digest}\n")

    def command(at: int) -> list[str | Path]:
        words: list[str | Path] = [
            "run",
            "-i",
            "127.0.0.1",
            "-p",
            str(at),
            "-P",
            folder / "htpasswd",
            "-a",
            "update",
        ]
        return [_beside("pypi-server"), *words, "--disable-fallback", packages]

    with running(command, folder / "index.log", port=port) as url:
        yield url


@contextlib.contextmanager
def object_store(folder: Path) -> Iterator[str]:
    """Run moto's S3; a bucket is made with an HTTP PUT."""
    with running(
        lambda at: [_beside("moto_server"), "-H", "127.0.0.1", "-p", str(at)], folder / "store.log"
    ) as url:
        yield url.rstrip("/")


@contextlib.contextmanager
def web_server(root: Path, folder: Path) -> Iterator[str]:
    """Serve the files of ``root``."""
    words: list[str | Path] = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "-d", root]
    with running(lambda at: [*words, str(at)], folder / "web.log") as url:
        yield url.rstrip("/")


def bucket(url: str, name: str) -> Any:  # noqa: ANN401 -- boto3 makes its classes at run time
    """Make a bucket in the store."""
    anybody = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
    made: Any = boto3.resource("s3", endpoint_url=url, **anybody).Bucket(name)
    made.create()
    return made


def _beside(program: str) -> Path:
    return Path(sys.executable).with_name(program)


def _listens(process: int, port: int) -> bool:
    """Tell whether the socket that listens at a port is this process's own, not that of somebody who was quicker (proc_net(5))."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"}
    return any(str(one.readlink()) in sockets for one in Path(f"/proc/{process}/fd").iterdir())


def _answers(url: str, server: subprocess.Popen[bytes]) -> bool:
    """Wait until the server answers, or has ended; a limit ends a server that does neither."""
    deadline = time.monotonic() + _LIMIT
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=_LIMIT):  # noqa: S310 -- loopback
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.05)
    return False
