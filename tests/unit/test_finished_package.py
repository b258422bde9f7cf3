"""A conda package that is not what it says is refused, with one clear message."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from diptych.errors import PackageError
from diptych.packages.finished import check_finished
from helpers.elf_builder import elf

SITE = "lib/python3.11/site-packages"


def lay_out(root: Path, files: dict[str, bytes], **index: object) -> Path:
    values = {"name": "thing", "version": "1.0", "build": "0", "depends": [], **index}
    for name, content in {"info/index.json": json.dumps(values).encode(), **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def dist_info(
    version: str = "1.0", installer: bytes = b"conda\n", record: bytes | None = None
) -> dict[str, bytes]:
    folder = f"{SITE}/thing-{version}.dist-info"
    files = {
        f"{folder}/METADATA": f"Metadata-Version: 2.4\nName: Thing\nVersion: {version}\n".encode(),
        f"{folder}/INSTALLER": installer,
    }
    return files if record is None else {**files, f"{folder}/RECORD": record}


def row(name: str, content: bytes) -> bytes:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(content)}\n".encode()


MODULE = {f"{SITE}/thing.py": b"x = 1\n"}


@pytest.mark.parametrize(
    "files",
    [
        {},
        dist_info(),
        {**MODULE, **dist_info(record=row("thing.py", b"x = 1\n") + b"thing-1.0.dist-info/RECORD,,\n")},
        dist_info(version="1.0.0"),
    ],
    ids=["none", "without record", "with record", "the same version"],
)
def test_what_is_right_passes(tmp_path: Path, files: dict[str, bytes]) -> None:
    check_finished(lay_out(tmp_path, files))


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        (dist_info(version="0.9"), f"{SITE}/thing-0.9.dist-info says version 0.9, the package 1.0"),
        (dist_info(installer=b"pip\n"), f"{SITE}/thing-1.0.dist-info/INSTALLER says pip, not conda"),
        ({f"{SITE}/thing-1.0.dist-info/INSTALLER": b"conda"}, f"{SITE}/thing-1.0.dist-info has no METADATA"),
        (
            {**MODULE, **dist_info(record=row("thing.py", b"x = 2\n"))},
            f"{SITE}/thing-1.0.dist-info/RECORD: thing.py is not as listed",
        ),
        (
            dist_info(record=row("gone.py", b"")),
            f"{SITE}/thing-1.0.dist-info/RECORD: gone.py is not there",
        ),
        ({**dist_info(), **dist_info("1.0.0")}, "thing-1.0.0.dist-info and thing-1.0.dist-info are of one project"),
    ],
    ids=["version", "installer", "metadata", "changed", "gone", "twice"],
)  # fmt: skip
def test_a_stale_dist_info(tmp_path: Path, files: dict[str, bytes], fault: str) -> None:
    with pytest.raises(PackageError, match=r"thing 1\.0: its \.dist-info is stale") as caught:
        check_finished(lay_out(tmp_path, files))
    assert caught.value.details == (fault,)


def test_noarch_with_binaries(tmp_path: Path) -> None:
    root = lay_out(tmp_path, {"site-packages/thing/_core.so": elf(needed=["libc.so.6"])}, noarch="python")
    with pytest.raises(PackageError, match="noarch, and has 1 binaries inside") as caught:
        check_finished(root)
    assert caught.value.details == ("site-packages/thing/_core.so",)


def test_a_test_of_the_recipe_may_hold_what_it_likes(tmp_path: Path) -> None:
    check_finished(lay_out(tmp_path, {"info/recipe/x-0.dist-info/RECORD": b"gone,,\n"}))
