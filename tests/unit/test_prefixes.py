"""Files that name the environment they were compiled in: found, and made ready for conda's prefix replacement."""

from __future__ import annotations

from pathlib import Path

import pytest

from diptych.packages.prefixes import Replaced, naming, with_placeholder
from helpers.elf_builder import elf

HOME = Path("/home/me/.nox/build-3-11")
PADDED = Path("/home/me/" + "env_" * 60)


def named(length: int) -> str:
    return "/p" * (length // 2) + "p" * (length % 2)


@pytest.mark.parametrize(
    ("content", "prefix", "made"),
    [
        (b"a = %s\n", HOME, Replaced(content=b"a = " + named(255).encode() + b"\n", placeholder=named(255), mode="text")),
        (b"%s/lib:%s/bin", HOME, Replaced(content=b"%(p)b/lib:%(p)b/bin" % {b"p": named(255).encode()}, placeholder=named(255), mode="text")),
        (b"\0%s/share\0", PADDED, Replaced(content=b"\0" + named(249).encode() + b"/share\0", placeholder=named(249), mode="binary")),
        (b"\0%s/share\0", HOME, None),
        (b"%s-gcc/lib", HOME, None),
        (b"%s.old/lib", HOME, None),
        (b"nothing", HOME, None),
    ],
    ids=["text", "twice", "binary", "too short", "another", "and another", "none"],
)  # fmt: skip
def test_a_placeholder_that_conda_can_replace(content: bytes, prefix: Path, made: Replaced | None) -> None:
    filled = content.replace(b"%s", str(prefix).encode())
    assert with_placeholder(filled, [prefix], named) == made


def test_the_end_of_a_sentence_ends_a_path() -> None:
    assert with_placeholder(f"It is in {HOME}.\n".encode(), [HOME], named)


def test_the_files_that_name_an_environment(tmp_path: Path) -> None:
    home = str(HOME).encode()
    files = {
        "a.txt": home,
        "b/c.so": b"\0" + home + b"/share\0",
        "header.so": b"\0" + home + b"/include/python3.11/Python.h\0",
        "header.txt": home + b"/include\n",
        "code.pyc": b"\0" + home,
        "library.so": elf(soname=f"{HOME}/lib", text=b"code"),  # among the strings of the loader
        "compiled.so": elf(text=home + b"\0"),
        "other": b"\0" + home + b"-gcc",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "link").symlink_to("a.txt")
    assert list(naming(tmp_path, [HOME])) == [
        ("a.txt", False),
        ("b/c.so", True),
        ("compiled.so", True),
        ("header.txt", False),
    ]
