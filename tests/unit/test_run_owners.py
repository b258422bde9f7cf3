"""Whose library a binary needs, and which packages are there to be linked only."""

from __future__ import annotations

import pytest

from diptych.cell.makers import libraries_alone, owner_of

OWNERS = {
    "lib/libfoo.so.1": "libfoo",
    "lib/libbar.1.dylib": "libbar",
    "lib/libc++.1.dylib": "libcxx",
    "lib/libtool.so": "tool",
    "bin/tool": "tool",
    "lib/python3.11/site-packages/mod.py": "mod",
    "lib/libmod.so": "mod",
    "include/h.h": "headers",
    "lib/sub/plugin.so": "plugins",
}


@pytest.mark.parametrize(
    ("needed", "owner"),
    [
        ("libfoo.so.1", "libfoo"),
        ("@rpath/libbar.1.dylib", "libbar"),
        ("@loader_path/../../libbar.1.dylib", "libbar"),
        ("/usr/lib/libc++.1.dylib", None),
        ("libc.so.6", None),
    ],
)
def test_the_owner_of_a_needed_library(needed: str, owner: str | None) -> None:
    assert owner_of(needed, OWNERS) == owner


def test_what_is_there_to_be_linked_has_neither_programs_nor_modules() -> None:
    assert libraries_alone(OWNERS) == {"libfoo", "libbar", "libcxx"}
