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
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(command: Sequence[str | Path], url: str, log: Path) -> Iterator[str]:
    """Run a server until the block ends; its URL is yielded once it answers."""
    with log.open("wb") as sink:
        server = subprocess.Popen(command, stdout=sink, stderr=sink, start_new_session=True)
    try:
        _wait_for(url, server, log)
        yield url
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(10)


@contextlib.contextmanager
def package_index(folder: Path, *, user: str, password: str, port: int | None = None) -> Iterator[str]:
    """Run pypiserver over ``folder/packages``: reading is free, uploading asks for the password."""
    port = port or free_port()
    packages = folder / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    digest = base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()  # noqa: S324 -- htpasswd's own form
    (folder / "htpasswd").write_text(f"{user}:{{SHA}}{digest}\n")
    words: list[str | Path] = [
        "run",
        "-i",
        "127.0.0.1",
        "-p",
        str(port),
        "-P",
        folder / "htpasswd",
        "-a",
        "update",
    ]
    command: list[str | Path] = [_beside("pypi-server"), *words, "--disable-fallback", packages]
    with running(command, f"http://127.0.0.1:{port}/", folder / "index.log") as url:
        yield url


@contextlib.contextmanager
def object_store(folder: Path) -> Iterator[str]:
    """Run moto's S3; a bucket is made with an HTTP PUT."""
    port = free_port()
    command: list[str | Path] = [_beside("moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    with running(command, f"http://127.0.0.1:{port}/", folder / "store.log") as url:
        yield url.rstrip("/")


@contextlib.contextmanager
def web_server(root: Path, folder: Path) -> Iterator[str]:
    """Serve the files of ``root``."""
    port = free_port()
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "http.server",
        "--bind",
        "127.0.0.1",
        "-d",
        root,
        str(port),
    ]
    with running(command, f"http://127.0.0.1:{port}/", folder / "web.log") as url:
        yield url.rstrip("/")


def bucket(url: str, name: str) -> Any:  # noqa: ANN401 -- boto3 makes its classes at run time
    """Make a bucket in the store."""
    anybody = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
    made: Any = boto3.resource("s3", endpoint_url=url, **anybody).Bucket(name)
    made.create()
    return made


def _beside(program: str) -> Path:
    return Path(sys.executable).with_name(program)


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 -- loopback
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"{server.args!r} does not answer:\n{log.read_text(errors='replace')}")
