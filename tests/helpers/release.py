"""A tagged checkout that can be released, and the servers that it is released to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diptych import process
from diptych.store import sha256_file
from helpers import servers
from helpers.checkout import HERE, TABLE, Checkout, lay_out

USER, PASSWORD = "ann", "pa55-of-the-index-5c1e"
KEY, SECRET = "AKIA-of-the-store-77aa", "5ecret-of-the-store-91bd"
TAG = "v0.1.0"


@dataclass(frozen=True, kw_only=True)
class Shop:
    """Both servers, and the words and variables of a release to them."""

    index: str
    store: str
    bucket: Any
    packages: Path

    def words(self, *, index: str = "", channel: str = "s3://releases/forge") -> tuple[str, ...]:
        return ("--index", index or self.index, "--channel", channel)

    @property
    def variables(self) -> dict[str, str]:
        return {
            "TWINE_USERNAME": USER,
            "TWINE_PASSWORD": PASSWORD,
            "AWS_ENDPOINT_URL": self.store,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }

    def indexed(self) -> dict[str, str]:
        """The files of the index and their hashes, whatever their names."""
        return {path.name: sha256_file(path) for path in self.packages.iterdir()}

    def stored(self) -> dict[str, bytes]:
        """The objects of the store; what stands for a folder is none."""
        objects = (one for one in self.bucket.objects.all() if not one.key.endswith("/"))
        return {one.key: one.get()["Body"].read() for one in objects}

    def repodata(self) -> dict[str, Any]:
        """The packages that the channel's index lists, and their hashes."""
        objects = self.stored()
        return {
            f"{name.split('/')[1]}/{file}": entry["sha256"]
            for name, content in objects.items()
            if name.endswith("/repodata.json")
            for file, entry in json.loads(content)["packages.conda"].items()
        }

    def empty(self) -> None:
        for path in self.packages.iterdir():
            path.unlink()
        self.bucket.objects.all().delete()


@contextmanager
def open_shop(folder: Path) -> Iterator[Shop]:
    with ExitStack() as stack:
        index = stack.enter_context(servers.package_index(folder, user=USER, password=PASSWORD))
        store = stack.enter_context(servers.object_store(folder))
        bucket = servers.bucket(store, "releases")
        yield Shop(index=index, store=store, bucket=bucket, packages=folder / "packages")


def git(checkout: Checkout, *words: str) -> str:
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    return process.run(["git", *identity, *words], env=checkout.env, cwd=checkout.root).output.strip()


def tagged_checkout(root: Path, repository: Path, store: Path | None, env: dict[str, str]) -> Checkout:
    """Lay out a checkout of one cell, committed and tagged; what another one of the same sources has made is taken over."""
    lay_out(root, repository, TABLE.format(python=HERE))
    (root / ".gitignore").write_text(".nox/\n.diptych/\ndist/\n__pycache__/\nhome/\n")
    checkout = Checkout(root=root, env=env)
    git(checkout, "init", "-q", "-b", "main")
    git(checkout, "add", "-A")
    git(checkout, "commit", "-q", "-m", "first")
    git(checkout, "tag", TAG)
    if store:
        shutil.copytree(store, root / ".diptych", symlinks=True)
    return checkout
