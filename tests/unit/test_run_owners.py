"""Whose library a binary needs, and which packages are there to be linked only."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from diptych.cell.makers import check_clobbering, libraries_alone, owner_of
from diptych.errors import PackageError
from diptych.packages.conda import CondaJob, Library
from diptych.packages.depends import RunNeeds

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


def test_a_file_of_two_packages_is_refused_wherever_it_goes(tmp_path: Path) -> None:
    names = {"tree": "mod.py", "elsewhere": "include/h.h", "library": "lib/libfoo.so.1"}
    for folder, name in names.items():
        (tmp_path / folder / name).parent.mkdir(parents=True)
        (tmp_path / folder / name).touch()
    nothing = RunNeeds(needs=(), idle=frozenset())
    job = CondaJob(
        tree=tmp_path / "tree",
        elsewhere=tmp_path / "elsewhere",
        prefixes=(),
        recipe=tmp_path,
        source=tmp_path,
        python="3.11",
        interpreter=tmp_path,
        names={},
        channels=(),
        platform="linux-64",
        found=nothing,
        library=Library(name="libx", tree=tmp_path / "library", found=nothing),
        env={},
        epoch=0,
        log=tmp_path / "log",
    )
    site = PurePosixPath("lib/python3.11/site-packages")
    check_clobbering(job, site, {"lib/python3.11/site-packages/other.py": "other"})
    check_clobbering(job, site, dict.fromkeys(OWNERS, "thing"), own="thing")  # matplotlib needs contourpy
    with pytest.raises(PackageError, match="files that other packages have") as caught:
        check_clobbering(job, site, OWNERS)
    assert caught.value.details == (
        "include/h.h belongs to headers",
        "lib/libfoo.so.1 belongs to libfoo",
        "lib/python3.11/site-packages/mod.py belongs to mod",
    )
